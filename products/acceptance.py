"""Accepting a write: merge, check, append one change with all that may refuse it, ring. Pure.

What is returned is accepted and can't be refused any more; what is refused has left no trace.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from products.batch import claims_name, plan_each, validate_together
from products.changes import Change, Effect, Origin, next_change
from products.errors import (
    CatalogueError,
    ChangeNotFound,
    Conflict,
    CorruptChange,
    NameTaken,
    ProductExists,
    ProductNotFound,
    Unavailable,
    VersionTaken,
)
from products.idempotency import DuplicateRequest, IdempotencyKeyReused, IdempotencyRecord, Outcome
from products.merging import VersionMismatch, differences, merged
from products.product import RULES, Product, new_product, validated_id
from products.writes import Accepted, Write, WritesRefused

MAX_VERSION = 10**12 - 1  # the keys of the log have room for 12 digits
MAX_ATTEMPTS = 8  # races with other writers one write may lose before its caller is told


class ContendedWrite(Conflict):
    """So many writers change this product at once that this one never got its turn."""


class ChangeLog(Protocol):
    """The log, as far as accepting needs it. Each method may raise EngineAway."""

    def newest(self, product_id: str) -> Change | None:
        """The product's newest change, read consistently."""

    def change(self, product_id: str, version: int) -> Change | None: ...

    def append(self, changes: Sequence[Change], record: IdempotencyRecord | None = None) -> None:
        """Append them with all that may refuse one, and with the answer to remember, in one transaction: VersionTaken,
        NameTaken or RequestAnswered, or all are there. The changes have one origin and are of different products."""

    def name_owner(self, name: str) -> str | None:
        """The id of the product that holds the name."""

    def idempotency_record(self, actor: str, key: str, now: datetime) -> IdempotencyRecord | None:
        """What is remembered of an Idempotency-Key, unless it has expired."""

    def save_idempotency_record(
        self, origin: Origin, record: IdempotencyRecord, now: datetime
    ) -> None:
        """Remember the answer to a request that changed nothing; RequestAnswered."""


class Doorbell(Protocol):
    def notify(self, task: str, change: Change, *, delay: int = 0) -> None:
        """Say that the product has this version. May be lost; never raises for a queue that is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The write use-cases. Time and ids come from outside, so that a test can choose them.

    With ``dry_run`` everything is checked and nothing appended: the change returned is the one that would be.
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
        """A new product, under the caller's id or a made one. Invalid, ProductExists, NameTaken."""
        return self.write(
            Write(product_id=product_id, edits=edits, creates=True), origin, dry_run=dry_run
        )

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
        """Merge ``edits`` into the newest version. Disjoint edits merge; the same field raises EditConflict.

        ``base`` is the version the caller started from (the newest when None); ``only_if`` insists on a version and
        raises VersionMismatch. ProductNotFound, Invalid, NameTaken, ContendedWrite.
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
        """Take the product out of the public catalogue; its history, its id and its name stay."""
        return self.update(
            product_id,
            {"active": False},
            origin,
            expected_version=expected_version,
            dry_run=dry_run,
        )

    def restore(self, product_id: str, origin: Origin) -> Accepted:
        """Bring a deactivated product back as it was."""
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
        """Make the product, or these ``fields`` of it, as it was after ``version`` - by a new change: the log only
        grows."""
        target = self.receipt(product_id, version).after
        edits = {name: getattr(target, name) for name in fields}
        return self.update(
            product_id, edits, origin, expected_version=expected_version, dry_run=dry_run
        )

    def undo(
        self, product_id: str, version: int, origin: Origin, *, expected_version: int | None = None
    ) -> Accepted:
        """Take back what this one version changed, and keep what was changed since: EditConflict where that is the same
        field. Version 1 is taken back by deactivating the product."""
        change = self.receipt(product_id, version)
        before = change.before
        if before is None:
            return self.deactivate(product_id, origin, expected_version=expected_version)
        edits = {name: getattr(before, name) for name in differences(before, change.after)}
        return self.update(
            product_id, edits, origin, base=version, expected_version=expected_version
        )

    def receipt(self, product_id: str, version: int) -> Change:
        """The change with the state of each effect; ChangeNotFound."""
        validated_id(product_id)
        change = self.table.change(product_id, version) if 0 < version <= MAX_VERSION else None
        if change is None:
            raise ChangeNotFound(product_id, version)
        return change

    def write(self, write: Write, origin: Origin, *, dry_run: bool = False) -> Accepted:
        """One write, whichever; what refuses it is raised as it is."""
        try:
            return self.write_all([write], origin, dry_run=dry_run)[0]
        except WritesRefused as refused:
            raise refused.refusals[0] from None

    def write_each(
        self, writes: Sequence[Write], origin: Origin, *, dry_run: bool = False
    ) -> list[Accepted | CatalogueError | CorruptChange]:
        """Each by itself and in this order: what it came to, or what refused it.

        Once an engine is away the rest is not tried. A repeated request does again only what was refused.
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
        """All of the writes or none, in one transaction. WritesRefused tells what is wrong with which; Invalid when
        they are too many for one transaction."""
        starts: dict[int, Product] = {}
        ids = [
            w.product_id if w.product_id is not None else f"prod_{self.new_id()}" for w in writes
        ]

        def attempt(*, first: bool) -> list[Accepted]:
            def plan(position: int, write: Write) -> Accepted:
                if write.creates:
                    return self._created(ids[position], write, origin, look=dry_run or not first)
                return self._updated(ids[position], write, origin, starts, position)

            planned = plan_each(writes, plan)
            validate_together(writes, planned, remembered=origin.idempotency_key is not None)
            if dry_run:
                self._check_names(planned)
            else:
                self._accept(planned, origin)
            return planned

        return self._answered(origin, attempt)

    def _created(self, product_id: str, write: Write, origin: Origin, *, look: bool) -> Accepted:
        """The change that creates the product; ``look`` first whether it exists, which else the transaction tells."""
        # Checked in here, since whether an Idempotency-Key is used for another request comes first.
        product = new_product(product_id, write.edits, by=origin.actor, at=self.clock())
        if look and self.table.newest(product_id):
            raise ProductExists(product_id)
        change = self._next(None, product, origin)
        return Accepted(change.after, change)

    def _updated(
        self,
        product_id: str,
        write: Write,
        origin: Origin,
        starts: dict[int, Product],
        position: int,
    ) -> Accepted:
        """The change that merges the edits; ``starts`` keeps what the first attempt started from."""
        newest = self._newest(product_id)
        if write.expected_version is not None and newest.version != write.expected_version:
            raise VersionMismatch(newest.after)
        if position not in starts:
            base = write.base
            starts[position] = (
                self.receipt(product_id, base).after if base is not None else newest.after
            )
        after = merged(starts[position], write.edits, newest.after)
        if after == newest.after:
            return Accepted(after, None)
        change = self._next(newest, after, origin)
        return Accepted(change.after, change)

    def _answered(self, origin: Origin, attempt: Callable[..., list[Accepted]]) -> list[Accepted]:
        """The answer to this request: remembered from before, or made now, in as many attempts as races are lost."""
        for number in range(MAX_ATTEMPTS):
            if origin.idempotency_key and (
                earlier := self.table.idempotency_record(
                    origin.actor, origin.idempotency_key.key, self.clock()
                )
            ):
                return self._replayed(earlier, origin.idempotency_key.fingerprint)
            try:
                return attempt(first=number == 0)
            except (VersionTaken, DuplicateRequest):
                continue
        raise ContendedWrite("Too many writers are changing this at once; nothing was saved.")

    def _replayed(self, earlier: IdempotencyRecord, fingerprint: str) -> list[Accepted]:
        if earlier.fingerprint != fingerprint:
            raise IdempotencyKeyReused
        found = [
            (self.receipt(outcome.product_id, outcome.version), outcome.changed)
            for outcome in earlier.outcomes
        ]
        return [
            Accepted(change.after, change if changed else None, replayed=True)
            for change, changed in found
        ]

    def _newest(self, product_id: str) -> Change:
        newest = self.table.newest(validated_id(product_id))
        if newest is None:
            raise ProductNotFound(product_id)
        return newest

    def _next(self, previous: Change | None, after: Product, origin: Origin) -> Change:
        return next_change(
            previous,
            after,
            origin,
            at=self.clock(),
            change_id=self.new_id(),
            effects=self.effects | {Effect.STORED},
        )

    def _accept(self, planned: list[Accepted], origin: Origin) -> None:
        changes = [accepted.change for accepted in planned if accepted.change]
        record = _record_of(planned, origin)
        if not changes:
            if record:
                self.table.save_idempotency_record(origin, record, self.clock())
            return
        try:
            self.table.append(changes, record)
        except (VersionTaken, DuplicateRequest):
            # A retried request may find its own first try: then it was accepted after all.
            standing = self.table.change(changes[0].product_id, changes[0].version)
            if standing is None or standing.change_id != changes[0].change_id:
                raise
        except NameTaken as refusal:
            self._check_names(planned)
            # By now the name is free again; but this transaction did find it taken.
            held = next(
                i for i, a in enumerate(planned) if a.change and a.product.name == refusal.name
            )
            raise WritesRefused({held: refusal}) from refusal
        for change in changes:
            self.doorbell.notify("persist", change)

    def _check_names(self, planned: list[Accepted]) -> None:
        """What the transaction would say of each name; WritesRefused."""
        refusals: dict[int, CatalogueError] = {}
        for position, change in enumerate(accepted.change for accepted in planned):
            if change and claims_name(change):
                owner = self.table.name_owner(change.after.name)
                if owner not in (None, change.product_id):
                    refusals[position] = NameTaken(change.after.name, str(owner))
        if refusals:
            raise WritesRefused(refusals)


def _part_of(origin: Origin, position: int) -> Origin:
    """The origin of one write among several: its answer is remembered by itself. A caller's key holds no space."""
    key = origin.idempotency_key
    if key is None:
        return origin
    return replace(origin, idempotency_key=replace(key, key=f"{key.key} {position}"))


def _record_of(planned: list[Accepted], origin: Origin) -> IdempotencyRecord | None:
    if origin.idempotency_key is None:
        return None
    outcomes = (
        Outcome(a.product.product_id, a.product.version, changed=a.change is not None)
        for a in planned
    )
    return IdempotencyRecord(origin.idempotency_key.fingerprint, tuple(outcomes))
