"""Who calls: the bearer of a token, or whoever is signed in."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from rest_framework.authentication import (
    BaseAuthentication,
    SessionAuthentication,
    get_authorization_header,
)
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

if TYPE_CHECKING:
    from products.access.tokens import TokenUser


class AnonymousCaller:
    """A caller without a token, where there are no users in SQL to be anonymous among."""

    is_authenticated = False


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``."""

    def authenticate(self, request: Request) -> "tuple[TokenUser, None] | None":
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        from products.access.tokens import TokenRefused, verify  # noqa: PLC0415 # most callers of a reader bring none

        try:
            return verify(token.strip()), None
        except TokenRefused as refusal:
            raise AuthenticationFailed(str(refusal)) from None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class CookieAuthentication(SessionAuthentication):
    """DRF's own; without a session's cookie there is nobody to look for."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        return (
            super().authenticate(request)
            if settings.SESSION_COOKIE_NAME in request.COOKIES
            else None
        )
