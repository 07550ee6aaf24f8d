"""What can be done to an account besides changing it: a new invitation, lost factors, sessions."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.contrib.admin.options import ModelAdmin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from products.access.confirmation import require_confirmation
from products.access.invitations import is_invited
from products.access.own_sessions import end_all_sessions
from products.access.second_factor import remove_second_factors
from products.admin.people.invite import send_link

type Action = Callable[[HttpRequest, User], None]


def invite_again(request: HttpRequest, user: User) -> None:
    """Send a new link to somebody who has not set a password yet."""
    if is_invited(user):
        send_link(request, user)
    else:
        text = gettext("This person has been here already. Please set a new password.")
        messages.error(request, text)


def remove_factors(request: HttpRequest, user: User) -> None:
    """Remove the second factors of somebody who has lost them."""
    count = remove_second_factors(user)
    end_all_sessions(user)
    removed, none = gettext("The second factor is removed."), gettext("There is no second factor.")
    messages.success(request, removed if count else none)


def end_sessions(request: HttpRequest, user: User) -> None:
    """Log the user out everywhere."""
    count = end_all_sessions(user)
    text = ngettext(
        "Logged out everywhere: {count} session ended.",
        "Logged out everywhere: {count} sessions ended.",
        count,
    )
    messages.success(request, text.format(count=count))


ACTIONS: dict[str, Action] = {
    "invitation": invite_again,
    "second-factor": remove_factors,
    "sessions": end_sessions,
}


def urls(admin: ModelAdmin) -> list[URLPattern]:
    """Return the addresses of the actions below that of the account."""
    return [
        path(
            f"<int:pk>/{name}/",
            admin.admin_site.admin_view(require_POST(partial(_act, admin, action))),
            name=f"auth_user_{name.replace('-', '_')}",
        )
        for name, action in ACTIONS.items()
    ]


def _act(admin: ModelAdmin, action: Action, request: HttpRequest, pk: int) -> HttpResponse:
    user = User.objects.filter(pk=pk).first()
    if user is None:
        raise Http404
    if not admin.has_change_permission(request, user):
        raise PermissionDenied
    require_confirmation(request)
    action(request, user)
    admin.log_change(request, user, f"{action.__name__.replace('_', ' ')}.".capitalize())
    return HttpResponseRedirect(reverse("admin:auth_user_change", args=[user.pk]))
