"""Plans: make, preview, move, end, cancel and undo them. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from products.changes import Origin, validate_reason
from products.errors import NameTaken
from products.idempotency import IdempotencyKeyReused
from products.identifiers import is_id
from products.permissions import Permission, require_permissions
from products.plans.amending import FACTS, amended, validated_name, validated_start
from products.plans.announcing import Announcer
from products.plans.drafts import Draft, Preview, RowsRefused, plan_rows, validate_row_count
from products.plans.forecast import Foreseen, Foresight, Outlook, outlook, overlaps, steps_of
from products.plans.logs import ProductLogs
from products.plans.plan import (
    FINAL,
    HORIZON,
    Entry,
    Plan,
    PlanNotFound,
    PlanRow,
    PlanState,
    PlanStateConflict,
    PlanVersionMismatch,
)
from products.plans.tables import NameOwners, PlanTable
from products.plans.times import time_zone, validate_times

MAX_ATTEMPTS = 3  # of a change of a plan, each lost to another writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """The use cases of plans. Each write raises NotAllowed when the origin lacks a permission."""

    table: PlanTable
    logs: ProductLogs
    names: NameOwners
    announcer: Announcer
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def create(self, draft: Draft, origin: Origin, *, dry_run: bool = False) -> Preview:
        """Make a plan, or only show it. A repeated request returns the plan that it made.

        Raises: Invalid, NotAllowed, IdempotencyKeyReused, RowsRefused with the reason of each
        row that can't be planned, by position.
        """
        require_permissions(origin.permissions, {Permission.PLAN})
        if not dry_run and (made := self.made_by_request(origin)):
            return made
        preview = self.prepare(draft, origin)
        return preview if dry_run else self.store(preview, origin)

    def prepare(self, draft: Draft, origin: Origin) -> Preview:
        """Return the plan as it would be made. Nothing is stored. Raises what ``create`` raises."""
        require_permissions(origin.permissions, {Permission.PLAN})
        validate_row_count(draft.rows)
        preview = plan_rows(self._new_plan(draft, origin), draft.rows, self.logs, origin)
        self._refuse_taken_names(preview.rows)
        return preview

    def store(self, preview: Preview, origin: Origin) -> Preview:
        """Store a prepared plan, or return the one that the same request has made before."""
        known = self.table.put_plan(
            preview.plan, preview.rows, origin.idempotency_key, preview.outdated
        )
        if known is not None:
            return self._made_before(known, origin)
        self.announcer.announce(preview.plan)
        return preview

    def made_by_request(self, origin: Origin) -> Preview | None:
        """Return the plan that the same request has made before. Raises: IdempotencyKeyReused.

        The plan may have started since, so this is looked up before anything is validated.
        """
        key = origin.idempotency_key
        known = self.table.known_request(origin.actor, key) if key else None
        return self._made_before(known, origin) if known else None

    def _made_before(self, known: tuple[str, str], origin: Origin) -> Preview:
        plan_id, fingerprint = known
        if origin.idempotency_key and origin.idempotency_key.fingerprint != fingerprint:
            raise IdempotencyKeyReused
        plan = self.plan(plan_id)
        return Preview(plan, list(self.table.rows(plan)), (), replayed=True)

    def _new_plan(self, draft: Draft, origin: Origin) -> Plan:
        now = self.clock()
        validate_reason(draft.reason)
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
            authority=origin.authority,
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
            raise RowsRefused(refusals, [row.product_id for row in rows])

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

    def foreseen(self, plan: Plan, rows: Sequence[PlanRow]) -> dict[str, list[Foreseen]]:
        """Return the steps that the plan still has to make of each row, by product."""
        logs = self.logs.read([row.product_id for row in rows])
        return {
            row.product_id: steps_of(Entry(plan, row), logs[row.product_id])
            for row in rows
            if row.product_id in logs
        }

    def versions(self, plan_id: str, limit: int = 100, before: int | None = None) -> list[Plan]:
        """Return what the plan was after each change that people made to it, newest first."""
        return self.table.versions(self.plan(plan_id).plan_id, limit, before)

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

        Raises: Invalid, NotAllowed, PlanNotFound, PlanStateConflict, PlanVersionMismatch.
        """
        for _ in range(MAX_ATTEMPTS):
            plan = self._current(plan_id, expected_version)
            _require_permissions_of(plan, origin)
            changed = amended(plan, facts, self.clock())
            if changed == plan:
                return plan
            saved = self._by_person(changed, origin)
            if self.table.save_plan(saved, is_new_version=True):
                self.announcer.announce(saved)
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

    def undo(self, plan_id: str, origin: Origin, *, expected_version: int | None = None) -> Plan:
        """Undo the last change that people made to the plan: its times, name or cancellation.

        Raises: NotAllowed, PlanNotFound, PlanStateConflict, PlanVersionMismatch, Invalid.
        """
        plan = self._current(plan_id, expected_version)
        _require_permissions_of(plan, origin)
        earlier = [one for one in self.table.versions(plan_id, 2) if one.version < plan.version]
        if not earlier:
            raise PlanStateConflict("There is nothing to undo: nobody has changed the plan.")
        before = earlier[0]
        if plan.state is PlanState.CANCELLED:
            validated_start(before.starts_at, self.clock())
            restored = self._by_person(replace(plan, state=PlanState.SCHEDULED), origin)
            if self.table.save_plan(restored, is_new_version=True):
                self.announcer.announce(restored)
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

    def coming(self, product_id: str) -> Outlook | None:
        """Return what is to come for the product; None when no open plan is about it.

        Of most products there is no plan, so that is one read.
        """
        entries = self.entries(product_id)
        is_planned = any(entry.plan.state not in FINAL for entry in entries)
        return self.outlook(product_id) if is_planned else None

    def outlooks(self, until: datetime | None = None) -> dict[str, Outlook]:
        """Return what is to come for all products that open plans are about.

        With ``until``, only for products of plans that start by then.
        """
        plans = [p for p in self.table.open_plans() if until is None or p.starts_at <= until]
        ids = {row.product_id for plan in plans for row in self.table.rows(plan)}
        return {product_id: outlook(log) for product_id, log in self.logs.read(list(ids)).items()}

    def entries(self, product_id: str) -> Sequence[Entry]:
        """Return the rows of all plans about the product."""
        return self.table.entries_of([product_id]).get(product_id, ())

    def foresee(self, plan: Plan, rows: Sequence[PlanRow]) -> Foresight:
        """Return what is to come for the products of these rows, and which plans overlap them."""
        logs = self.logs.read([row.product_id for row in rows])
        known = [row for row in rows if row.product_id in logs]
        found = [overlaps(Entry(plan, row), logs[row.product_id].entries) for row in known]
        return Foresight(
            {product_id: outlook(log) for product_id, log in logs.items()},
            [overlap for overlapping in found for overlap in overlapping],
        )


def _require_permissions_of(plan: Plan, origin: Origin) -> None:
    """Raise NotAllowed for somebody who could not have made the plan.

    Its steps are made for its owner, and they happen when others move them. To cancel a plan needs
    less.
    """
    require_permissions(origin.permissions, {Permission.PLAN} | plan.permissions)
