"""A change log and a table of plans in memory, with the conditions of the real ones.

Histories of plans need thousands of steps, and a fault at each call.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from products.appending import Answer, Obstacles
from products.changes import Change, ChangeKey
from products.errors import DependencyUnavailable
from products.idempotency import IdempotencyKey, IdempotencyRecord
from products.plans.plan import Entry, Plan, PlanRow
from products.product import Product

TRANSACTION_SIZE = 2  # changes, so that a few products need several transactions


@dataclass
class Faults:
    """Lets one of the next calls fail, before or after it took effect."""

    calls_left: int | None = None
    after: bool = False

    def arm(self, calls: int, *, after: bool) -> None:
        self.calls_left, self.after = calls, after

    def disarm(self) -> None:
        self.calls_left = None

    def hit(self, *, after: bool) -> None:
        """Raise DependencyUnavailable at the armed call."""
        if self.calls_left is None:
            return
        if not after:
            self.calls_left -= 1
        if self.calls_left == 0 and after == self.after:
            self.calls_left = None
            raise DependencyUnavailable("DynamoDB")


@dataclass
class MemoryLog:
    """The change log of a few products."""

    faults: Faults
    logs: dict[str, list[Change]] = field(default_factory=dict)

    def newest(self, product_id: str) -> Change | None:
        return next(iter(self.logs.get(product_id, [])[::-1]), None)

    def change(self, product_id: str, version: int) -> Change | None:
        return next((c for c in self.logs.get(product_id, ()) if c.version == version), None)

    def changes(self, keys: Sequence[ChangeKey]) -> Mapping[ChangeKey, Change]:
        return {key: change for key in keys if (change := self.change(*key))}

    def history(self, product_id: str, before: int | None, limit: int) -> list[Change]:
        self.faults.hit(after=False)
        found = self.logs.get(product_id, [])[::-1]
        return [c for c in found if before is None or c.version < before][: min(limit, 3)]

    def append(self, changes: Sequence[Change], answers: Sequence[Answer] = ()) -> Obstacles | None:
        self.faults.hit(after=False)
        taken = {
            c.product_id: known.change_id
            for c in changes
            if (known := self.change(c.product_id, c.version))
        }
        if taken:
            return Obstacles(taken, {})
        for change in changes:
            self.logs.setdefault(change.product_id, []).append(change)
        self.faults.hit(after=True)
        return None

    def fits_transaction(self, changes: Sequence[Change], *, answers: int) -> bool:
        return len(changes) <= TRANSACTION_SIZE

    def records(self, product_ids: list[str]) -> dict[str, Product]:
        return {i: newest.after for i in product_ids if (newest := self.newest(i))}

    def name_owner(self, name: str) -> str | None:
        return None

    def open_changes(self, *_: Any, **__: Any) -> Iterator[Change]:
        return iter(())

    def idempotency_record(self, *_: Any) -> IdempotencyRecord | None:
        return None

    def save_idempotency_record(self, *_: Any) -> None:
        """Remember nothing."""


@dataclass
class MemoryPlans:
    """Plans, with rows in chunks of one."""

    faults: Faults
    saved: dict[str, Plan] = field(default_factory=dict)
    old: dict[str, list[Plan]] = field(default_factory=dict)
    chunks: dict[tuple[str, int], tuple[int, PlanRow]] = field(default_factory=dict)

    def put_plan(
        self,
        plan: Plan,
        rows: Sequence[PlanRow],
        key: IdempotencyKey | None,
        outdated: Mapping[str, Sequence[str]],
    ) -> tuple[str, str] | None:
        for number, row in enumerate(rows):
            chunked = replace(row, chunk=number)
            self.chunks[plan.plan_id, number] = (plan.sequence, chunked)
        self.saved[plan.plan_id] = replace(plan, chunks=len(rows))
        self.old[plan.plan_id] = [plan]
        return None

    def plan(self, plan_id: str) -> Plan | None:
        return self.saved.get(plan_id)

    def plans(self, limit: int, before: str | None) -> list[Plan]:
        return list(self.saved.values())[::-1][:limit]

    def open_plans(self) -> list[Plan]:
        return [plan for plan in self.saved.values() if plan.due]

    def due_plans(self, until: datetime) -> list[Plan]:
        self.faults.hit(after=False)
        return [plan for plan in self.open_plans() if plan.due and plan.due <= until]

    def rows(self, plan: Plan) -> Iterator[PlanRow]:
        return (row for (plan_id, _), (_, row) in self.chunks.items() if plan_id == plan.plan_id)

    def all_rows(self, plans: Sequence[Plan]) -> dict[str, list[PlanRow]]:
        self.faults.hit(after=False)
        return {plan.plan_id: list(self.rows(plan)) for plan in plans}

    def known_request(self, owner: str, key: IdempotencyKey) -> tuple[str, str] | None:
        return None  # histories make plans without a key

    def versions(self, plan_id: str, limit: int, before: int | None = None) -> list[Plan]:
        found = self.old[plan_id][::-1]
        return [plan for plan in found if before is None or plan.version < before][:limit]

    def save_plan(
        self, plan: Plan, rows: Sequence[PlanRow] = (), *, is_new_version: bool = False
    ) -> bool:
        for row in rows:
            self.faults.hit(after=False)
            turn, _ = self.chunks[plan.plan_id, row.chunk]
            if turn < plan.sequence:
                self.chunks[plan.plan_id, row.chunk] = (plan.sequence, row)
        self.faults.hit(after=False)
        if self.saved[plan.plan_id].sequence != plan.sequence - 1:
            return False
        self.saved[plan.plan_id] = plan
        if is_new_version:
            self.old[plan.plan_id].append(plan)
        self.faults.hit(after=True)
        return True

    def entries_of(self, product_ids: Sequence[str]) -> Mapping[str, Sequence[Entry]]:
        self.faults.hit(after=False)
        found: dict[str, list[Entry]] = {}
        for (plan_id, _), (_, row) in self.chunks.items():
            if row.product_id in product_ids:
                entry = Entry(self.saved[plan_id], row)
                found.setdefault(row.product_id, []).append(entry)
        return found

    def take_lease(self, holder: str, now: datetime, until: datetime) -> bool:
        self.faults.hit(after=False)
        return True  # the lease only saves work; several processes may make steps

    def release_lease(self, holder: str, now: datetime) -> None:
        self.faults.hit(after=False)
