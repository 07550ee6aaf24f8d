"""API tokens: signed, expiring, bound to a user, checked without SQL, and revoked within a minute.

Our own are HS256 under the first of ``TOKEN_KEYS``; the others still verify, so keys can be rotated. Where an external
issuer is configured (``JWKS_URL``, e.g. Cognito's), its tokens are taken as well, with the permissions of its groups.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import jwt
from django.conf import settings

from products.access.groups import GROUPS
from products.bootstrap import new_id, now, revocations
from products.errors import CatalogueError, DependencyUnavailable
from products.models import ApiToken

AUDIENCE = "bbws-products"
OWN, FOREIGN = ["HS256"], ["RS256", "ES256"]
REVOKED_FOR_SURE = timedelta(seconds=60)
"""How long a process trusts that a token it has looked up is not revoked."""


class TokenRefused(CatalogueError):
    """The token is expired, revoked, altered or foreign; the sentence says which."""


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


def issue(user: Any, *, label: str, lifetime: timedelta) -> tuple[ApiToken, str]:
    """A token with the product permissions ``user`` has now, and its list entry; only the caller ever sees it."""
    at = now()
    listed = ApiToken.objects.create(
        token_id=new_id(), user=user, label=label, created_at=at, expires_at=at + lifetime
    )
    held = user.get_all_permissions()
    permissions = sorted(p for p in held if p.startswith("products.") and p.endswith("_product"))
    return listed, sign(user, permissions, at=at, lifetime=lifetime, token_id=listed.token_id)


def sign(
    user: Any, permissions: list[str], *, at: datetime, lifetime: timedelta, token_id: str
) -> str:
    claims = {
        "sub": user.get_username(),
        "permissions": permissions,
        "iat": at,
        "exp": at + lifetime,
        "jti": token_id,
        "aud": AUDIENCE,
    }
    key = settings.TOKEN_KEYS[0]
    return jwt.encode(claims, key, algorithm=OWN[0], headers={"kid": _key_id(key)})


def revoke(token: ApiToken) -> None:
    """Refuse the token from now on; processes that trust it still do so for a minute at most."""
    revocations().revoke(token.token_id, token.expires_at)
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now())


def verify(token: str) -> TokenUser:
    """The user the token speaks for; TokenRefused, or EngineAway when it can't be looked up."""
    try:
        if settings.JWKS_URL and jwt.get_unverified_header(token).get("alg") in FOREIGN:
            return _verify_external(token)
        claims = _verify_own(token)
    except jwt.PyJWKClientConnectionError as fault:
        raise DependencyUnavailable("The token issuer") from fault
    except jwt.ExpiredSignatureError:
        raise TokenRefused("The token has expired; issue a new one.") from None
    except jwt.PyJWTError:
        raise TokenRefused("The token is not valid.") from None
    if _trusted.is_revoked(claims["jti"], now()):
        raise TokenRefused("The token has been revoked.")
    return TokenUser(claims["sub"], frozenset(claims.get("permissions", ())))


def _verify_own(token: str) -> dict[str, Any]:
    key_id = jwt.get_unverified_header(token).get("kid")
    key = next(
        (key for key in settings.TOKEN_KEYS if _key_id(key) == key_id), settings.TOKEN_KEYS[0]
    )
    options: Any = {"require": ["exp", "sub", "jti"]}
    return dict(jwt.decode(token, key, algorithms=OWN, audience=AUDIENCE, options=options))


def _verify_external(token: str) -> TokenUser:
    key = _issuer_keys(settings.JWKS_URL).get_signing_key_from_jwt(token)
    options: Any = {"require": ["exp", "sub", "iss"], "verify_aud": bool(settings.JWKS_AUDIENCE)}
    audience, issuer = settings.JWKS_AUDIENCE or None, settings.JWKS_ISSUER
    claims = jwt.decode(
        token, key.key, algorithms=FOREIGN, audience=audience, issuer=issuer, options=options
    )
    groups = claims.get(settings.JWKS_GROUPS_CLAIM, ())
    permissions = {f"products.{verb}_product" for group in groups for verb in GROUPS.get(group, ())}
    return TokenUser(str(claims.get("username") or claims["sub"]), frozenset(permissions))


@cache
def _issuer_keys(url: str) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(url, lifespan=300, timeout=3)


def _key_id(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]


@dataclass(slots=True)
class _Trusted:
    """The tokens this process has lately looked up and found not revoked."""

    until: dict[str, datetime] = field(default_factory=dict)

    def is_revoked(self, token_id: str, at: datetime) -> bool:
        if self.until.get(token_id, at) > at:
            return False
        if revocations().is_revoked(token_id):
            return True
        if len(self.until) > 10_000:
            self.until.clear()
        self.until[token_id] = at + REVOKED_FOR_SURE
        return False


_trusted = _Trusted()


def forget_verified_tokens() -> None:
    """Look every token up again."""
    _trusted.until.clear()
