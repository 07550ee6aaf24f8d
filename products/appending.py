"""Appending planned writes to the change log, and remembering the answers to requests. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from products.batch import claims_name
from products.changes import Change, Origin
from products.errors import CatalogueError, NameTaken, VersionTaken
from products.idempotency import DuplicateRequest, IdempotencyKeyReused, IdempotencyRecord, Outcome
from products.planning import ChangeReader, read_change
from products.writes import Accepted, WritesRefused


class ChangeLog(ChangeReader, Protocol):
    """The change log, as far as accepting needs it. Methods may raise DependencyUnavailable."""

    def append(self, changes: Sequence[Change], record: IdempotencyRecord | None = None) -> None:
        """Append the changes and the answer to remember in one transaction: all or nothing.

        The changes have one origin and are of different products.

        Raises: VersionTaken, NameTaken, DuplicateRequest.
        """

    def name_owner(self, name: str) -> str | None:
        """Return the ID of the product that has the name."""

    def idempotency_record(self, actor: str, key: str, now: datetime) -> IdempotencyRecord | None:
        """Return what is remembered of an Idempotency-Key, unless it has expired."""

    def save_idempotency_record(
        self, origin: Origin, record: IdempotencyRecord, now: datetime
    ) -> None:
        """Remember the answer to a request that changed nothing. Raises: DuplicateRequest."""


class Doorbell(Protocol):
    """Notifies workers. The log is the truth, so a lost notification only delays the effects."""

    def notify(self, task: str, change: Change, *, delay: int = 0) -> None:
        """Send a message to a worker, visible after ``delay`` seconds.

        An unavailable queue raises nothing: the relay notifies again.
        """


def remembered_answer(log: ChangeLog, origin: Origin, now: datetime) -> list[Accepted] | None:
    """Return the answer that an earlier request with the same Idempotency-Key got.

    Raise IdempotencyKeyReused if the key was used for a different request.
    """
    key = origin.idempotency_key
    if key is None:
        return None
    record = log.idempotency_record(origin.actor, key.key, now)
    if record is None:
        return None
    if record.fingerprint != key.fingerprint:
        raise IdempotencyKeyReused
    return [_replay(log, outcome) for outcome in record.outcomes]


def _replay(log: ChangeLog, outcome: Outcome) -> Accepted:
    change = read_change(log, outcome.product_id, outcome.version)
    return Accepted(change.after, change if outcome.changed else None, replayed=True)


def append(log: ChangeLog, planned: Sequence[Accepted], origin: Origin, now: datetime) -> None:
    """Append the planned changes, and remember the answer, in one transaction.

    Raises: VersionTaken and DuplicateRequest when another request was first; WritesRefused with
    NameTaken by position.
    """
    changes = [accepted.change for accepted in planned if accepted.change]
    record = _record_of(planned, origin)
    if not changes:
        if record:
            log.save_idempotency_record(origin, record, now)
        return
    try:
        log.append(changes, record)
    except (VersionTaken, DuplicateRequest):
        if not _is_appended(log, changes[0]):
            raise
    except NameTaken as refusal:
        raise_for_taken_names(log, planned)
        # The name is free again by now, but the transaction did find it taken.
        position = _position_of_name(planned, refusal.name)
        raise WritesRefused({position: refusal}) from refusal


def _is_appended(log: ChangeLog, change: Change) -> bool:
    """Whether the log holds this very change.

    The AWS client retries a call that timed out. The retry can find the version taken by its own
    first attempt.
    """
    existing = log.change(change.product_id, change.version)
    return existing is not None and existing.change_id == change.change_id


def raise_for_taken_names(log: ChangeLog, planned: Sequence[Accepted]) -> None:
    """Raise WritesRefused for each claimed name that another product has."""
    refusals: dict[int, CatalogueError] = {}
    for position, accepted in enumerate(planned):
        change = accepted.change
        if change is None or not claims_name(change):
            continue
        owner = log.name_owner(change.after.name)
        if owner is not None and owner != change.product_id:
            refusals[position] = NameTaken(change.after.name, owner)
    if refusals:
        raise WritesRefused(refusals)


def _record_of(planned: Sequence[Accepted], origin: Origin) -> IdempotencyRecord | None:
    """Return the answer to remember; None for a request without an Idempotency-Key."""
    if origin.idempotency_key is None:
        return None
    outcomes = [
        Outcome(
            accepted.product.product_id,
            accepted.product.version,
            changed=accepted.change is not None,
        )
        for accepted in planned
    ]
    return IdempotencyRecord(origin.idempotency_key.fingerprint, tuple(outcomes))


def _position_of_name(planned: Sequence[Accepted], name: str) -> int:
    """Return the position of the write that claims the name."""
    return next(
        position
        for position, accepted in enumerate(planned)
        if accepted.change and accepted.product.name == name
    )
