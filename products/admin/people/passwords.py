"""Forgotten passwords, by e-mail, and the first password of somebody who was invited."""

from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView, PasswordResetView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from products.access.invitations import can_send_mail, invited_user
from products.access.reset_mails import ResetForm
from products.admin.people.pages import AdminPage

SENT = gettext_lazy(
    "If there is an active account with this address, an e-mail with a link is on its way. "
    "The link is valid for one hour."
)
PASSWORD_SET = gettext_lazy("Your password is set. You can log in now.")


class ForgottenPassword(AdminPage, PasswordResetView):
    """Ask for the address, and send a link to it. The answer is the same for every address."""

    title = gettext_lazy("Forgotten password")
    template_name = "admin/people/forgotten_password.html"
    email_template_name = "admin/people/reset_mail.txt"
    subject_template_name = "admin/people/reset_subject.txt"
    form_class = ResetForm
    success_url = reverse_lazy("admin:login")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.info(self.request, SENT)
        address = form.cleaned_data["email"].lower()
        if not ratelimit.consume(self.request, action="reset_password", key=address):
            return HttpResponseRedirect(str(self.success_url))
        return super().form_valid(form)

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return {**super().get_context_data(**context), "can_send_mail": can_send_mail()}


@method_decorator(never_cache, name="dispatch")
class NewPassword(AdminPage, PasswordResetConfirmView):
    """Set a new password by the link in an e-mail."""

    title = gettext_lazy("New password")
    template_name = "admin/people/new_password.html"
    success_url = reverse_lazy("admin:login")

    def dispatch(self, *arguments: Any, **named: Any) -> HttpResponseBase:
        return super().dispatch(*arguments, **named)

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        messages.success(self.request, PASSWORD_SET)
        return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation_view(request: HttpRequest, token: str) -> HttpResponse:
    """Let somebody who was invited choose a password."""
    user = invited_user(token)
    form = SetPasswordForm(user, request.POST or None) if user else None
    if request.method == "POST" and form and form.is_valid():
        form.save()
        messages.success(request, PASSWORD_SET)
        return HttpResponseRedirect(reverse("admin:login"))
    context = {
        **admin.site.each_context(request),
        "title": gettext("Welcome"),
        "invited": user,
        "form": form,
        "sign_on_url": reverse("company_login") if settings.OIDC_ISSUER else "",
        "sign_on_name": settings.OIDC_NAME,
    }
    status = 200 if user else 410
    return TemplateResponse(request, "admin/people/invitation.html", context, status=status)
