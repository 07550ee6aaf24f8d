"""Second factors: authenticator apps, passkeys and recovery codes, and who must have one."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from axes.handlers.proxy import AxesProxyHandler
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
SESSION_KEY = "second_factor"
FINE, MISSING = "fine", "missing"
OPEN_WITHOUT = ("/admin/security/", "/admin/confirm/", "/admin/logout/", "/admin/session/")
STAFF_PREFIXES = ("/admin/", "/v1.0/")
ADD_FACTOR = gettext_lazy(
    "Your account needs a second factor. Please add one on the page Security first."
)
LOCKED = gettext_lazy("There were too many wrong codes. Please try again later.")


def has_second_factor(user: User) -> bool:
    """Return whether the user has an authenticator app or a passkey."""
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def needs_second_factor(user: User) -> bool:
    """Return whether SECOND_FACTOR_FOR names a permission of the user, or everybody."""
    wanted: frozenset[str] = settings.SECOND_FACTOR_FOR
    if settings.EVERYBODY in wanted:
        return True
    return any(user.has_perm(permission) for permission in wanted)


def remove_second_factors(user: User) -> int:
    """Remove all factors of a user who has lost them. Return how many there were."""
    factors = Authenticator.objects.filter(user=user)
    count: int = factors.filter(type__in=FACTORS).count()
    factors.delete()
    return count


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc] # it has no types
    """Encrypt secrets, and keep the last factor of a user who must have one."""

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret; a random one if the key is gone, so that no code is right."""
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return base64.b32encode(Fernet.generate_key()).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        user = authenticator.user
        others = Authenticator.objects.filter(user=user, type__in=FACTORS).exclude(
            pk=authenticator.pk
        )
        return not needs_second_factor(user) or others.exists()

    def generate_authenticator_name(self, user: User, type: str) -> str:  # its name
        count = Authenticator.objects.filter(user=user, type=type).count()
        return gettext("Passkey {number}").format(number=count + 1)


def _cipher() -> MultiFernet:
    """Return a cipher that encrypts with SECRET_KEY, and decrypts with former keys, too."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    digests = [hashlib.sha256(f"second factors {key}".encode()).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


class _LockedOutAfterFailures(forms.Form):
    """Count wrong codes with wrong passwords, for the lockout of the account and address."""

    user: User

    def clean_code(self) -> str:
        request, credentials = context.request, {"username": self.user.get_username()}
        if not AxesProxyHandler.is_allowed(request, credentials):
            request.axes_locked_out = True
            raise forms.ValidationError(LOCKED)
        code: str = super().clean_code()  # type: ignore[misc] # of the other base class
        return code

    def _emit_authentication_failed(self, authenticator: Authenticator) -> None:
        request, credentials = context.request, {"username": self.user.get_username()}
        user_login_failed.send(sender=__name__, credentials=credentials, request=request)


class CodeForm(_LockedOutAfterFailures, AuthenticateForm):  # type: ignore[misc] # it has no types
    """The code of an authenticator app, or a recovery code, after the password."""


class ConfirmationCodeForm(_LockedOutAfterFailures, ReauthenticateForm):  # type: ignore[misc]
    """The same, to confirm who one is."""


class SecondFactorMiddleware:
    """Lead users who must have a second factor to the page where they add one.

    The session remembers the answer, so a request costs no query.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SECOND_FACTOR_FOR and _is_missing(request):
            return _refusal(request)
        return self.get_response(request)


def _is_missing(request: HttpRequest) -> bool:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    path = request.path
    if not path.startswith(STAFF_PREFIXES) or path.startswith(OPEN_WITHOUT):
        return False
    user: Any = request.user
    if not user.is_authenticated or request.session.get(SESSION_KEY) == FINE:
        return False
    is_fine = has_second_factor(user) or not needs_second_factor(user)
    request.session[SESSION_KEY] = FINE if is_fine else MISSING
    return not is_fine


def _refusal(request: HttpRequest) -> HttpResponse:
    is_script = request.headers.get("Sec-Fetch-Dest") == "empty"
    if is_script or not request.path.startswith("/admin/"):
        return JsonResponse({"message": ADD_FACTOR}, status=403)
    return HttpResponseRedirect(reverse("mfa_index"))
