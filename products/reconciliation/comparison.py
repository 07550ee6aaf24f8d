"""Compare one product's log with its record, its document and its name claims. Pure.

The log is read first and everything else after it. An effect is stamped after it has taken place,
so every effect that the log says is done must be observed. An open effect may be observed or not.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from products.changes import Change, Effect, canonical_json
from products.product import Product, normalised_name
from products.reconciliation.differences import Difference, Kind, Observed
from products.reconciliation.product_log import ProductLog, difference_of, overdue_cause
from products.search.document import to_search_document

# Records and documents


@dataclass(frozen=True, slots=True)
class Replica:
    """A copy of the product at its newest version: the record, or the document for searches.

    The kinds name its differences, and ``content_of`` gives the content expected for a product.
    """

    effect: Effect
    name: str
    missing: Kind
    behind: Kind
    differs: Kind
    of_no_change: Kind
    content_of: Callable[[Product], Any]


def _product(product: Product) -> Product:
    return product


def _document(product: Product) -> Any:
    return json.loads(canonical_json(to_search_document(product)))


RECORD = Replica(
    effect=Effect.STORED,
    name="the record",
    missing=Kind.RECORD_MISSING,
    behind=Kind.RECORD_BEHIND,
    differs=Kind.RECORD_DIFFERS,
    of_no_change=Kind.RECORD_OF_NO_CHANGE,
    content_of=_product,
)
DOCUMENT = Replica(
    effect=Effect.SEARCHABLE,
    name="the document in the search index",
    missing=Kind.DOCUMENT_MISSING,
    behind=Kind.DOCUMENT_BEHIND,
    differs=Kind.DOCUMENT_DIFFERS,
    of_no_change=Kind.DOCUMENT_OF_NO_CHANGE,
    content_of=_document,
)


def replica_difference(
    replica: Replica,
    log: ProductLog,
    observed: Observed | None,
    read_change: Callable[[str, int], Change | None],
) -> Difference | None:
    """Compare a replica with the version that the log expects.

    ``read_change`` reads a change that is not the newest. The result is None for a log that is not
    intact: that difference is reported already, and the log proves nothing about the replica.
    """
    newest = log.newest
    if newest is None or not log.is_intact:
        return None
    expected = log.expected_version(replica.effect)
    if observed is None:
        return _missing_replica(replica, log, expected) if expected else None
    if observed.content is None or observed.version is None:
        cause = f"{replica.name} can't be read, or its index keys do not match its content"
        version = expected or newest.version
        return _difference(replica.differs, log, cause, version, observed.version)
    if observed.version < expected:
        reason = _lag_reason(replica, log, expected)
        cause = f"{replica.name} is at v{observed.version}, the log at v{newest.version}: {reason}"
        return _difference(replica.behind, log, cause, expected, observed.version)
    if observed.version == newest.version:
        change: Change | None = newest
    else:
        change = read_change(log.product_id, observed.version)
    return _content_difference(replica, log, observed, change)


def _missing_replica(replica: Replica, log: ProductLog, expected: int) -> Difference:
    cause = f"{replica.name} is missing: {_lag_reason(replica, log, expected)}"
    return _difference(replica.missing, log, cause, expected, None)


def _content_difference(
    replica: Replica, log: ProductLog, observed: Observed, change: Change | None
) -> Difference | None:
    """Compare the replica with the change of its version; None when there is no such change."""
    version = observed.version or 0
    if change is None:
        cause = f"{replica.name} is at v{version}, which was never accepted"
        newest_version = log.newest.version if log.newest else 0
        return _difference(replica.of_no_change, log, cause, newest_version, version)
    if replica.content_of(change.after) != observed.content:
        cause = f"{replica.name} is at v{version}, but its content differs from v{version}"
        return _difference(replica.differs, log, cause, version, version)
    return None


def _difference(
    kind: Kind, log: ProductLog, cause: str, version: int, observed_version: int | None
) -> Difference:
    return Difference(kind, log.product_id, cause, version, observed_version=observed_version)


def _lag_reason(replica: Replica, log: ProductLog, expected: int) -> str:
    """Return why the replica has not reached the expected version."""
    overdue = [
        change
        for change, effect in log.overdue
        if effect == replica.effect and change.version == expected
    ]
    if overdue:
        return overdue_cause(overdue[-1], replica.effect)
    return f"v{expected} was {replica.effect}, and was lost or reverted afterwards"


KINDS_OF_OVERDUE_EFFECTS: dict[Effect, set[Kind]] = {
    Effect.STORED: {Kind.RECORD_MISSING, Kind.RECORD_BEHIND},
    Effect.SEARCHABLE: {Kind.DOCUMENT_MISSING, Kind.DOCUMENT_BEHIND},
    Effect.AUDITED: {Kind.AUDIT_MISSING},
    Effect.PURGED: set(),
}
"""The differences that already report an effect as overdue."""


def overdue_differences(log: ProductLog, reported: Iterable[Difference]) -> list[Difference]:
    """Return the overdue effects that no reported difference explains."""
    explained = {(difference.kind, difference.version) for difference in reported}
    found = []
    for change, effect in log.overdue:
        kinds = KINDS_OF_OVERDUE_EFFECTS[effect]
        if any((kind, change.version) in explained for kind in kinds):
            continue
        cause = overdue_cause(change, effect)
        subject = f"v{change.version} {effect}"
        found.append(difference_of(Kind.EFFECT_LATE, change, cause, subject=subject))
    return found


# Names


def claim_differences(log: ProductLog, owners: Mapping[str, str]) -> list[Difference]:
    """Compare the name claims: the product must claim its current name and no former one.

    ``owners`` holds the ids of the claiming products by the normalised name.
    """
    if log.newest is None or not log.is_intact:
        return []
    current = normalised_name(log.newest.after.name)
    found = []
    for normalised, name in log.names.items():
        owner = owners.get(normalised)
        if normalised == current:
            difference = _current_claim_difference(log.newest, name, owner)
        else:
            difference = _former_claim_difference(log.newest, name, owner)
        if difference:
            found.append(difference)
    return found


def _current_claim_difference(newest: Change, name: str, owner: str | None) -> Difference | None:
    if owner is None:
        cause = f"its name {name!r} is not claimed, so another product could take it"
        return difference_of(Kind.CLAIM_MISSING, newest, cause, subject=name)
    if owner != newest.product_id:
        cause = f"its name {name!r} is claimed by {owner!r}"
        return difference_of(Kind.CLAIM_OF_OTHER, newest, cause, subject=name)
    return None


def _former_claim_difference(newest: Change, name: str, owner: str | None) -> Difference | None:
    if owner != newest.product_id:
        return None
    cause = f"it still claims its former name {name!r}"
    return difference_of(Kind.CLAIM_LEFT, newest, cause, subject=name)
