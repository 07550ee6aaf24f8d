"""What a product will be, and which plans make it so. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from products.errors import CatalogueError
from products.merging import differences
from products.plans.holds import Stack, stacks
from products.plans.plan import BEFORE_START, FINAL, ClashRule, Entry, FieldChanges, Plan, Step
from products.plans.step_writes import ProductLog, clashing_edits
from products.product import Product, validated_product


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A step of a plan that is still to come: the product before and after it.

    ``message`` says why it will change nothing, if others changed the same field. ``fields`` are
    those that the plan sets.
    """

    at: datetime
    plan: Plan
    step: Step
    before: Product
    after: Product
    message: str = ""
    fields: frozenset[str] = frozenset()

    @property
    def changed(self) -> FieldChanges:
        return differences(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Outlook:
    """A product now, and the steps to come in their order.

    ``running`` are the plans whose values it has now.
    """

    now: Product
    steps: Sequence[Foreseen]
    running: Sequence[Plan]

    def at(self, moment: datetime) -> Product:
        """Return the product as it will be at this time, if nobody edits it before."""
        past = [step for step in self.steps if step.at <= moment]
        return past[-1].after if past else self.now

    def plans_at(self, moment: datetime) -> list[Plan]:
        """Return the plans that the product rests on at this time."""
        found = {plan.plan_id: plan for plan in self.running}
        found |= {step.plan.plan_id: step.plan for step in self.steps if step.at <= moment}
        return list(found.values())


@dataclass(frozen=True, slots=True)
class Overlap:
    """A field that two plans set at the same time: from when to when, and which of them wins."""

    product_id: str
    field: str
    plan: Plan
    wins: bool
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Foresight:
    """What is to come for products of a plan, and the fields that other plans set too."""

    outlooks: Mapping[str, Outlook]
    overlaps: Sequence[Overlap]


def outlook(log: ProductLog) -> Outlook:
    """Return what is to come for a product."""
    fields = {name for entry in log.entries for name in entry.row.edits}
    state = stacks(log.newest, log.changes, log.entries, fields)
    product = log.newest
    steps: list[Foreseen] = []
    for at, step, entry in _events(log.entries):
        message = _clash_sentence(entry, log) if step is Step.START else ""
        if not message:
            state = {**state, **_state_after(entry, step, state)}
        after, refusal = _with_values(product, entry, state)
        planned = frozenset(entry.row.edits)
        steps.append(Foreseen(at, entry.plan, step, product, after, message or refusal, planned))
        product = after
    running = [entry.plan for entry in log.entries if entry.is_running]
    return Outlook(log.newest, steps, running)


def steps_of(entry: Entry, log: ProductLog) -> list[Foreseen]:
    """Return the steps that one plan still has to make of the product, stored or not."""
    plan_id = entry.plan.plan_id
    is_known = any(known.plan.plan_id == plan_id for known in log.entries)
    complete = log if is_known else replace(log, entries=[*log.entries, entry])
    return [step for step in outlook(complete).steps if step.plan.plan_id == plan_id]


def _events(entries: Iterable[Entry]) -> list[tuple[datetime, Step, Entry]]:
    """Return the steps to come, in the order in which they will be made: ends before starts."""
    events: list[tuple[datetime, Step, Entry]] = []
    for entry in entries:
        plan = entry.plan
        if plan.state in FINAL:
            continue
        if plan.state in BEFORE_START and entry.row.start is None:
            events.append((plan.starts_at, Step.START, entry))
        if plan.ends_at is not None and entry.row.end is None:
            events.append((plan.ends_at, Step.END, entry))
    return sorted(events, key=lambda event: (event[0], event[1], event[2].plan.plan_id))


def _clash_sentence(entry: Entry, log: ProductLog) -> str:
    if entry.plan.clash_rule is ClashRule.APPLY:
        return ""
    clashes = clashing_edits(entry, log)
    return " ".join(
        f"{edit.origin.actor} changed {name} in version {edit.version} after the plan was made."
        for name, edit in clashes.items()
    )


def _state_after(entry: Entry, step: Step, state: Mapping[str, Stack]) -> dict[str, Stack]:
    """Return the stacks of the entry's fields after the step."""
    edits = entry.row.edits
    if step is Step.END:
        return {name: state[name].without_plan(entry.order) for name in edits}
    if entry.plan.ends_at is None:
        return {name: state[name].replaced(value) for name, value in edits.items()}
    return {name: state[name].with_plan(entry.order, value) for name, value in edits.items()}


def _with_values(product: Product, entry: Entry, state: Mapping[str, Stack]) -> tuple[Product, str]:
    """Return the product with the values of the entry's fields; the same if they contradict."""
    values: dict[str, Any] = {name: state[name].value for name in entry.row.edits}
    try:
        return validated_product(replace(product, **values)), ""
    except CatalogueError as refusal:
        return product, str(refusal)


def overlaps(entry: Entry, others: Iterable[Entry]) -> list[Overlap]:
    """Return the fields of the row that other plans set at the same time."""
    found: list[Overlap] = []
    for other in others:
        since = max(entry.plan.starts_at, other.plan.starts_at)
        until = min(filter(None, (entry.plan.ends_at, other.plan.ends_at)), default=None)
        is_open = other.plan.state not in FINAL and other.order != entry.order
        if not is_open or not _meet(entry.plan, other.plan):
            continue
        found += [
            Overlap(entry.row.product_id, name, other.plan, entry.order > other.order, since, until)
            for name in entry.row.edits
            if name in other.row.edits
        ]
    return found


def _meet(plan: Plan, other: Plan) -> bool:
    """Whether the plans run at the same time. One without an end lasts for its start only."""
    return _starts_within(plan, other) or _starts_within(other, plan)


def _starts_within(plan: Plan, other: Plan) -> bool:
    if other.ends_at is None:
        return plan.starts_at == other.starts_at
    return other.starts_at <= plan.starts_at < other.ends_at
