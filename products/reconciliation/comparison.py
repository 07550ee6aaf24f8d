"""Whether what follows from the log is so: one product's log against its record, claims, document, audit trail. Pure.

The log is read first and everything else after it. An effect is stamped after it has come about, so whatever the log
says is done must be found; what is still open may be found or not.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from products.changes import Change, Effect, audit_hash, canonical_json
from products.documents import to_document
from products.product import Product, normalised_name
from products.reconciliation.differences import Difference, Kind, Observed
from products.reconciliation.product_log import ProductLog, difference_of, overdue_cause

# The audit trail


def audit_difference(log: ProductLog, change: Change, body: bytes | None) -> Difference | None:
    """Of one sound change, with what stands under its key in S3."""
    if body is not None:
        if audit_hash(change) == hash_of(body):
            return None
        return difference_of(
            Kind.AUDIT_ALTERED, change, "the audit record in S3 is not the one that was written"
        )
    if Effect.AUDITED in change.done:
        at = change.done[Effect.AUDITED]
        return difference_of(
            Kind.AUDIT_MISSING,
            change,
            f"it was written at {at:%Y-%m-%d %H:%M:%S} and is gone from S3",
        )
    if log.is_overdue(change, Effect.AUDITED):
        return difference_of(Kind.AUDIT_MISSING, change, overdue_cause(change, Effect.AUDITED))
    return None


def hash_of(body: bytes) -> str:
    """As ``audit_hash``, of what stands in S3."""
    return hashlib.sha256(body).hexdigest()


# Records and documents


@dataclass(frozen=True, slots=True)
class Replica:
    """What a record and a document have in common: each is the product after the newest version it was given."""

    effect: Effect
    name: str
    missing: Kind
    behind: Kind
    differs: Kind
    of_no_change: Kind
    content_of: Callable[[Product], Any]


def _document(product: Product) -> Any:
    return json.loads(canonical_json(to_document(product)))


RECORD = Replica(
    Effect.STORED,
    "the record",
    Kind.RECORD_MISSING,
    Kind.RECORD_BEHIND,
    Kind.RECORD_DIFFERS,
    Kind.RECORD_OF_NO_CHANGE,
    lambda product: product,
)
DOCUMENT = Replica(
    Effect.SEARCHABLE,
    "the document in the search index",
    Kind.DOCUMENT_MISSING,
    Kind.DOCUMENT_BEHIND,
    Kind.DOCUMENT_DIFFERS,
    Kind.DOCUMENT_OF_NO_CHANGE,
    _document,
)


def replica_difference(
    copy: Replica,
    log: ProductLog,
    standing: Observed | None,
    change: Callable[[str, int], Change | None],
) -> Difference | None:
    """How a record or document differs from what the log owes; ``change`` reads one change that is not the newest."""
    newest, owed = log.newest, log.expected_version(copy.effect)
    if newest is None or not log.is_intact:
        return None  # the log itself is in doubt, and has been reported

    def found(kind: Kind, cause: str, version: int) -> Difference:
        return Difference(
            kind,
            log.product_id,
            cause,
            version,
            observed_version=standing.version if standing else None,
        )

    if standing is None:
        return (
            found(copy.missing, f"{copy.name} is not there: {_why(copy, log, owed)}", owed)
            if owed
            else None
        )
    if standing.content is None or standing.version is None:
        return found(
            copy.differs,
            f"{copy.name} can't be read, or its index keys do not fit it",
            owed or newest.version,
        )
    if standing.version < owed:
        at = f"{copy.name} is at v{standing.version}, the log at v{newest.version}: {_why(copy, log, owed)}"
        return found(copy.behind, at, owed)
    return _content_difference(
        copy, log, standing, newest if standing.version == newest.version else change
    )


def _content_difference(
    copy: Replica,
    log: ProductLog,
    standing: Observed,
    source: Change | Callable[[str, int], Change | None],
) -> Difference | None:
    version = standing.version or 0
    change = source if isinstance(source, Change) else source(log.product_id, version)
    if change is None:
        cause, owed = (
            f"{copy.name} is at v{version}, which nobody accepted",
            log.newest.version if log.newest else 0,
        )
        return Difference(copy.of_no_change, log.product_id, cause, owed, observed_version=version)
    if copy.content_of(change.after) != standing.content:
        cause = f"{copy.name} says v{version}, but not what v{version} says"
        return Difference(copy.differs, log.product_id, cause, version, observed_version=version)
    return None


def _why(copy: Replica, log: ProductLog, owed: int) -> str:
    late = [
        change for change, effect in log.overdue if (effect, change.version) == (copy.effect, owed)
    ]
    if late:
        return overdue_cause(late[-1], copy.effect)
    return f"v{owed} was {copy.effect}, and it was lost or set back afterwards"


def late_differences(log: ProductLog, reported: Iterable[Difference]) -> list[Difference]:
    """Effects that are late, as far as no difference of a record, document or audit record has named them yet."""
    by_kind = {
        Effect.STORED: {Kind.RECORD_MISSING, Kind.RECORD_BEHIND},
        Effect.SEARCHABLE: {Kind.DOCUMENT_MISSING, Kind.DOCUMENT_BEHIND},
        Effect.AUDITED: {Kind.AUDIT_MISSING},
        Effect.PURGED: set(),
    }
    named = {(difference.kind, difference.version) for difference in reported}
    return [
        difference_of(
            Kind.EFFECT_LATE,
            change,
            overdue_cause(change, effect),
            subject=f"v{change.version} {effect}",
        )
        for change, effect in log.overdue
        if not any((kind, change.version) in named for kind in by_kind[effect])
    ]


# Names


def claim_differences(log: ProductLog, owners: Mapping[str, str]) -> list[Difference]:
    """Its newest name must be claimed by the product, and no former one; ``owners`` by the normalised name."""
    if log.newest is None or not log.is_intact:
        return []
    current = normalised_name(log.newest.after.name)
    found = []
    for normalised, name in log.names.items():
        owner = owners.get(normalised)
        if normalised == current and owner is None:
            found.append(
                difference_of(
                    Kind.CLAIM_MISSING,
                    log.newest,
                    f"nothing keeps others from its name {name!r}",
                    subject=name,
                )
            )
        elif normalised == current and owner != log.product_id:
            cause = f"its name {name!r} is claimed by {owner!r}"
            found.append(difference_of(Kind.CLAIM_OF_OTHER, log.newest, cause, subject=name))
        elif normalised != current and owner == log.product_id:
            cause = f"it still claims {name!r}, which it gave up"
            found.append(difference_of(Kind.CLAIM_LEFT, log.newest, cause, subject=name))
    return found
