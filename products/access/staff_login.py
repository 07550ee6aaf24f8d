"""How staff log in: by password or company account, then with a second factor if they have one.

django-allauth runs the steps; this adapter says what is particular to staff.
"""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy

from products.access.confirmation import is_confirmed
from products.access.login_lockout import client_address

BACKEND = "django.contrib.auth.backends.ModelBackend"
LOGIN_STAGES = ["allauth.mfa.stages.AuthenticateStage"]
PASSWORD = gettext_lazy("Use your password")
CODE, PASSKEY = gettext_lazy("Use a code"), gettext_lazy("Use a passkey")
LOG_IN_AGAIN = gettext_lazy("Log in with your company account again")
UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104 # shown as unknown


class StaffAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # it has no types
    """Accounts are made by invitation only. Wrong passwords count for the lockout everywhere."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        return LOGIN_STAGES

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or UNKNOWN_ADDRESS

    def login(self, request: HttpRequest, user: User) -> None:
        """Log in, after all steps. The axes backend may not become the session's backend."""
        login(request, user, backend=BACKEND)

    def post_login(
        self, request: HttpRequest, user: User, *, redirect_url: str | None, **_: object
    ) -> HttpResponse:
        """Remember the session for the user's list, and go where the user wanted to go."""
        UserSession.objects.create_from_request(request)
        return HttpResponseRedirect(self.safe_address(request, redirect_url))

    def safe_address(self, request: HttpRequest, address: str | None) -> str:
        """Return the address if it is one of ours, else that of the front page."""
        hosts = {request.get_host()}
        is_ours = url_has_allowed_host_and_scheme(address, hosts, require_https=request.is_secure())
        return address if address and is_ours else resolve_url(settings.LOGIN_REDIRECT_URL)

    def reauthenticate(self, user: User, password: str) -> bool:
        """Return whether it is the user's password. A wrong one counts for the lockout."""
        name = user.get_username()
        found = authenticate(context.request, username=name, password=password)
        return found is not None and found.pk == user.pk

    def is_reauthentication_required(self, *, app: str, **_: object) -> bool:
        return not is_confirmed(context.request)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, str]]:
        """Return the ways to confirm who one is, in the words of the pages."""
        words = {
            "account_reauthenticate": PASSWORD,
            "mfa_reauthenticate": CODE,
            "mfa_reauthenticate_webauthn": PASSKEY,
        }
        titles = {reverse(name): str(title) for name, title in words.items()}
        methods: list[dict[str, str]] = super().get_reauthentication_methods(user)
        if not methods and settings.OIDC_ISSUER:
            url = reverse("confirm_company")
            return [{"id": "company", "description": str(LOG_IN_AGAIN), "url": url}]
        return [{**method, "description": titles[method["url"]]} for method in methods]

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, object] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Show messages that a step passes as text. Those in templates are not in our words."""
        if message:
            messages.add_message(request, level, message, extra_tags=extra_tags)
