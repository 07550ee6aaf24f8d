"""Accepting writes: plan a change, append it to the log, notify the workers. Pure.

An accepted write can't be refused any more. A refused write leaves no trace.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from products.appending import (
    ChangeLog,
    Doorbell,
    append,
    raise_for_taken_names,
    remembered_answer,
)
from products.batch import validate_together
from products.changes import Change, Effect, Origin
from products.errors import CatalogueError, Conflict, CorruptChange, Unavailable, VersionTaken
from products.idempotency import DuplicateRequest
from products.merging import differences
from products.planning import Planner, read_change
from products.product import RULES
from products.writes import Accepted, Write, WritesRefused

MAX_ATTEMPTS = 8  # of one write, each lost to another writer


class ContendedWrite(Conflict):
    """Other writers changed the same product in each attempt of this write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The write use cases.

    With ``dry_run`` a write is only validated: the result holds the change that would be made.
    """

    table: ChangeLog
    doorbell: Doorbell
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    effects: frozenset[Effect] = frozenset(Effect)

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
        target = self.receipt(product_id, version).after
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
        change = self.receipt(product_id, version)
        before = change.before
        if before is None:
            return self.deactivate(product_id, origin, expected_version=expected_version)
        edits = {name: getattr(before, name) for name in differences(before, change.after)}
        return self.update(
            product_id, edits, origin, base=version, expected_version=expected_version
        )

    def receipt(self, product_id: str, version: int) -> Change:
        """Return the change with the state of each effect. Raises: Invalid, ChangeNotFound."""
        return read_change(self.table, product_id, version)

    def write(self, write: Write, origin: Origin, *, dry_run: bool = False) -> Accepted:
        """Make one write. Raise its own error instead of WritesRefused."""
        try:
            return self.write_all([write], origin, dry_run=dry_run)[0]
        except WritesRefused as refused:
            raise refused.refusals[0] from None

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

    def write_all(
        self, writes: Sequence[Write], origin: Origin, *, dry_run: bool = False
    ) -> list[Accepted]:
        """Make all of the writes or none, in one transaction.

        Raises: WritesRefused with the refusals by position; Invalid when the writes are too many
        for one transaction; IdempotencyKeyReused; ContendedWrite.
        """
        planner = self._planner_of(writes, origin)
        for attempt in range(MAX_ATTEMPTS):
            earlier = remembered_answer(self.table, origin, self.clock())
            if earlier is not None:
                return earlier
            try:
                return self._attempt(
                    planner, writes, origin, dry_run=dry_run, is_first=attempt == 0
                )
            except (VersionTaken, DuplicateRequest):
                continue
        raise ContendedWrite(
            "Too many writers are changing this at the same time; nothing was saved."
        )

    def _attempt(
        self,
        planner: Planner,
        writes: Sequence[Write],
        origin: Origin,
        *,
        dry_run: bool,
        is_first: bool,
    ) -> list[Accepted]:
        """Plan the writes and append them. Raise VersionTaken or DuplicateRequest to try again."""
        # The first attempt skips this read; the transaction fails if the product exists.
        checks_existence = dry_run or not is_first
        planned = planner.plan_all(writes, checks_existence=checks_existence)
        validate_together(writes, planned, remembers_answer=origin.idempotency_key is not None)
        if dry_run:
            raise_for_taken_names(self.table, planned)
            return planned
        append(self.table, planned, origin, self.clock())
        for accepted in planned:
            if accepted.change:
                self.doorbell.notify("persist", accepted.change)
        return planned

    def _planner_of(self, writes: Sequence[Write], origin: Origin) -> Planner:
        """Return a planner of these writes, with a generated ID where a write names none."""
        product_ids = [
            f"prod_{self.new_id()}" if write.product_id is None else write.product_id
            for write in writes
        ]
        return Planner(
            log=self.table,
            origin=origin,
            product_ids=product_ids,
            clock=self.clock,
            new_id=self.new_id,
            effects=self.effects | {Effect.STORED},
        )


def _part_of(origin: Origin, position: int) -> Origin:
    """Return the origin for one write of a batch, with an idempotency key of its own.

    The key can't collide with a caller's own key, because those contain no spaces.
    """
    key = origin.idempotency_key
    if key is None:
        return origin
    part_key = replace(key, key=f"{key.key} {position}")
    return replace(origin, idempotency_key=part_key)
