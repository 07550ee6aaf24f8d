"""Appending planned writes to the change log, and remembering the answers to requests. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from products.batch import claims_name
from products.changes import Change, ChangeKey, Origin
from products.errors import CatalogueError, CorruptChange, NameTaken, ProductExists, VersionTaken
from products.idempotency import DuplicateRequest, IdempotencyKeyReused, IdempotencyRecord, Outcome
from products.planning import ChangeReader, read_change
from products.product import Product
from products.writes import Accepted, Plan


@dataclass(frozen=True, slots=True)
class Obstacles:
    """Why a transaction was refused, as the change log reported it. Each is by product ID.

    ``versions`` has the ID of the change that took the version, None while another transaction is
    about to take it. ``names`` has the ID of the product that has the name. ``duplicates`` are the
    idempotency keys of requests that were answered before.
    """

    versions: Mapping[str, str | None]
    names: Mapping[str, str]
    duplicates: frozenset[str] = frozenset()


type Answer = tuple[Origin, IdempotencyRecord]
"""What to remember of a request that has an Idempotency-Key."""


class ChangeLog(ChangeReader, Protocol):
    """The change log, as far as accepting needs it. Methods may raise DependencyUnavailable."""

    def append(self, changes: Sequence[Change], answers: Sequence[Answer] = ()) -> Obstacles | None:
        """Append the changes and the answers to remember in one transaction: all or nothing.

        The changes are of different products. Return None when they are appended, else what was
        in the way.
        """

    def fits_transaction(self, changes: Sequence[Change], *, answers: int) -> bool:
        """Whether one transaction has room for the changes, and for so many answers."""

    def records(self, product_ids: list[str]) -> dict[str, Product]:
        """Return the stored records of these products, by ID."""

    def changes(self, keys: Sequence[ChangeKey]) -> Mapping[ChangeKey, Change | CorruptChange]:
        """Return the changes with these keys; CorruptChange for one that can't be read."""

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

    def notify_switch(self, delay: int) -> None:
        """Send a message that steps of plans are due after ``delay`` seconds.

        An unavailable queue raises nothing: overdue steps are announced again.
        """

    def notify_purge(self, delay: int, until: datetime, after: int | None = None) -> None:
        """Send a message to purge the CDN for a plan, as ``CachePurge.purge`` does.

        An unavailable queue raises nothing: the changes of the plan are purged as any others.
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
    answer = _answer(plans, origin)
    if changes:
        obstacles = log.append(changes, [answer] if answer else [])
        return _refusals(plans, obstacles) if obstacles else {}
    if answer:
        try:
            log.save_idempotency_record(*answer, now)
        except DuplicateRequest as refusal:
            return {0: refusal}
    return {}


def _refusals(plans: Sequence[Plan], obstacles: Obstacles) -> dict[int, CatalogueError]:
    """Return the refusals of the writes, by position, for these obstacles."""
    changes = {position: plan.change for position, plan in enumerate(plans) if plan.change}
    if _is_appended(changes.values(), obstacles):
        return {}
    found = {position: _refusal(change, obstacles) for position, change in changes.items()}
    refusals = {position: refusal for position, refusal in found.items() if refusal}
    # Obstacles that concern no change are a lost race too: nothing was appended.
    if obstacles.duplicates or not refusals:
        return dict.fromkeys(changes, DuplicateRequest())
    return refusals


def append_each(
    log: ChangeLog, planned: Sequence[tuple[Plan, Origin]]
) -> dict[int, CatalogueError]:
    """Append the planned changes of several requests, and remember each answer, in one transaction.

    Return the refusals by position: those of the requests that were in the way of all.
    """
    changes = {position: plan.change for position, (plan, _) in enumerate(planned) if plan.change}
    answers = [answer for plan, origin in planned if (answer := _answer([plan], origin))]
    obstacles = log.append(list(changes.values()), answers)
    if obstacles is None or _is_appended(changes.values(), obstacles):
        return {}
    refusals: dict[int, CatalogueError] = {}
    for position, change in changes.items():
        key = planned[position][1].idempotency_key
        if key and key.key in obstacles.duplicates:
            refusals[position] = DuplicateRequest()
        elif refusal := _refusal(change, obstacles):
            refusals[position] = refusal
    return refusals or dict.fromkeys(changes, DuplicateRequest())


def _is_appended(changes: Iterable[Change], obstacles: Obstacles) -> bool:
    """Whether these changes themselves are in the way.

    The AWS client retries a call that timed out, and finds what its own first attempt appended.
    All changes or none are appended, so one of ours means all of them.
    """
    return any(obstacles.versions.get(c.product_id) == c.change_id for c in changes)


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


def _answer(plans: Sequence[Plan], origin: Origin) -> Answer | None:
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
    return origin, IdempotencyRecord(origin.idempotency_key.fingerprint, tuple(outcomes))
