"""Compares the responses of a real OpenSearch node and the embedded engine to one request."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from products.adapters.opensearch.queries import ID, ids_in
from tests.search.recording import Recorded


@dataclass(frozen=True, slots=True)
class Unread:
    """A difference that the product does not read, at places that match the pattern."""

    name: str
    place: str
    reason: str
    method: str = ""  # of the client; "" for any


UNREAD = (
    Unread("duration", r"\.took", "nobody reads how long a request took"),
    Unread("index id", r".*\.index_uuid", "part of an error; only its type and reason are read"),
    Unread("early end", r"\.terminated_early", "counts are read, which do not end early"),
    Unread(
        "cluster",
        r"\.(?!status$).+",
        "only the status is read; the numbers count shards and tasks of other indexes too",
        method="cluster.health",
    ),
)
"""All differences that are accepted, with the reason."""


def differences(
    request: Recorded, real: tuple[int, Any], embedded: tuple[int, Any]
) -> Iterator[str]:
    """Yield what differs, as sentences that begin with the place in the response."""
    if real[0] != embedded[0]:
        yield f"status: {real[0]} on the real node, {embedded[0]} on the embedded engine"
        return
    left, right = real[1], embedded[1]
    if _is_scored(request):
        left, right = _sorted_hits(left), _sorted_hits(right)
    method = request.site.method if request.site else ""
    accepted = [unread for unread in UNREAD if unread.method in ("", method)]
    for place, sentence in _compared("", left, right):
        if not any(re.fullmatch(unread.place, place) for unread in accepted):
            yield f"{place or 'all of it'}: {sentence}"


def _is_scored(request: Recorded) -> bool:
    body = request.body
    return isinstance(body, dict) and "docvalue_fields" in body and "sort" not in body


def _sorted_hits(response: Any) -> Any:
    """Return the response with its hits as the product orders them."""
    if "hits" not in response:
        return response
    places = {product_id: place for place, product_id in enumerate(ids_in(response))}
    hits = sorted(response["hits"]["hits"], key=lambda hit: places[hit["fields"][ID][0]])
    return response | {"hits": response["hits"] | {"hits": hits}}


def _compared(place: str, real: Any, embedded: Any) -> Iterator[tuple[str, str]]:
    """Yield the places where two values differ, with what each engine has there."""
    if isinstance(real, dict) and isinstance(embedded, dict):
        for key in sorted(real.keys() ^ embedded.keys()):
            yield f"{place}.{key}", f"only the {'real' if key in real else 'embedded'} one has it"
        for key in sorted(real.keys() & embedded.keys()):
            yield from _compared(f"{place}.{key}", real[key], embedded[key])
    elif isinstance(real, list) and isinstance(embedded, list):
        if len(real) != len(embedded):
            yield place, f"{len(real)} on the real node, {len(embedded)} on the embedded engine"
        for number, (left, right) in enumerate(zip(real, embedded, strict=False)):
            yield from _compared(f"{place}[{number}]", left, right)
    elif real != embedded or isinstance(real, bool) != isinstance(embedded, bool):
        yield place, f"{real!r} on the real node, {embedded!r} on the embedded engine"
