"""The terms of a write: how long its caller would wait, on which version it insists, whether it may be repeated."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request

from products.api.middleware import request_id
from products.api.queries import choice, read_parameters
from products.changes import Effect, Origin
from products.errors import Invalid
from products.idempotency import IdempotencyKey

MAX_WAIT_SECONDS = 10
PREFERENCE = re.compile(r'(?:"[^"]*"|[^,;])+')  # a comma in quotes separates nothing


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a writer would wait (seconds), and for which effect."""

    seconds: float
    until: Effect

    @property
    def applied(self) -> str:
        return f"wait={self.seconds:g}, until={self.until}"


@dataclass(frozen=True, slots=True)
class WriteOptions:
    origin: Origin
    wait: Wait | None
    expected_version: int | None
    dry_run: bool


def read_write_options(request: Request) -> WriteOptions:
    """Invalid names every header and parameter that can't be understood."""
    dry_run = read_parameters(
        request.query_params, {"dryRun": ("dry_run", choice(true=True, false=False))}
    )
    origin = Origin(
        actor=request.user.get_username(),
        source="api",
        request_id=request_id(request),
        idempotency_key=_idempotency_key_of(request),
    )
    return WriteOptions(
        origin, _wait_of(request), _only_if_of(request), dry_run.get("dry_run", False)
    )


def _wait_of(request: Request) -> Wait | None:
    """``Prefer: wait=N; until=…`` (RFC 7240); N is cut at WAIT_MOST. Preferences we don't know are ignored."""
    preferences: dict[str, str] = {}
    asked = 0
    for part in PREFERENCE.findall(request.headers.get("Prefer", "")):
        name, _, value = part.strip().partition("=")
        preferences.setdefault(name.strip().lower(), value.strip().strip('"'))
        asked += name.strip().lower() == "until"
    if "wait" not in preferences:
        return None
    until = preferences.get("until", Effect.STORED)
    if not re.fullmatch(r"[0-9]{1,9}", preferences["wait"]):
        raise Invalid({"Prefer": ["wait must be a whole number of seconds."]})
    if until not in list(Effect) or preferences.keys() & set(
        Effect
    ):  # until=stored,purged says two
        raise Invalid({"Prefer": [f"until must be one of {', '.join(Effect)}."]})
    if asked > 1:
        raise Invalid(
            {
                "Prefer": [
                    "until must be given once: audited, searchable and purged have no common order."
                ]
            }
        )
    return Wait(min(int(preferences["wait"]), MAX_WAIT_SECONDS), Effect(until))


def _only_if_of(request: Request) -> int | None:
    """The version ``If-Match`` insists on; None without the header, or with ``*``.

    A cache that compresses makes our tags weak; the version they name is exact all the same.
    """
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return None
    match = re.fullmatch(r'(?:W/)?"v([0-9]{1,12})"', given.strip())
    if not match:
        raise Invalid({"If-Match": ['Must be the one ETag of the product, such as "v3".']})
    return int(match[1])


def _idempotency_key_of(request: Request) -> IdempotencyKey | None:
    """``Idempotency-Key`` with a hash of all the request asks, so that a key used for something else is noticed."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        raise Invalid(
            {"Idempotency-Key": ["Must be 1 to 255 printable ASCII characters without spaces."]}
        )
    data: Any = request.data
    asked = [request.method, request.get_full_path(), request.headers.get("If-Match", ""), data]
    # Before any rule is checked, so whatever was sent must be hashed as it came: amounts unrounded, texts escaped.
    return IdempotencyKey(
        key, hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
    )
