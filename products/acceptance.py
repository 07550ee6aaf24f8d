"""Accepting writes: plan a change, append it to the log, notify the workers. Pure.

An accepted write can't be refused any more. A refused write leaves no trace.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from products.appending import (
    ChangeLog,
    Doorbell,
    Notification,
    append,
    foreseen_refusals,
    remembered_answer,
)
from products.batch import validate_together
from products.changes import Effect, Origin
from products.errors import (
    CatalogueError,
    Conflict,
    CorruptChange,
    Invalid,
    Unavailable,
    VersionTaken,
)
from products.grouped_writes import GROUP_SIZE, GroupedWrites, Request, Result
from products.idempotency import DuplicateRequest
from products.merging import differences
from products.planning import Planner, read_change
from products.product import RULES
from products.writes import Accepted, Plan, Write, WritesRefused

MAX_ATTEMPTS = 8  # of one write, each lost to another writer
LOST_RACES = (VersionTaken, DuplicateRequest)
TOO_MANY_TOGETHER = "These are too many writes for one transaction. Send fewer, or use mode each."


class ContendedWrite(Conflict):
    """Other writers changed the same product in each attempt of this write."""

    def __init__(self) -> None:
        super().__init__("Too many writers are changing this at the same time; nothing was saved.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The write use cases. Each raises NotAllowed when the origin lacks a permission.

    With ``dry_run`` a write is only validated: the result holds the change that would be made.
    """

    log: ChangeLog
    doorbell: Doorbell
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    image_exists: Callable[[str], bool]
    effects: frozenset[Effect] = frozenset(Effect)

    @property
    def planner(self) -> Planner:
        """The planning of writes, on the newest versions in the log."""
        return Planner(
            log=self.log,
            clock=self.clock,
            new_id=self.new_id,
            image_exists=self.image_exists,
            effects=self.effects | {Effect.STORED},
        )

    def create(
        self,
        product_id: str | None,
        edits: Mapping[str, Any],
        origin: Origin,
        *,
        dry_run: bool = False,
    ) -> Accepted:
        """Create a product, with a generated ID when ``product_id`` is None.

        Raises: Invalid, ProductExists, NameTaken.
        """
        write = Write(product_id=product_id, edits=edits, creates=True)
        return self.write(write, origin, dry_run=dry_run)

    def update(
        self,
        product_id: str,
        edits: Mapping[str, Any],
        origin: Origin,
        *,
        base: int | None = None,
        expected_version: int | None = None,
        dry_run: bool = False,
    ) -> Accepted:
        """Merge the edits into the newest version.

        ``base`` is the version that the caller started from, by default the newest. Fields that
        others changed since then are kept. With ``expected_version`` any other newest version is
        refused.

        Raises: Invalid, ProductNotFound, ChangeNotFound, NameTaken, ContendedWrite,
        VersionMismatch, EditConflict when others changed the same field.
        """
        write = Write(
            product_id=product_id, edits=edits, base=base, expected_version=expected_version
        )
        return self.write(write, origin, dry_run=dry_run)

    def deactivate(
        self,
        product_id: str,
        origin: Origin,
        *,
        expected_version: int | None = None,
        dry_run: bool = False,
    ) -> Accepted:
        """Take the product out of the public catalogue. Its history, ID, and name are kept."""
        return self.update(
            product_id,
            {"active": False},
            origin,
            expected_version=expected_version,
            dry_run=dry_run,
        )

    def restore(self, product_id: str, origin: Origin) -> Accepted:
        """Return a deactivated product to the public catalogue."""
        return self.update(product_id, {"active": True}, origin)

    def restore_version(
        self,
        product_id: str,
        version: int,
        origin: Origin,
        *,
        fields: Iterable[str] = tuple(RULES),
        expected_version: int | None = None,
        dry_run: bool = False,
    ) -> Accepted:
        """Set these ``fields`` of the product to their values in ``version``, by a new change."""
        target = read_change(self.log, product_id, version).after
        edits = {name: getattr(target, name) for name in fields}
        return self.update(
            product_id, edits, origin, expected_version=expected_version, dry_run=dry_run
        )

    def undo(
        self, product_id: str, version: int, origin: Origin, *, expected_version: int | None = None
    ) -> Accepted:
        """Undo what one version changed, and keep later changes of other fields.

        Undoing version 1 deactivates the product. Raise EditConflict when the same field was
        changed since.
        """
        change = read_change(self.log, product_id, version)
        before = change.before
        if before is None:
            return self.deactivate(product_id, origin, expected_version=expected_version)
        edits = {name: getattr(before, name) for name in differences(before, change.after)}
        return self.update(
            product_id, edits, origin, base=version, expected_version=expected_version
        )

    def write(self, write: Write, origin: Origin, *, dry_run: bool = False) -> Accepted:
        """Make one write: plan it and append the change, again after each lost race."""
        for _ in range(MAX_ATTEMPTS):
            answer = remembered_answer(self.log, origin, self.clock())
            if answer:
                return answer[0]
            plan = self.planner.plan(write, origin)
            refusals = self._settle([plan], origin, dry_run=dry_run)
            if not refusals:
                return plan.result
            if not isinstance(refusals[0], LOST_RACES):
                raise refusals[0]
            write = plan.write
        raise ContendedWrite

    def write_each(
        self, writes: Sequence[Write], origin: Origin, *, dry_run: bool = False
    ) -> list[Accepted | CatalogueError | CorruptChange]:
        """Make each write in its own transaction, in this order, and return results or refusals.

        Once a dependency is unavailable, the remaining writes are not tried. A repeated request
        tries again only the writes that were refused.
        """
        results: list[Accepted | CatalogueError | CorruptChange] = []
        for position, write in enumerate(writes):
            if results and isinstance(results[-1], Unavailable):
                results.append(results[-1])
                continue
            try:
                results.append(self.write(write, _part_of(origin, position), dry_run=dry_run))
            except (CatalogueError, CorruptChange) as refusal:
                results.append(refusal)
        return results

    def write_grouped(
        self, requests: Iterable[Request], size: Callable[[], int] = lambda: GROUP_SIZE
    ) -> Iterator[list[Result]]:
        """Make each write as ``write`` does, in few transactions, of ``size`` writes each.

        Yield the results of each transaction, in order. If the caller stops then, no later write
        is made. Raise Unavailable if a dependency is, although a part of the writes may be made.
        """
        grouped = GroupedWrites(
            log=self.log,
            planner=self.planner,
            doorbell=self.doorbell,
            write_alone=self.write,
            size=size,
        )
        return grouped.make(requests)

    def write_all(
        self, writes: Sequence[Write], origin: Origin, *, dry_run: bool = False
    ) -> list[Accepted]:
        """Make all of the writes or none, in one transaction.

        Raises: WritesRefused with the refusals by position; Invalid when the writes are too many
        for one transaction; IdempotencyKeyReused; ContendedWrite.
        """
        for _ in range(MAX_ATTEMPTS):
            answer = remembered_answer(self.log, origin, self.clock())
            if answer:
                return answer
            plans = self._plan_all(writes, origin)
            refusals = self._settle(plans, origin, dry_run=dry_run)
            if not refusals:
                return [plan.result for plan in plans]
            if not any(isinstance(refusal, LOST_RACES) for refusal in refusals.values()):
                raise WritesRefused(refusals)
            writes = [plan.write for plan in plans]
        raise ContendedWrite

    def _plan_all(self, writes: Sequence[Write], origin: Origin) -> list[Plan]:
        """Return the plan of each write.

        Raise WritesRefused with all refusals, not only the first. Raise Unavailable immediately:
        there is no point in planning the others while a dependency is unavailable.
        """
        plans: list[Plan] = []
        refusals: dict[int, CatalogueError] = {}
        for position, write in enumerate(writes):
            try:
                plans.append(self.planner.plan(write, origin))
            except Unavailable:
                raise
            except CatalogueError as refusal:
                refusals[position] = refusal
        if refusals:
            raise WritesRefused(refusals)
        validate_together(writes, plans)
        changes = [plan.change for plan in plans if plan.change]
        if not self.log.fits_transaction(changes, answers=int(origin.idempotency_key is not None)):
            raise Invalid({"items": [TOO_MANY_TOGETHER]})
        return plans

    def _settle(
        self, plans: Sequence[Plan], origin: Origin, *, dry_run: bool
    ) -> dict[int, CatalogueError]:
        """Append the changes and notify the workers. Return the refusals by position, if any."""
        if dry_run:
            return foreseen_refusals(self.log, plans)
        refusals = append(self.log, plans, origin, self.clock())
        if not refusals:
            changes = [plan.change for plan in plans if plan.change]
            self.doorbell.notify([Notification("persist", change) for change in changes])
        return refusals


def _part_of(origin: Origin, position: int) -> Origin:
    """Return the origin for one write of a batch, with an idempotency key of its own.

    The key can't collide with a caller's own key, because those contain no spaces.
    """
    key = origin.idempotency_key
    if key is None:
        return origin
    part_key = replace(key, key=f"{key.key} {position}")
    return replace(origin, idempotency_key=part_key)
