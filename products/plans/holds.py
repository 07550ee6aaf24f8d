"""Which plan sets a field of a product, and what is beneath it. Pure.

The rule: of the plans that run, the one that started last sets the field. When it ends, the value
of the plan beneath it returns, and without one the value that people gave the field. What people
save while plans run replaces the values of these plans: they take nothing back any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from products.changes import Change
from products.merging import differences, shown_value
from products.plans.plan import FINAL, Entry, RowState, is_of_campaign
from products.product import Product

REMEMBERED = timedelta(days=31)
"""How long a product's plans are listed with it after they ended."""

type Order = tuple[datetime, str]
"""The order of the starts of plans: a time, and the ID of the plan."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A running plan that sets a field to a value."""

    order: Order
    value: Any


@dataclass(frozen=True, slots=True)
class Stack:
    """The plans that set one field, the winning one last, on the value that people gave it.

    ``edited_in`` is the version in which people changed the field last, as far as it is known.
    """

    base: Any
    holds: tuple[Hold, ...] = ()
    edited_in: int = 0

    @property
    def value(self) -> Any:
        """The field's value."""
        return self.holds[-1].value if self.holds else self.base

    def has(self, order: Order) -> bool:
        return any(hold.order == order for hold in self.holds)

    def with_plan(self, order: Order, value: Any) -> "Stack":
        """Return the stack after the start of a plan."""
        others = [hold for hold in self.holds if hold.order != order]
        holds = sorted([*others, Hold(order, value)], key=lambda hold: hold.order)
        return replace(self, holds=tuple(holds))

    def without_plan(self, order: Order) -> "Stack":
        """Return the stack after the end of a plan."""
        return replace(self, holds=tuple(hold for hold in self.holds if hold.order != order))

    def replaced(self, value: Any) -> "Stack":
        """Return the stack after an edit: the plans so far hold nothing any more."""
        return replace(self, base=value, holds=())


def first_version(entry: Entry, entries: Iterable[Entry]) -> int:
    """Return the version before the first of the plans that overlap this one, directly or not.

    The changes after that version say what these plans set, and what is beneath them.
    """
    chain = [entry]
    others = [
        other
        for other in entries
        if other.row.has_started and other.plan.ends_at and other.order != entry.order
    ]
    while near := [other for other in others if any(_overlap(other, one) for one in chain)]:
        chain += near
        others = [other for other in others if other not in near]
    return min(_version_before(one) for one in chain)


def _overlap(one: Entry, other: Entry) -> bool:
    return not (_is_over_before(one, other) or _is_over_before(other, one))


def _is_over_before(one: Entry, other: Entry) -> bool:
    """Whether a plan had ended when the other started."""
    end = one.plan.ends_at
    return one.row.end is not None and end is not None and end <= other.plan.starts_at


def _version_before(entry: Entry) -> int:
    """Return the product's version before the start; the planned base if it has not started."""
    start = entry.row.start
    if start is None or start.version is None:
        return entry.row.base
    return start.version - 1 if start.state is RowState.APPLIED else start.version


def outdated_plans(entries: Sequence[Entry], now: datetime) -> list[str]:
    """Return the IDs of plans that ended long ago, and which no plan with a step left overlaps."""
    still_open = [one for one in entries if one.plan.state not in FINAL]
    return [
        one.plan.plan_id
        for one in entries
        if one.plan.state in FINAL
        and one.plan.updated_at < now - REMEMBERED
        and (one.plan.ended_at or one.plan.updated_at) < now - REMEMBERED
        and not any(_overlap(one, other) for other in still_open)
    ]


def stacks(
    newest: Product, changes: Sequence[Change], entries: Iterable[Entry], fields: Iterable[str]
) -> dict[str, Stack]:
    """Return the stack of each field.

    ``changes`` are those after the version of ``first_version``, newest first. Of ``entries``,
    those that run count.
    """
    running = sorted((one for one in entries if one.is_running), key=lambda one: one.order)
    return {field: _stack(field, newest, changes, running) for field in fields}


def _stack(
    field: str, newest: Product, changes: Sequence[Change], running: Sequence[Entry]
) -> Stack:
    base, edited_in = _beneath(field, newest, changes)
    holds = tuple(
        Hold(entry.order, entry.row.edits[field])
        for entry in running
        if field in entry.row.edits and _start_version(entry) >= edited_in
    )
    return Stack(base, holds, edited_in)


def _start_version(entry: Entry) -> int:
    start = entry.row.start
    return start.version if start and start.version else 0


def _beneath(field: str, newest: Product, changes: Sequence[Change]) -> tuple[Any, int]:
    """Return the value that people gave the field, and in which version, 0 before ``changes``."""
    value = shown_value(newest, field)
    for change in changes:
        changed = differences(change.before, change.after)
        if field not in changed:
            continue
        before, after = changed[field]
        if not is_of_campaign(change):
            return after, change.version
        value = before
    return value, 0


def last_edit(field: str, changes: Iterable[Change]) -> Change | None:
    """Return the first of the changes that changed the field."""
    return next((c for c in changes if field in differences(c.before, c.after)), None)


def edits_to_reach(newest: Product, targets: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields whose values differ from these targets."""
    return {field: value for field, value in targets.items() if shown_value(newest, field) != value}
