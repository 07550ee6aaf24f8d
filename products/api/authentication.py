"""Who is calling: the user of a bearer token or of a session."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.authentication import (
    BaseAuthentication,
    SessionAuthentication,
    get_authorization_header,
)
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from products.access.tokens import TokenUser


class AnonymousCaller:
    """Stand in for AnonymousUser in the API-only deployment, which has no user table."""

    is_authenticated = False


class BearerAuthentication(BaseAuthentication):
    """Authenticate with ``Authorization: Bearer <token>``."""

    def authenticate(self, request: Request) -> "tuple[TokenUser, None] | None":
        """Return the token's user, or None without a bearer token.

        Raises: AuthenticationFailed for an invalid token, DependencyUnavailable when the token
        cannot be looked up.
        """
        header = get_authorization_header(request).decode("latin-1")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            return None
        # Imported here because most readers send no token.
        from products.access.tokens import TokenRefused, verify  # noqa: PLC0415 # see above

        try:
            return verify(token.strip()), None
        except TokenRefused as refusal:
            raise AuthenticationFailed(str(refusal)) from None

    def authenticate_header(self, request: Request) -> str:
        """Return the WWW-Authenticate header of a 401."""
        return "Bearer"


class CookieAuthentication(SessionAuthentication):
    """Authenticate with Django's session, but skip the lookup without a session cookie."""

    def authenticate(self, request: Request) -> "tuple[AbstractBaseUser, None] | None":
        """Return the session's user, or None when nobody is signed in."""
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        return super().authenticate(request)
