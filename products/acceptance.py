"""Accepting a write: merge, check, append one change with all that may refuse it, ring. Pure.

What is returned is accepted and can't be refused any more; what is refused has left no trace.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from products.changes import (
    Change,
    ChangeNotFound,
    Effect,
    NameTaken,
    Origin,
    ProductExists,
    ProductNotFound,
    VersionMismatch,
    VersionTaken,
    merged,
    next_change,
)
from products.product import RULES, Conflict, Product, checked_id, new_product, normalised_name

VERSION_MOST = 10**12 - 1  # the keys of the log have room for 12 digits
ATTEMPTS_MOST = 8  # races with other writers one write may lose before its caller is told
REMEMBERED = timedelta(hours=24)
"""How long the answer to a request with an Idempotency-Key is kept (DESIGN §3)."""


class ContendedWrite(Conflict):
    """So many writers change this product at once that this one never got its turn."""


class KeyReused(Conflict):
    """The same Idempotency-Key came with another request before."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request within the last 24 hours.")


class RequestAnswered(Conflict):
    """The same request was answered a moment ago, while this one was under way."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is remembered of a request with an Idempotency-Key: the version it came to, and whether it made that."""

    fingerprint: str
    product_id: str
    version: int
    changed: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a write came to: the product after it, and the change, None when nothing was different.

    ``replayed``: the request had been answered before, and this is that answer again.
    """

    product: Product
    change: Change | None
    replayed: bool = False


class ChangeLog(Protocol):
    """The log, as far as accepting needs it. Each method may raise EngineAway."""

    def newest(self, product_id: str) -> Change | None:
        """The product's newest change, read consistently."""

    def change(self, product_id: str, version: int) -> Change | None: ...

    def append(self, change: Change) -> None:
        """Append with all that may refuse it, in one transaction: VersionTaken, NameTaken or RequestAnswered, or it
        is there - together with the answer to remember, when the change's origin names an Idempotency-Key."""

    def name_owner(self, name: str) -> str | None:
        """The id of the product that holds the name."""

    def answer(self, actor: str, key: str, now: datetime) -> Answer | None:
        """What is remembered of an Idempotency-Key, unless it has expired."""

    def remember(self, origin: Origin, answer: Answer, now: datetime) -> None:
        """Remember the answer to a request that changed nothing; RequestAnswered."""


class Doorbell(Protocol):
    def ring(self, task: str, change: Change, *, delay: int = 0) -> None:
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
        self, product_id: str | None, edits: Mapping[str, Any], origin: Origin, *, dry_run: bool = False
    ) -> Accepted:
        """A new product, under the caller's id or a made one. Invalid, ProductExists, NameTaken."""
        chosen = checked_id(product_id) if product_id is not None else f"prod_{self.new_id()}"

        def attempt() -> Accepted:
            # Checked in here, since whether an Idempotency-Key is used for another request comes first.
            product = new_product(chosen, edits, by=origin.actor, at=self.clock())
            if dry_run and self.table.newest(chosen):
                raise ProductExists(chosen)
            try:
                return self._accept(self._next(None, product, origin), dry_run=dry_run)
            except VersionTaken:
                if self.table.newest(chosen):
                    raise ProductExists(chosen) from None
                raise

        return self._answered(origin, attempt)

    def update(
        self,
        product_id: str,
        edits: Mapping[str, Any],
        origin: Origin,
        *,
        base: int | None = None,
        only_if: int | None = None,
        dry_run: bool = False,
    ) -> Accepted:
        """Merge ``edits`` into the newest version. Disjoint edits merge; the same field raises EditConflict.

        ``base`` is the version the caller started from (the newest when None); ``only_if`` insists on a version and
        raises VersionMismatch. ProductNotFound, Invalid, NameTaken, ContendedWrite.
        """
        start: list[Product] = []

        def attempt() -> Accepted:
            newest = self._newest(product_id)
            if only_if is not None and newest.version != only_if:
                raise VersionMismatch(newest.after)
            if not start:
                start.append(self.receipt(product_id, base).after if base is not None else newest.after)
            after = merged(start[0], edits, newest.after)
            if after == newest.after:
                return self._unchanged(after, origin)
            return self._accept(self._next(newest, after, origin), dry_run=dry_run)

        return self._answered(origin, attempt)

    def deactivate(
        self, product_id: str, origin: Origin, *, only_if: int | None = None, dry_run: bool = False
    ) -> Accepted:
        """Take the product out of the public catalogue; its history, its id and its name stay."""
        return self.update(product_id, {"active": False}, origin, only_if=only_if, dry_run=dry_run)

    def restore(self, product_id: str, origin: Origin) -> Accepted:
        """Bring a deactivated product back as it was."""
        return self.update(product_id, {"active": True}, origin)

    def restore_version(
        self, product_id: str, version: int, origin: Origin, *, only_if: int | None = None, dry_run: bool = False
    ) -> Accepted:
        """Make the product as it was after ``version`` - by a new change, since the log only grows."""
        target = self.receipt(product_id, version).after
        edits = {name: getattr(target, name) for name in RULES}
        return self.update(product_id, edits, origin, only_if=only_if, dry_run=dry_run)

    def receipt(self, product_id: str, version: int) -> Change:
        """The change with the state of each effect; ChangeNotFound."""
        checked_id(product_id)
        change = self.table.change(product_id, version) if 0 < version <= VERSION_MOST else None
        if change is None:
            raise ChangeNotFound(product_id, version)
        return change

    def _answered(self, origin: Origin, attempt: Callable[[], Accepted]) -> Accepted:
        """The answer to this request: remembered from before, or made now, in as many attempts as races are lost."""
        for _ in range(ATTEMPTS_MOST):
            if origin.once and (earlier := self.table.answer(origin.actor, origin.once.key, self.clock())):
                return self._replayed(earlier, origin.once.fingerprint)
            try:
                return attempt()
            except (VersionTaken, RequestAnswered):
                continue
        raise ContendedWrite("Too many writers are changing this at once; nothing was saved.")

    def _replayed(self, earlier: Answer, fingerprint: str) -> Accepted:
        if earlier.fingerprint != fingerprint:
            raise KeyReused
        change = self.receipt(earlier.product_id, earlier.version)
        return Accepted(change.after, change if earlier.changed else None, replayed=True)

    def _unchanged(self, product: Product, origin: Origin) -> Accepted:
        if origin.once:
            answer = Answer(origin.once.fingerprint, product.product_id, product.version, changed=False)
            self.table.remember(origin, answer, self.clock())
        return Accepted(product, None)

    def _newest(self, product_id: str) -> Change:
        newest = self.table.newest(checked_id(product_id))
        if newest is None:
            raise ProductNotFound(product_id)
        return newest

    def _next(self, previous: Change | None, after: Product, origin: Origin) -> Change:
        return next_change(
            previous, after, origin, at=self.clock(), change_id=self.new_id(), effects=self.effects | {Effect.STORED}
        )

    def _accept(self, change: Change, *, dry_run: bool) -> Accepted:
        if dry_run:
            self._check_name(change)
            return Accepted(change.after, change)
        try:
            self.table.append(change)
        except (VersionTaken, RequestAnswered):
            # A retried request may find its own first try: then it was accepted after all.
            standing = self.table.change(change.product_id, change.version)
            if standing is None or standing.change_id != change.change_id:
                raise
        self.doorbell.ring("persist", change)
        return Accepted(change.after, change)

    def _check_name(self, change: Change) -> None:
        """What the transaction would say of the name."""
        if change.before and normalised_name(change.before.name) == normalised_name(change.after.name):
            return
        owner = self.table.name_owner(change.after.name)
        if owner not in (None, change.product_id):
            raise NameTaken(change.after.name, str(owner))
