"""Inviting somebody: the form, the e-mail, and the link to copy where no e-mail is sent."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.options import ModelAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext

from products.access.confirmation import require_confirmation
from products.access.invitations import (
    can_send_mail,
    create_invited_user,
    invitation_token,
    send_invitation,
)
from products.admin.base import user_of
from products.admin.people.forms import InvitationForm, all_groups
from products.admin.rights import label_of


def invite_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show the form, or create the account and send its invitation."""
    if not admin.has_add_permission(request):
        raise PermissionDenied
    form = InvitationForm(request.POST or None)
    groups: Any = form.fields["groups"]
    groups.queryset = grantable_groups(user_of(request))
    if request.method == "POST":
        require_confirmation(request)
        if form.is_valid():
            return _invite(admin, request, form)
    context = {
        **admin.admin_site.each_context(request),
        "title": gettext("Invite somebody"),
        "form": form,
        "can_send_mail": can_send_mail(),
    }
    return TemplateResponse(request, "admin/people/invite.html", context)


def grantable_groups(user: User) -> QuerySet[Group]:
    """Return the groups whose members may do no more than the user, who may add people to them."""
    groups = all_groups()
    if user.is_superuser:
        return groups
    own = user.get_all_permissions()
    keys = [group.pk for group in groups if set(map(label_of, group.permissions.all())) <= own]
    return groups.filter(pk__in=keys)


def _invite(admin: ModelAdmin, request: HttpRequest, form: InvitationForm) -> HttpResponse:
    fields = form.cleaned_data
    with transaction.atomic():
        user = create_invited_user(
            fields["email"], fields["first_name"], fields["last_name"], fields["groups"]
        )
        admin.log_addition(request, user, "Invited.")
    send_link(request, user)
    name = "change" if admin.has_change_permission(request, user) else "changelist"
    arguments = [user.pk] if name == "change" else []
    return HttpResponseRedirect(reverse(f"admin:auth_user_{name}", args=arguments))


def send_link(request: HttpRequest, user: User) -> None:
    """Send a new link by e-mail. Show it to be copied if no server has taken it."""
    link = request.build_absolute_uri(reverse("invitation", args=[invitation_token(user)]))
    inviting = user_of(request)
    if send_invitation(user, link, inviting.get_full_name() or inviting.get_username()):
        messages.success(request, _sent_text(user))
        return
    text = format_html(
        '{} <code class="new-token" id="new-link">{}</code> <button type="button"'
        ' class="message-button" data-copy="#new-link">{}</button>',
        gettext("No e-mail was sent. Please pass this link on yourself:"),
        link,
        gettext("Copy"),
    )
    messages.warning(request, text)


def _sent_text(user: User) -> str:
    """Return that the e-mail is on its way. Where e-mails are written to files, name the folder."""
    sent = gettext("An invitation is on its way to {address}.").format(address=user.email)
    if not settings.EMAIL_FILE_PATH:
        return sent
    file = gettext("It is a file in {folder}.").format(folder=settings.EMAIL_FILE_PATH)
    return f"{sent} {file}"
