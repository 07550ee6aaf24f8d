"""The options of a write: how long to wait, the expected version, a dry run, an idempotency key."""

import hashlib
import json
import re
from dataclasses import dataclass

from rest_framework.request import Request

from products.api.etags import expected_version
from products.api.middleware import request_id
from products.api.parameters import WRITE_PARAMETERS, own_query, read_parameters
from products.api.permissions import permissions_of
from products.changes import Effect, Origin
from products.errors import Invalid
from products.idempotency import IdempotencyKey

MAX_WAIT_SECONDS = 10
PREFERENCE = re.compile(r'(?:"[^"]*"|[^,;])+')  # quoted commas do not separate preferences
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Wait:
    """How many seconds the caller waits at most, and for which effect."""

    seconds: float
    until: Effect

    @property
    def applied(self) -> str:
        """The value of the ``Preference-Applied`` header."""
        return f"wait={self.seconds:g}, until={self.until}"


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How a write is to be done: everything in the request but the edits."""

    origin: Origin
    wait: Wait | None
    expected_version: int | None
    dry_run: bool


def read_write_options(request: Request) -> WriteOptions:
    """Return the options of a write. Raise Invalid for a header or parameter that is wrong."""
    parameters = read_parameters(request.query_params, WRITE_PARAMETERS)
    origin = Origin(
        actor=request.user.get_username(),
        source="api",
        request_id=request_id(request),
        idempotency_key=idempotency_key_of(request),
        permissions=permissions_of(request),
    )
    return WriteOptions(
        origin=origin,
        wait=_wait_of(request),
        expected_version=expected_version(request),
        dry_run=parameters.get("dry_run", False),
    )


def _wait_of(request: Request) -> Wait | None:
    """Return the wait in ``Prefer: wait=N; until=EFFECT`` (RFC 7240).

    N is cut to MAX_WAIT_SECONDS. Unknown preferences are ignored, as the RFC requires.
    """
    pairs = _preferences_of(request)
    preferences: dict[str, str] = {}
    for name, value in pairs:
        preferences.setdefault(name, value)
    if "wait" not in preferences:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", preferences["wait"]):
        raise Invalid({"Prefer": ["wait must be a whole number of seconds."]})
    until = preferences.get("until", Effect.STORED)
    has_second_effect = bool(preferences.keys() & set(Effect))  # as in "until=stored,purged"
    if until not in list(Effect) or has_second_effect:
        raise Invalid({"Prefer": [f"until must be one of {', '.join(Effect)}."]})
    if [name for name, _ in pairs].count("until") > 1:
        sentence = "until must be given once: audited, searchable and purged have no common order."
        raise Invalid({"Prefer": [sentence]})
    seconds = min(int(preferences["wait"]), MAX_WAIT_SECONDS)
    return Wait(seconds, Effect(until))


def _preferences_of(request: Request) -> list[tuple[str, str]]:
    """Return the names and values in ``Prefer``, in their order; names in lower case."""
    pairs = []
    for part in PREFERENCE.findall(request.headers.get("Prefer", "")):
        name, _, value = part.strip().partition("=")
        unquoted = value.strip().strip('"')
        pairs.append((name.strip().lower(), unquoted))
    return pairs


def idempotency_key_of(request: Request) -> IdempotencyKey | None:
    """Return the ``Idempotency-Key`` with a hash of the request.

    The hash shows when a key is reused for another request. The body is hashed as it was sent,
    because no rule has been applied to it yet: amounts unrounded, text escaped.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise Invalid(
            {"Idempotency-Key": ["Must be 1 to 255 printable ASCII characters without spaces."]}
        )
    asked: list[object] = [
        request.method,
        f"{request.path}?{own_query(request.query_params).urlencode()}",
        request.headers.get("If-Match", ""),
        request.data,
    ]
    text = json.dumps(asked, sort_keys=True, default=str)
    return IdempotencyKey(key, hashlib.sha256(text.encode()).hexdigest())
