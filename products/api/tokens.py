"""Expiring API tokens, bound to a user and checked without a database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from django.conf import settings
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

ALGORITHM, AUDIENCE = "HS256", "bbws-products"


@dataclass(frozen=True, slots=True)
class TokenUser:
    """The user a token speaks for, with the permissions it was issued with."""

    username: str
    permissions: frozenset[str]
    is_authenticated = True
    is_active = True
    is_anonymous = False
    pk = None

    def has_perm(self, permission: str) -> bool:
        return permission in self.permissions

    def get_username(self) -> str:
        return self.username

    def __str__(self) -> str:
        return self.username


def issue(user: Any, *, at: datetime, lifetime: timedelta, token_id: str) -> str:
    """A token with the product permissions ``user`` has now."""
    permissions = sorted(p for p in user.get_all_permissions() if p.startswith("products."))
    claims = {
        "sub": user.get_username(),
        "permissions": permissions,
        "iat": at,
        "exp": at + lifetime,
        "jti": token_id,
        "aud": AUDIENCE,
    }
    return jwt.encode(claims, settings.TOKEN_KEY, algorithm=ALGORITHM)


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``."""

    def authenticate(self, request: Request) -> tuple[TokenUser, dict[str, Any]] | None:
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            claims = jwt.decode(
                token.strip(),
                settings.TOKEN_KEY,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["exp", "sub"]},
            )
        except jwt.ExpiredSignatureError:
            raise AuthenticationFailed("The token has expired; issue a new one.") from None
        except jwt.InvalidTokenError:
            raise AuthenticationFailed("The token is not valid.") from None
        return TokenUser(claims["sub"], frozenset(claims.get("permissions", ()))), claims

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
