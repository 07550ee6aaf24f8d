"""Plans: make, preview, move, end, cancel and undo them. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from products.changes import Origin
from products.errors import NameTaken
from products.idempotency import IdempotencyKey, IdempotencyKeyReused
from products.identifiers import is_id
from products.permissions import Permission, require_permissions
from products.plans.amending import FACTS, amended, validated_name, validated_start
from products.plans.drafts import Draft, Preview, plan_rows, validate_row_count
from products.plans.forecast import Outlook, outlook
from products.plans.logs import EntryReader, ProductLogs
from products.plans.plan import (
    HORIZON,
    Entry,
    Plan,
    PlanNotFound,
    PlanRow,
    PlanState,
    PlanStateConflict,
    PlanVersionMismatch,
)
from products.plans.times import time_zone, validate_times
from products.writes import WritesRefused

MAX_ATTEMPTS = 3  # of a change of a plan, each lost to another writer


class PlanTable(EntryReader, Protocol):
    """Where plans are stored. Methods may raise DependencyUnavailable."""

    def put_plan(
        self,
        plan: Plan,
        rows: Sequence[PlanRow],
        key: IdempotencyKey | None,
        outdated: Mapping[str, Sequence[str]],
    ) -> tuple[str, str] | None:
        """Store a new plan, its rows first. ``outdated`` are the plans of products to forget.

        Return None, or the ID and the fingerprint of the plan that was made under this key before.
        """

    def plan(self, plan_id: str) -> Plan | None:
        """Return the plan, read consistently."""

    def plans(self, limit: int, before: str | None) -> list[Plan]:
        """Return the newest plans, those with an ID below ``before``, newest first."""

    def open_plans(self) -> list[Plan]:
        """Return the plans with a step left, the next one first."""

    def rows(self, plan: Plan) -> Iterator[PlanRow]:
        """Yield the rows, read when they are reached."""

    def versions(self, plan_id: str, limit: int) -> list[Plan]:
        """Return what the plan was after each change that people made to it, newest first."""

    def save_plan(
        self, plan: Plan, rows: Sequence[PlanRow] = (), *, is_new_version: bool = False
    ) -> bool:
        """Store the plan's next sequence; return False when another one is stored.

        ``is_new_version`` keeps it among the versions.
        """


class NameOwners(Protocol):
    """Knows which product has a name. May raise DependencyUnavailable."""

    def name_owner(self, name: str) -> str | None:
        """Return the ID of the product that has the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """The use cases of plans. Each write raises NotAllowed when the origin lacks a permission."""

    table: PlanTable
    logs: ProductLogs
    names: NameOwners
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def create(self, draft: Draft, origin: Origin, *, dry_run: bool = False) -> Preview:
        """Make a plan, or only show it.

        Raises: Invalid, NotAllowed, IdempotencyKeyReused, WritesRefused with the reason of each
        row that can't be planned, by position.
        """
        require_permissions(origin.permissions, {Permission.PLAN})
        validate_row_count(draft.rows)
        preview = plan_rows(self._new_plan(draft, origin), draft.rows, self.logs, origin)
        self._refuse_taken_names(preview.rows)
        if dry_run:
            return preview
        known = self.table.put_plan(
            preview.plan, preview.rows, origin.idempotency_key, preview.outdated
        )
        if known is None:
            return preview
        plan_id, fingerprint = known
        if origin.idempotency_key and origin.idempotency_key.fingerprint != fingerprint:
            raise IdempotencyKeyReused
        plan = self.plan(plan_id)
        return Preview(plan, list(self.table.rows(plan)), ())

    def _new_plan(self, draft: Draft, origin: Origin) -> Plan:
        now = self.clock()
        starts_at = validated_start(draft.starts_at, now)
        validate_times(starts_at, draft.ends_at, HORIZON)
        return Plan(
            plan_id=self.new_id(),
            name=validated_name(draft.name),
            owner=origin.actor,
            reason=draft.reason,
            zone=time_zone(draft.zone).key,
            starts_at=starts_at,
            ends_at=draft.ends_at,
            clash_rule=draft.clash_rule,
            rows=0,
            chunks=0,
            permissions=frozenset(),
            created_at=now,
            updated_at=now,
            updated_by=origin.actor,
        )

    def _refuse_taken_names(self, rows: Sequence[PlanRow]) -> None:
        refusals = {}
        for row in rows:
            name = row.edits.get("name")
            owner = self.names.name_owner(str(name)) if name else None
            if owner not in (None, row.product_id):
                refusals[row.number - 1] = NameTaken(str(name), str(owner))
        if refusals:
            raise WritesRefused(refusals)

    def plan(self, plan_id: str) -> Plan:
        """Return the plan. Raise PlanNotFound when there is none."""
        plan = self.table.plan(plan_id) if is_id(plan_id) else None
        if plan is None:
            raise PlanNotFound(plan_id)
        return plan

    def newest(self, limit: int, before: str | None = None) -> list[Plan]:
        """Return the newest plans, newest first."""
        return self.table.plans(limit, before)

    def open(self) -> list[Plan]:
        """Return the plans with a step left, the next one first."""
        return self.table.open_plans()

    def rows(self, plan: Plan) -> Iterator[PlanRow]:
        """Yield the rows of the plan, in their order."""
        return self.table.rows(plan)

    def versions(self, plan_id: str, limit: int = 100) -> list[Plan]:
        """Return what the plan was after each change that people made to it, newest first."""
        return self.table.versions(self.plan(plan_id).plan_id, limit)

    def change(
        self,
        plan_id: str,
        facts: Mapping[str, Any],
        origin: Origin,
        *,
        expected_version: int | None = None,
    ) -> Plan:
        """Change the name, the reason, the times or the clash rule of a plan.

        A plan that runs keeps its start and its having an end. An end that has passed is now.

        Raises: Invalid, PlanNotFound, PlanStateConflict, PlanVersionMismatch.
        """
        require_permissions(origin.permissions, {Permission.PLAN})
        for _ in range(MAX_ATTEMPTS):
            plan = self._current(plan_id, expected_version)
            changed = amended(plan, facts, self.clock())
            if changed == plan:
                return plan
            saved = self._by_person(changed, origin)
            if self.table.save_plan(saved, is_new_version=True):
                return saved
        raise PlanStateConflict("The plan is being changed at the same time. Try again.")

    def end_now(self, plan_id: str, origin: Origin, *, expected_version: int | None = None) -> Plan:
        """Let a running plan end now. Raises: PlanNotFound, PlanStateConflict."""
        if self.plan(plan_id).state is not PlanState.RUNNING:
            raise PlanStateConflict("Only a plan that runs can end early.")
        now = self.clock()
        return self.change(plan_id, {"ends_at": now}, origin, expected_version=expected_version)

    def cancel(self, plan_id: str, origin: Origin, *, expected_version: int | None = None) -> Plan:
        """Give up a plan that has not started.

        Raises: NotAllowed, PlanNotFound, PlanStateConflict, PlanVersionMismatch.
        """
        require_permissions(origin.permissions, {Permission.PLAN})
        for _ in range(MAX_ATTEMPTS):
            plan = self._current(plan_id, expected_version)
            if plan.state is PlanState.CANCELLED:
                return plan
            if plan.state is not PlanState.SCHEDULED:
                raise PlanStateConflict(
                    f"The plan is {plan.state}. Only a scheduled plan can be cancelled."
                )
            cancelled = self._by_person(replace(plan, state=PlanState.CANCELLED), origin)
            if self.table.save_plan(cancelled, is_new_version=True):
                return cancelled
        raise PlanStateConflict("The plan is being changed at the same time. Try again.")

    def undo(self, plan_id: str, origin: Origin) -> Plan:
        """Undo the last change that people made to the plan: its times, name or cancellation.

        Raises: NotAllowed, PlanNotFound, PlanStateConflict, Invalid.
        """
        require_permissions(origin.permissions, {Permission.PLAN})
        plan = self.plan(plan_id)
        earlier = [one for one in self.table.versions(plan_id, 2) if one.version < plan.version]
        if not earlier:
            raise PlanStateConflict("There is nothing to undo: nobody has changed the plan.")
        before = earlier[0]
        if plan.state is PlanState.CANCELLED:
            validated_start(before.starts_at, self.clock())
            restored = self._by_person(replace(plan, state=PlanState.SCHEDULED), origin)
            if self.table.save_plan(restored, is_new_version=True):
                return restored
            raise PlanStateConflict("The plan is being changed at the same time. Try again.")
        facts = {
            name: getattr(before, name)
            for name in FACTS
            if getattr(before, name) != getattr(plan, name)
        }
        return self.change(plan_id, facts, origin, expected_version=plan.version)

    def _current(self, plan_id: str, expected_version: int | None) -> Plan:
        plan = self.plan(plan_id)
        if expected_version not in (None, plan.version):
            raise PlanVersionMismatch(plan)
        return plan

    def _by_person(self, plan: Plan, origin: Origin) -> Plan:
        return replace(
            plan,
            version=plan.version + 1,
            sequence=plan.sequence + 1,
            updated_at=self.clock(),
            updated_by=origin.actor,
        )

    def outlook(self, product_id: str) -> Outlook | None:
        """Return what is to come for the product; None if it does not exist."""
        log = self.logs.read([product_id]).get(product_id)
        return outlook(log) if log else None

    def outlooks(self) -> dict[str, Outlook]:
        """Return what is to come for all products that open plans are about."""
        ids = {row.product_id for plan in self.table.open_plans() for row in self.table.rows(plan)}
        return {product_id: outlook(log) for product_id, log in self.logs.read(list(ids)).items()}

    def entries(self, product_id: str) -> Sequence[Entry]:
        """Return the rows of all plans about the product."""
        return self.table.entries_of([product_id]).get(product_id, ())
