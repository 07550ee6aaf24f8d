"""Appending planned writes to the change log, and remembering the answers to requests. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from products.batch import claims_name
from products.changes import Change, Origin
from products.errors import CatalogueError, NameTaken, ProductExists, VersionTaken
from products.idempotency import DuplicateRequest, IdempotencyKeyReused, IdempotencyRecord, Outcome
from products.planning import ChangeReader, read_change
from products.writes import Accepted, Plan


@dataclass(frozen=True, slots=True)
class Obstacles:
    """Why a transaction was refused, as the change log reported it. Each is by product ID.

    ``versions`` has the ID of the change that took the version, None while another transaction is
    about to take it. ``names`` has the ID of the product that has the name. ``is_duplicate`` says
    that the request was answered before.
    """

    versions: Mapping[str, str | None]
    names: Mapping[str, str]
    is_duplicate: bool = False


class ChangeLog(ChangeReader, Protocol):
    """The change log, as far as accepting needs it. Methods may raise DependencyUnavailable."""

    def append(
        self, changes: Sequence[Change], record: IdempotencyRecord | None = None
    ) -> Obstacles | None:
        """Append the changes and the answer to remember in one transaction: all or nothing.

        The changes have one origin and are of different products. Return None when they are
        appended, else what was in the way.
        """

    def fits_transaction(self, changes: Sequence[Change], *, with_record: bool) -> bool:
        """Whether one transaction has room for the changes, and for a record of the answer."""

    def name_owner(self, name: str) -> str | None:
        """Return the ID of the product that has the name."""

    def idempotency_record(self, actor: str, key: str, now: datetime) -> IdempotencyRecord | None:
        """Return what is remembered of an Idempotency-Key, unless it has expired."""

    def save_idempotency_record(
        self, origin: Origin, record: IdempotencyRecord, now: datetime
    ) -> None:
        """Remember the answer to a request that changed nothing. Raises: DuplicateRequest."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A message to the workers of a task: bring about the task's effect of this change.

    It becomes visible after ``delay`` seconds.
    """

    task: str
    change: Change
    delay: int = 0


class Doorbell(Protocol):
    """Notifies workers. The log is the truth, so a lost notification only delays the effects."""

    def notify(self, notifications: Sequence[Notification]) -> None:
        """Send messages to the workers.

        An unavailable queue raises nothing: the relay notifies again.
        """

    def notify_job(self, job_id: str) -> None:
        """Send a message that a job has work left.

        An unavailable queue raises nothing: stalled jobs are requeued.
        """


def remembered_answer(log: ChangeLog, origin: Origin, now: datetime) -> list[Accepted]:
    """Return the answer that an earlier request with the same Idempotency-Key got.

    It is empty for the first request. Raise IdempotencyKeyReused if the key was used for a
    different request.
    """
    key = origin.idempotency_key
    if key is None:
        return []
    record = log.idempotency_record(origin.actor, key.key, now)
    if record is None:
        return []
    if record.fingerprint != key.fingerprint:
        raise IdempotencyKeyReused
    return [_replay(log, outcome) for outcome in record.outcomes]


def _replay(log: ChangeLog, outcome: Outcome) -> Accepted:
    change = read_change(log, outcome.product_id, outcome.version)
    return Accepted(change.after, change if outcome.changed else None, replayed=True)


def append(
    log: ChangeLog, plans: Sequence[Plan], origin: Origin, now: datetime
) -> dict[int, CatalogueError]:
    """Append the planned changes, and remember the answer, in one transaction.

    Return the refusals by position. Without any, everything is appended. VersionTaken and
    DuplicateRequest mean that another request was first: the writes may be planned again.
    """
    changes = [plan.change for plan in plans if plan.change]
    record = _record_of(plans, origin)
    if changes:
        obstacles = log.append(changes, record)
        return _refusals(plans, obstacles) if obstacles else {}
    if record:
        try:
            log.save_idempotency_record(origin, record, now)
        except DuplicateRequest as refusal:
            return {0: refusal}
    return {}


def _refusals(plans: Sequence[Plan], obstacles: Obstacles) -> dict[int, CatalogueError]:
    """Return the refusals of the writes, by position, for these obstacles."""
    changes = {position: plan.change for position, plan in enumerate(plans) if plan.change}
    # The AWS client retries a call that timed out, and finds what its own first attempt appended.
    # All changes or none are appended, so one of ours means all of them.
    if any(obstacles.versions.get(c.product_id) == c.change_id for c in changes.values()):
        return {}
    found = {position: _refusal(change, obstacles) for position, change in changes.items()}
    refusals = {position: refusal for position, refusal in found.items() if refusal}
    # Obstacles that concern no change are a lost race too: nothing was appended.
    if obstacles.is_duplicate or not refusals:
        return dict.fromkeys(changes, DuplicateRequest())
    return refusals


def _refusal(change: Change, obstacles: Obstacles) -> CatalogueError | None:
    if change.product_id in obstacles.versions:
        if change.before is None and obstacles.versions[change.product_id]:
            return ProductExists(change.product_id)
        return VersionTaken(f"Another request changed {change.product_id} at the same moment.")
    if change.product_id in obstacles.names:
        return NameTaken(change.after.name, obstacles.names[change.product_id])
    return None


def foreseen_refusals(log: ChangeLog, plans: Sequence[Plan]) -> dict[int, CatalogueError]:
    """Return the refusals that appending would meet now, by position."""
    changes = {position: plan.change for position, plan in enumerate(plans) if plan.change}
    found = {position: _foreseen_refusal(log, change) for position, change in changes.items()}
    return {position: refusal for position, refusal in found.items() if refusal}


def _foreseen_refusal(log: ChangeLog, change: Change) -> CatalogueError | None:
    if change.before is None and log.newest(change.product_id):
        return ProductExists(change.product_id)
    owner = log.name_owner(change.after.name) if claims_name(change) else None
    if owner not in (None, change.product_id):
        return NameTaken(change.after.name, str(owner))
    return None


def _record_of(plans: Sequence[Plan], origin: Origin) -> IdempotencyRecord | None:
    """Return the answer to remember; None for a request without an Idempotency-Key."""
    if origin.idempotency_key is None:
        return None
    outcomes = [
        Outcome(
            plan.result.product.product_id,
            plan.result.product.version,
            changed=plan.change is not None,
        )
        for plan in plans
    ]
    return IdempotencyRecord(origin.idempotency_key.fingerprint, tuple(outcomes))
