"""The page Security of the own account: second factors, recovery codes and sessions."""

from typing import Any

from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import IndexView
from allauth.mfa.base.views import ReauthenticateView as CodeView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from allauth.mfa.webauthn.views import (
    AddWebAuthnView,
    ReauthenticateWebAuthnView,
    RemoveWebAuthnView,
)
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from products.access.own_sessions import OwnSession, end_other_sessions, own_sessions
from products.access.second_factor import SecondFactorAdapter, needs_second_factor
from products.admin.base import user_of
from products.admin.people.pages import AdminPage

LAST_FACTOR = gettext_lazy("This is your last second factor, and your account must have one.")


class Security(AdminPage, IndexView):  # type: ignore[misc] # it has no types
    """Show the second factors and the sessions of the user."""

    title = gettext_lazy("Security")
    template_name = "admin/people/security.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        user = user_of(self.request)
        found: dict[str, Any] = super().get_context_data(**context)
        sessions: list[OwnSession] = own_sessions(self.request)
        factors = found["authenticators"]
        return {
            **found,
            "sessions": sessions,
            "passkeys": factors.get(Authenticator.Type.WEBAUTHN, []),
            "app": factors.get(Authenticator.Type.TOTP),
            "codes": factors.get(Authenticator.Type.RECOVERY_CODES),
            "is_needed": needs_second_factor(user),
        }


class AddApp(AdminPage, ActivateTOTPView):  # type: ignore[misc] # it has no types
    """Add an authenticator app by its QR code."""

    title = gettext_lazy("Add an authenticator app")
    template_name = "admin/people/add_app.html"


class RemoveApp(AdminPage, DeactivateTOTPView):  # type: ignore[misc] # it has no types
    """Remove the authenticator app."""

    title = gettext_lazy("Remove the authenticator app")
    template_name = "admin/people/remove_factor.html"


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc] # it has no types
    """A passkey, with a name that people recognise."""


class AddPasskey(AdminPage, AddWebAuthnView):  # type: ignore[misc] # it has no types
    """Add a passkey: a fingerprint, a face, a PIN or a key in a socket."""

    title = gettext_lazy("Add a passkey")
    template_name = "admin/people/add_passkey.html"


class RemovePasskey(AdminPage, RemoveWebAuthnView):  # type: ignore[misc] # it has no types
    """Remove a passkey, but not the last factor of a user who must have one."""

    title = gettext_lazy("Remove a passkey")
    template_name = "admin/people/remove_factor.html"

    def form_valid(self, form: Any) -> HttpResponse:
        if not SecondFactorAdapter().can_delete_authenticator(self.get_object()):
            messages.error(self.request, LAST_FACTOR)
            return HttpResponseRedirect(reverse("mfa_index"))
        response: HttpResponse = super().form_valid(form)
        return response


class RecoveryCodes(AdminPage, ViewRecoveryCodesView):  # type: ignore[misc] # it has no types
    """Show the recovery codes that have not been used."""

    title = gettext_lazy("Recovery codes")
    template_name = "admin/people/recovery_codes.html"


class NewRecoveryCodes(AdminPage, GenerateRecoveryCodesView):  # type: ignore[misc] # as above
    """Replace the recovery codes."""

    title = gettext_lazy("New recovery codes")
    template_name = "admin/people/new_recovery_codes.html"


class ConfirmPage(AdminPage):
    """A page that asks who one is, and then goes on with what one did."""

    title = gettext_lazy("Please confirm that it is you")


class ConfirmByPassword(ConfirmPage, ReauthenticateView):  # type: ignore[misc] # it has no types
    """Confirm by password."""

    template_name = "admin/people/confirm_password.html"


class ConfirmByCode(ConfirmPage, CodeView):  # type: ignore[misc] # it has no types
    """Confirm by the code of an authenticator app, or by a recovery code."""

    template_name = "admin/people/confirm_code.html"


class ConfirmByPasskey(ConfirmPage, ReauthenticateWebAuthnView):  # type: ignore[misc] # as above
    """Confirm by passkey."""

    template_name = "admin/people/confirm_passkey.html"

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the page with its error. The library would redirect to another page."""
        page: HttpResponse = self.render_to_response(self.get_context_data(form=form))
        return page


@require_POST
def end_sessions_view(request: HttpRequest) -> HttpResponse:
    """End all other sessions of the user."""
    count = end_other_sessions(request)
    text = ngettext("{count} other session ended.", "{count} other sessions ended.", count)
    messages.success(request, text.format(count=count))
    return HttpResponseRedirect(reverse("mfa_index"))
