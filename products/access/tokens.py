"""API tokens: signed JWTs of a user that expire, need no SQL to verify, and can be revoked.

Our own tokens are signed with HS256 and the first of ``TOKEN_KEYS``. The other keys still verify,
so keys can be rotated. If an external issuer such as Cognito is configured (``JWKS_URL``), its
tokens are accepted too, with the permissions of the groups they name.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol

import jwt
from django.conf import settings

from products.access.groups import GROUPS
from products.authority import Authority, AuthorityKind
from products.bootstrap import new_id, now, revocations
from products.errors import CatalogueError, DependencyUnavailable
from products.models import ApiToken
from products.permissions import permissions_among

AUDIENCE = "bbws-products"
OWN_ALGORITHM = "HS256"
EXTERNAL_ALGORITHMS = ["RS256", "ES256"]
REVOCATION_DELAY = timedelta(seconds=60)
"""How long a process caches that a token is not revoked."""
MAX_CACHED_TOKENS = 10_000
MAX_GROUPS = 1000
VALID_USERNAME = re.compile(r"[\w.@+:|/-]{1,150}", re.ASCII)
"""Names of our users, subjects such as UUIDs, and those with the name of a provider in front."""
INVALID = "The token is not valid."


class TokenRefused(CatalogueError):
    """The token is expired, revoked or invalid; the sentence says which."""


class NamedUser(Protocol):
    """A user to sign a token for."""

    def get_username(self) -> str:
        """Return the name that the token will carry."""


class TokenOwner(NamedUser, Protocol):
    """A user to issue a token to."""

    def get_all_permissions(self) -> set[str]:
        """Return the permissions of the user and the user's groups."""


@dataclass(frozen=True, slots=True)
class TokenUser:
    """The user of a verified token, with the token's permissions.

    It has the part of Django's user interface that requests need.
    """

    username: str
    permissions: frozenset[str]
    authority: Authority
    is_authenticated = True
    is_active = True
    is_anonymous = False
    pk = None

    def has_perm(self, permission: str) -> bool:
        """Return whether the token has the permission."""
        return permission in self.permissions

    def get_username(self) -> str:
        """Return the user's name."""
        return self.username

    def __str__(self) -> str:
        return self.username


def issue(user: TokenOwner, *, label: str, lifetime: timedelta) -> tuple[ApiToken, str]:
    """Issue a token with the product permissions that the user has now.

    Return its entry in the list of tokens, and the token. The token itself is not stored.
    """
    at = now()
    entry = ApiToken.objects.create(
        token_id=new_id(), user=user, label=label, created_at=at, expires_at=at + lifetime
    )
    permissions = sorted(map(str, permissions_among(user.get_all_permissions())))
    token = sign(user, permissions, at=at, lifetime=lifetime, token_id=entry.token_id)
    return entry, token


def sign(
    user: NamedUser, permissions: list[str], *, at: datetime, lifetime: timedelta, token_id: str
) -> str:
    """Return a signed token that is valid for ``lifetime`` from ``at``."""
    claims = {
        "sub": user.get_username(),
        "permissions": permissions,
        "iat": at,
        "exp": at + lifetime,
        "jti": token_id,
        "aud": AUDIENCE,
    }
    key = settings.TOKEN_KEYS[0]
    return jwt.encode(claims, key, algorithm=OWN_ALGORITHM, headers={"kid": _key_id(key)})


def revoke(token: ApiToken) -> None:
    """Revoke the token. Each process refuses it within REVOCATION_DELAY."""
    revocations().revoke(token.token_id, token.expires_at)
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now())


def revoke_all(user: TokenOwner) -> None:
    """Revoke the tokens of a user whose account ends. Those that have expired need nothing."""
    for token in ApiToken.objects.filter(user=user, revoked_at=None, expires_at__gt=now()):
        revoke(token)


def verify(token: str) -> TokenUser:
    """Return the user of a token.

    Raises: TokenRefused, or DependencyUnavailable when the issuer's keys or the revocations cannot
    be read.
    """
    try:
        if _is_external(token):
            return _verify_external(token)
        claims = _verify_own(token)
    except jwt.PyJWKClientConnectionError as error:
        raise DependencyUnavailable("The token issuer") from error
    except jwt.ExpiredSignatureError:
        raise TokenRefused("The token has expired; issue a new one.") from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError):  # the latter from odd claims
        raise TokenRefused(INVALID) from None
    if _revocation_cache.is_revoked(claims["jti"], now()):
        raise TokenRefused("The token has been revoked.")
    authority = Authority(AuthorityKind.TOKEN, claims["jti"])
    return TokenUser(claims["sub"], frozenset(claims.get("permissions", ())), authority)


def _is_external(token: str) -> bool:
    if not settings.JWKS_URL:
        return False
    return jwt.get_unverified_header(token).get("alg") in EXTERNAL_ALGORITHMS


def _verify_own(token: str) -> dict[str, Any]:
    key_id = jwt.get_unverified_header(token).get("kid")
    named = (key for key in settings.TOKEN_KEYS if _key_id(key) == key_id)
    key = next(named, settings.TOKEN_KEYS[0])
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[OWN_ALGORITHM],
        audience=AUDIENCE,
        options={"require": ["exp", "sub", "jti"]},
    )
    return claims


def _verify_external(token: str) -> TokenUser:
    """Return the user of an external issuer's token, with the permissions of our groups."""
    key = _issuer_keys(settings.JWKS_URL).get_signing_key_from_jwt(token)
    if key.algorithm_name not in EXTERNAL_ALGORITHMS:
        raise TokenRefused(INVALID)
    claims = jwt.decode(
        token,
        key.key,
        algorithms=[key.algorithm_name],
        audience=settings.JWKS_AUDIENCE,
        issuer=settings.JWKS_ISSUER,
        options={"require": ["exp", "sub", "iss", "aud"]},
    )
    verbs = {verb for group in _groups_in(claims) for verb in GROUPS.get(group, ())}
    permissions = frozenset(f"products.{verb}_product" for verb in verbs)
    return TokenUser(_username_in(claims), permissions, Authority(AuthorityKind.ISSUER))


def _username_in(claims: Mapping[str, Any]) -> str:
    """Return the name in an external token, which becomes the actor of changes.

    Raises: TokenRefused for one that no user of ours could have.
    """
    username = claims.get("username") or claims["sub"]
    if not isinstance(username, str) or not VALID_USERNAME.fullmatch(username):
        raise TokenRefused(INVALID)
    return username


def _groups_in(claims: Mapping[str, Any]) -> list[str]:
    groups = claims.get(settings.JWKS_GROUPS_CLAIM, [])
    if not isinstance(groups, list) or len(groups) > MAX_GROUPS:
        raise TokenRefused(INVALID)
    return [group for group in groups if isinstance(group, str)]


@cache
def _issuer_keys(url: str) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(url, lifespan=300, timeout=3)


def _key_id(key: str) -> str:
    """Return the short hash that names the key in a token's header (``kid``)."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


@dataclass(slots=True)
class _RevocationCache:
    """Remember for REVOCATION_DELAY which tokens are not revoked."""

    valid_until: dict[str, datetime] = field(default_factory=dict)

    def is_revoked(self, token_id: str, at: datetime) -> bool:
        if self.valid_until.get(token_id, at) > at:
            return False
        if revocations().is_revoked(token_id):
            return True
        if len(self.valid_until) > MAX_CACHED_TOKENS:
            self.valid_until.clear()
        self.valid_until[token_id] = at + REVOCATION_DELAY
        return False


_revocation_cache = _RevocationCache()


def forget_verified_tokens() -> None:
    """Look up all tokens again."""
    _revocation_cache.valid_until.clear()
