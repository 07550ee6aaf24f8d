"""The hash chain of the audit trail: what S3 alone proves of it, and what the log adds to that. Pure.

Each record holds the hash of the one before it, so a record is vouched for by its successor. The newest has none: that
it was altered, or that newer ones are gone, only the log can tell.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from products.changes import Change, Effect, audit_hash, audit_key
from products.reconciliation.comparison import hash_of
from products.reconciliation.differences import Difference, Kind, LogEntry
from products.reconciliation.verification import KEY


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One audit record as it stands in S3. ``version`` is 0 where it can't be read as one of this product and time."""

    product_id: str
    version: int
    key: str
    own_hash: str
    previous_hash: str | None


def audit_record_of(key: str, body: bytes) -> AuditRecord | None:
    """None when the key is not one of an audit record."""
    match = KEY.fullmatch(key)
    if match is None:
        return None
    try:
        record = json.loads(body)
        named = f"{record['productId']}_{record['timestamp'].replace('-', '').replace(':', '')}"
        genuine = (
            key.endswith(f"/{named}.json")
            and isinstance(record["version"], int)
            and record["version"] > 0
        )
        previous = record["previousHash"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return AuditRecord(match["product_id"], 0, key, hash_of(body), None)
    return AuditRecord(
        match["product_id"], record["version"] if genuine else 0, key, hash_of(body), previous
    )


def chain_differences(links: Sequence[AuditRecord], *, whole: bool = True) -> list[Difference]:
    """Of one product's records, by version; ``whole``: they should begin with version 1.

    From the newest back: a record is genuine if its hash is the one its genuine successor holds.
    """
    found = [
        _altered(link, "it can't be read as the record its key names")
        for link in links
        if not link.version
    ]
    unread = len(found)
    by_version: dict[int, list[AuditRecord]] = {}
    for link in links:
        if link.version:
            by_version.setdefault(link.version, []).append(link)
    successor: AuditRecord | None = None
    vouched = True  # whether what the successor says of its predecessor can be relied on
    above = max(by_version, default=0) + 1
    for version in sorted(by_version, reverse=True):
        gap = range(version + 1, above)
        found += [_missing(links[0].product_id, lacking) for lacking in gap][
            : max(0, len(gap) - unread)
        ]
        unread = max(0, unread - len(gap))
        successor = None if gap else successor
        genuine, vouched, wrong = _judged(
            by_version[version], successor, vouched=vouched or not successor
        )
        found += wrong
        successor, above = genuine, version
    lowest = range(1, above if whole else 1)
    found += [_missing(links[0].product_id, lacking) for lacking in lowest][
        : max(0, len(lowest) - unread)
    ]
    if whole and above == 1 and successor and successor.previous_hash is not None:
        found.append(_altered(successor, "it is the first, and yet it names a predecessor"))
    return found


def _judged(
    candidates: list[AuditRecord], successor: AuditRecord | None, *, vouched: bool
) -> tuple[AuditRecord, bool, list[Difference]]:
    """The record of a version that goes for the genuine one, whether it can be relied on, and what is wrong."""
    best = candidates[0]
    if successor is None:
        if len(candidates) == 1:
            return best, True, []
        return (
            best,
            False,
            [_inserted(link, "nothing tells which of them is genuine") for link in candidates],
        )
    fitting = [link for link in candidates if link.own_hash == successor.previous_hash]
    others = [link for link in candidates if link not in fitting[:1]]
    if fitting:
        return fitting[0], True, [_inserted(link, "another one is in the chain") for link in others]
    if vouched:
        wrong = [_altered(best, f"version {successor.version} holds another hash of it")]
        return (
            best,
            False,
            wrong + [_inserted(link, "it is not in the chain") for link in candidates[1:]],
        )
    cause = f"the record after it, {successor.key}, is not to be relied on, so nothing vouches for this one"
    return (
        best,
        True,
        [
            Difference(Kind.AUDIT_UNPROVEN, link.product_id, cause, link.version, link.key)
            for link in candidates
        ],
    )


def _altered(link: AuditRecord, why: str) -> Difference:
    return Difference(
        Kind.AUDIT_ALTERED,
        link.product_id,
        f"{link.key} was altered: {why}",
        link.version or None,
        link.key,
    )


def _inserted(link: AuditRecord, why: str) -> Difference:
    cause = (
        f"{link.key} was inserted: there are several records of version {link.version}, and {why}"
    )
    return Difference(Kind.AUDIT_OF_NO_CHANGE, link.product_id, cause, link.version, link.key)


def _missing(product_id: str, version: int) -> Difference:
    cause = "there is no audit record of it in S3, though there is one of a later version (it may still be under way)"
    return Difference(Kind.AUDIT_MISSING, product_id, cause, version, f"v{version}")


def log_differences(
    product_id: str, links: Sequence[AuditRecord], entries: Iterable[LogEntry]
) -> Iterator[Difference]:
    """Of one product's records against its log, which knows every key and every hash."""
    standing = {link.key: link for link in links}
    previous: Change | None = None
    for entry in entries:
        change = entry.change
        if (
            change is None
            or audit_hash(change) != change.record_hash
            or _is_loose(change, previous)
        ):
            cause = "what stands in the log is not what was accepted, so its audit record can't be told by it"
            yield Difference(
                Kind.CHANGE_ALTERED, product_id, cause, entry.version, f"v{entry.version}"
            )
        if change is None:
            continue
        previous = change
        link = standing.pop(audit_key(change), None)
        if link is None and Effect.AUDITED in change.done:
            cause = f"{audit_key(change)} was written, and is gone from S3"
            yield Difference(
                Kind.AUDIT_MISSING, product_id, cause, change.version, f"v{change.version}"
            )
        elif link and link.own_hash != change.record_hash:
            yield _altered(link, "the log says something else")
    for link in standing.values():
        cause = f"{link.key} was inserted: no change in the log has this key"
        yield Difference(Kind.AUDIT_OF_NO_CHANGE, product_id, cause, link.version or None, link.key)


def _is_loose(change: Change, previous: Change | None) -> bool:
    follows = previous is not None and previous.version + 1 == change.version
    return follows and previous is not None and change.previous_hash != previous.record_hash
