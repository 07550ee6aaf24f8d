"""Plans in the product table: each under ``PLANS``, ordered by ID, and its rows in chunks.

A plan with a step left is also in the index of open changes, under a flag of its own, at the time
of that step. An item of each product names its plans.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from products.adapters.dynamodb.calls import IS_NEW, DynamoCalls
from products.adapters.dynamodb.items import EXPIRY, OPEN_CHANGES, Item, parse_or_skip
from products.adapters.dynamodb.plan_items import (
    OPEN_PLAN,
    PLANS_PARTITION,
    chunk_item,
    chunk_key,
    chunks_of,
    plan_expiry,
    plan_item,
    plan_key,
    product_key,
    rows_of,
    to_plan,
    version_item,
    version_key,
)
from products.documents import format_timestamp, parse_timestamp
from products.idempotency import RETENTION as KEY_RETENTION
from products.idempotency import IdempotencyKey
from products.parallel import MapFunction
from products.plans.calendar import Switch
from products.plans.plan import Entry, Plan, PlanRow

logger = logging.getLogger(__name__)

LEASE_KEY = {"PK": "PLANS#SWITCHING", "SK": "LEASE"}
IS_FREE = "attribute_not_exists(PK) OR holder = :holder OR heldUntil <= :now"
IS_HELD = "holder = :holder"
IS_PREVIOUS_SEQUENCE = "turn = :turn"
IS_EARLIER_SEQUENCE = "attribute_not_exists(PK) OR turn < :turn"
IS_BEFORE = "PK = :pk AND SK < :before"
IS_OPEN = "openFlag = :open"
IS_DUE = "openFlag = :open AND acceptedAt <= :time"
PLAN_ATTRIBUTE = "plan-"
"""The prefix of the attributes of a product's item: one for each plan, with the row's chunk."""


@dataclass(frozen=True, slots=True)
class DynamoPlanTable(DynamoCalls):
    """Plans and their rows, which DynamoDB deletes together after RETENTION."""

    map_function: MapFunction = map

    def put_plan(
        self,
        plan: Plan,
        rows: Sequence[PlanRow],
        key: IdempotencyKey | None,
        outdated: Mapping[str, Sequence[str]],
    ) -> tuple[str, str] | None:
        """Write the rows, and then the plan, so that a plan that can be read is complete.

        ``outdated`` are the IDs of plans that a product's item need not name any more. Return
        None, or the ID and the fingerprint of the plan that was made under this key before.
        """
        if key and (known := self.known_request(plan.owner, key)):
            return known
        chunks = chunks_of(rows)
        complete = replace(plan, chunks=len(chunks))
        for number, chunk in enumerate(chunks):
            self._overwrite_item(chunk_item(complete, number, chunk))
        named = [row for chunk in chunks for row in chunk]
        list(
            self.map_function(
                lambda row: self._name_plan(complete, row, outdated.get(row.product_id, ())), named
            )
        )
        writes = [
            self._put_request(plan_item(complete), IS_NEW),
            self._put_request(version_item(complete), IS_NEW),
        ]
        if key:
            writes.append(self._put_request(_request_item(complete, key), IS_NEW))
        if self._transact(writes):
            logger.info("plan made", extra=_log_facts(complete))
            return None
        return self.known_request(plan.owner, key) if key else None

    def known_request(self, owner: str, key: IdempotencyKey) -> tuple[str, str] | None:
        """Return the ID and the fingerprint of the plan that was made under this key."""
        item = self._get_item(_request_key(owner, key))
        return (item["planId"], item["fingerprint"]) if item else None

    def _name_plan(self, plan: Plan, row: PlanRow, outdated: Sequence[str]) -> None:
        names = {f"#old{n}": f"{PLAN_ATTRIBUTE}{one}" for n, one in enumerate(outdated)}
        removal = f" REMOVE {', '.join(names)}" if names else ""
        self._update_item(
            product_key(row.product_id),
            f"SET #plan = :chunk, {EXPIRY} = :expiry{removal}",
            names={"#plan": f"{PLAN_ATTRIBUTE}{plan.plan_id}", **names},
            values={":chunk": row.chunk, ":expiry": plan_expiry(plan)},
        )

    def plan(self, plan_id: str) -> Plan | None:
        """Return the plan, read consistently."""
        item = self._get_item(plan_key(plan_id))
        return to_plan(item) if item else None

    def plans(self, limit: int, before: str | None) -> list[Plan]:
        """Return the newest plans, newest first; those with an ID below ``before``, if given."""
        return self._newest_plans(PLANS_PARTITION, limit, before)

    def _newest_plans(self, partition: str, limit: int, before: str | None) -> list[Plan]:
        if before is None:
            return [to_plan(item) for item in self._query_newest(partition, limit)]
        values = {":pk": partition, ":before": before}
        items = self._query(
            IS_BEFORE, values, ScanIndexForward=False, Limit=limit, ConsistentRead=True
        )
        return [to_plan(item) for item in islice(items, limit)]

    def open_plans(self) -> list[Plan]:
        """Return the plans with a step left, the next one first. The index may lag."""
        keys = self._query(IS_OPEN, {":open": OPEN_PLAN}, IndexName=OPEN_CHANGES)
        return self._plans_with(keys)

    def due_plans(self, until: datetime) -> list[Plan]:
        """Return the plans whose next step is due by then."""
        values = {":open": OPEN_PLAN, ":time": format_timestamp(until)}
        found = self._plans_with(self._query(IS_DUE, values, IndexName=OPEN_CHANGES))
        return [plan for plan in found if plan.due and plan.due <= until]

    def _plans_with(self, keys: Iterable[Item]) -> list[Plan]:
        """Return the plans with these keys that still have a step left: the index may lag."""
        items = self._batch_get([{"PK": key["PK"], "SK": key["SK"]} for key in keys])
        found = parse_or_skip(items, to_plan)
        return sorted((plan for plan in found if plan.due), key=_due_order)

    def rows(self, plan: Plan) -> Iterator[PlanRow]:
        """Yield the rows of a plan, in their order."""
        keys = [chunk_key(plan.plan_id, chunk) for chunk in range(plan.chunks)]
        items = sorted(self._batch_get(keys), key=lambda item: str(item["SK"]))
        return (row for item in items for row in rows_of(item))

    def all_rows(self, plans: Sequence[Plan]) -> dict[str, list[PlanRow]]:
        """Return the rows of these plans, by the plan's ID."""
        keys = [chunk_key(plan.plan_id, n) for plan in plans for n in range(plan.chunks)]
        found: dict[str, list[PlanRow]] = {plan.plan_id: [] for plan in plans}
        for item in sorted(self._batch_get(keys), key=lambda item: str(item["SK"])):
            found[item["PK"].removeprefix("PLAN#")] += rows_of(item)
        return found

    def versions(self, plan_id: str, limit: int, before: int | None = None) -> list[Plan]:
        """Return what the plan was after each change that people made to it, newest first.

        With ``before``, only versions below it.
        """
        key = version_key(plan_id, before or 0)
        position = None if before is None else key["SK"]
        return self._newest_plans(key["PK"], limit, position)

    def save_plan(
        self, plan: Plan, rows: Sequence[PlanRow] = (), *, is_new_version: bool = False
    ) -> bool:
        """Write the plan's next sequence, after the chunks of its rows.

        ``is_new_version`` keeps it among the versions. Return False when another process has
        written this sequence. A chunk that a later sequence wrote stays.
        """
        values = {":turn": plan.sequence}
        for chunk, chunk_rows in groupby(rows, key=lambda row: row.chunk):
            item = chunk_item(plan, chunk, chunk_rows)
            self._put_item(self._put_request(item, IS_EARLIER_SEQUENCE, values))
        put = self._put_request(plan_item(plan), IS_PREVIOUS_SEQUENCE, {":turn": plan.sequence - 1})
        if is_new_version:
            is_saved = self._transact([put, self._put_request(version_item(plan), IS_NEW)])
        else:
            is_saved = self._put_item(put)
        if is_saved:
            logger.info("plan state changed", extra=_log_facts(plan))
        return is_saved

    def switches(self, until: datetime) -> list[Switch]:
        """Return the steps that are due by then, and not made yet."""
        values = {":open": OPEN_PLAN, ":time": format_timestamp(until)}
        keys = self._query(IS_DUE, values, IndexName=OPEN_CHANGES)
        return [Switch(str(key["SK"]), parse_timestamp(key["acceptedAt"])) for key in keys]

    def products_of(self, plan_id: str) -> frozenset[str]:
        """Return the IDs of the products in the plan."""
        plan = self.plan(plan_id)
        return frozenset(row.product_id for row in self.rows(plan)) if plan else frozenset()

    def entries_of(self, product_ids: Sequence[str]) -> dict[str, list[Entry]]:
        """Return the rows of all plans about these products, by product."""
        items = self._batch_get([product_key(product_id) for product_id in set(product_ids)])
        places = {place for item in items for place in _places(item)}
        ids = sorted({plan_id for plan_id, _ in places})
        plans = {p.plan_id: p for p in map(to_plan, self._batch_get(list(map(plan_key, ids))))}
        chunks = [chunk_key(*place) for place in sorted(places) if place[0] in plans]
        wanted = set(product_ids)
        found: dict[str, list[Entry]] = {}
        for item in self._batch_get(chunks):
            plan = plans[item["PK"].removeprefix("PLAN#")]
            for row in rows_of(item):
                if row.product_id in wanted:
                    found.setdefault(row.product_id, []).append(Entry(plan, row))
        return found

    def take_lease(self, holder: str, now: datetime, until: datetime) -> bool:
        """Return whether the holder makes the steps until then."""
        item = {**LEASE_KEY, "holder": holder, "heldUntil": format_timestamp(until)}
        values = {":holder": holder, ":now": format_timestamp(now)}
        return self._put_item(self._put_request(item, IS_FREE, values))

    def release_lease(self, holder: str, now: datetime) -> None:
        """Let others make the steps, unless another process has taken over."""
        item = {**LEASE_KEY, "holder": holder, "heldUntil": format_timestamp(now)}
        self._put_item(self._put_request(item, IS_HELD, {":holder": holder}))


def _due_order(plan: Plan) -> tuple[datetime, str]:
    return plan.due or plan.starts_at, plan.plan_id


def _places(item: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the plans that a product's item names, each with the chunk of its row."""
    for name, value in item.items():
        if name.startswith(PLAN_ATTRIBUTE):
            yield name.removeprefix(PLAN_ATTRIBUTE), int(value)


def _request_key(actor: str, key: IdempotencyKey) -> Item:
    # A client's own key holds no space, so the keys of writes and of plans never collide.
    return {"PK": f"REQUEST#{actor}#plan {key.key}", "SK": "KEY"}


def _request_item(plan: Plan, key: IdempotencyKey) -> Item:
    return {
        **_request_key(plan.owner, key),
        "planId": plan.plan_id,
        "fingerprint": key.fingerprint,
        EXPIRY: int((plan.created_at + KEY_RETENTION).timestamp()),
    }


def _log_facts(plan: Plan) -> Item:
    return {
        "plan_id": plan.plan_id,
        "state": str(plan.state),
        "turn": plan.sequence,
        "starts_at": format_timestamp(plan.starts_at),
        "ends_at": format_timestamp(plan.ends_at) if plan.ends_at else None,
        "rows": plan.rows,
    }
