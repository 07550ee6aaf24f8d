"""Who calls: the bearer of a token. Sessions are DRF's own business."""

from typing import TYPE_CHECKING

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

if TYPE_CHECKING:
    from products.tokens import TokenUser


class Nobody:
    """A caller without a token, where there are no users in SQL to be anonymous among."""

    is_authenticated = False


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``."""

    def authenticate(self, request: Request) -> "tuple[TokenUser, None] | None":
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        from products.tokens import TokenRefused, verified  # noqa: PLC0415 # most callers of a reader bring none

        try:
            return verified(token.strip()), None
        except TokenRefused as refusal:
            raise AuthenticationFailed(str(refusal)) from None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
