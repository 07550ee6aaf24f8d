"""What a step of a plan writes to one product: decided from the product's log. Pure."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from products.changes import Change
from products.errors import CatalogueError
from products.merging import differences, shown_value
from products.plans.holds import Stack, edits_to_reach, last_edit, stacks
from products.plans.plan import (
    ClashRule,
    Entry,
    RowOutcome,
    RowState,
    Step,
    is_by_people,
    is_of_campaign,
    made_by,
)
from products.product import Product
from products.writes import Accepted

HAS_EXPIRED = "The end of the plan had passed before this row could start."


@dataclass(frozen=True, slots=True)
class ProductLog:
    """The newest version of a product, and what plans and people did to it.

    ``changes`` are those since the plans began that run now, newest first. ``entries`` are the
    rows of all plans about the product.
    """

    newest_change: Change
    changes: Sequence[Change]
    entries: Sequence[Entry]

    @property
    def newest(self) -> Product:
        return self.newest_change.after


@dataclass(frozen=True, slots=True)
class StepWrite:
    """The edits that a step makes, or ``outcome`` when there is nothing to write.

    ``message`` names the fields that the step leaves as they are, and who changed them.
    """

    edits: Mapping[str, Any] = field(default_factory=dict)
    outcome: RowOutcome | None = None
    message: str = ""


def step_write(
    entry: Entry,
    step: Step,
    log: ProductLog,
    *,
    has_expired: bool = False,
    refusal: str = "",
) -> StepWrite:
    """Return what the step writes. A step that was made before is recognised, and not repeated.

    ``has_expired`` says that the plan's end had passed before its start: nothing starts then. Nor
    does it with a ``refusal``, which is the reason.
    """
    known = made_by(entry.plan, step, log.changes)
    if known:
        return StepWrite(outcome=applied(known))
    if refusal or has_expired:
        message = refusal or HAS_EXPIRED
        return StepWrite(outcome=RowOutcome(state=RowState.REFUSED, message=message))
    if step is Step.END and not entry.row.has_started:
        return StepWrite(outcome=unchanged(log))
    found = stacks(log.newest, log.changes, log.entries, entry.row.edits)
    if step is Step.START:
        return _start_write(entry, found, log)
    return _end_write(entry, found, log)


def applied(change: Change, message: str = "") -> RowOutcome:
    """Return the outcome of a step that made this change."""
    return RowOutcome(
        state=RowState.APPLIED,
        version=change.version,
        changed=differences(change.before, change.after),
        message=message,
    )


def outcome_of(result: Accepted | CatalogueError, log: ProductLog, message: str = "") -> RowOutcome:
    """Return the outcome of a write that was tried."""
    if isinstance(result, CatalogueError):
        return RowOutcome(state=RowState.REFUSED, message=str(result))
    if result.change is None:
        return unchanged(log, message)
    return applied(result.change, message)


def unchanged(log: ProductLog, message: str = "") -> RowOutcome:
    return RowOutcome(state=RowState.UNCHANGED, version=log.newest.version, message=message)


def _start_write(entry: Entry, found: Mapping[str, Stack], log: ProductLog) -> StepWrite:
    clashes = clashing_edits(entry, log)
    if clashes and entry.plan.clash_rule is ClashRule.KEEP:
        message = " ".join(_kept_sentence(name, change) for name, change in clashes.items())
        return StepWrite(outcome=RowOutcome(state=RowState.KEPT, message=message))
    if entry.plan.ends_at is None:
        targets = dict(entry.row.edits)
    else:
        targets = {
            name: stack.with_plan(entry.order, entry.row.edits[name]).value
            for name, stack in found.items()
        }
    return _write(log, targets, "")


def clashing_edits(entry: Entry, log: ProductLog) -> dict[str, Change]:
    """Return the changes, by field, by which others gave a planned field a value of their own.

    A value that equals the one before, or the planned one, is no clash.
    """
    found: dict[str, Change] = {}
    since = [c for c in log.changes if c.version > entry.row.base and is_by_people(c)]
    for name, planned in entry.row.edits.items():
        edit = last_edit(name, since)
        if edit is None:
            continue
        original = _value_at(entry.row.base, name, log)
        if shown_value(edit.after, name) not in (original, planned):
            found[name] = edit
    return found


def _value_at(version: int, name: str, log: ProductLog) -> Any:
    """Return the field's value after a version, from the changes that followed it."""
    value = shown_value(log.newest, name)
    for change in log.changes:
        if change.version <= version:
            break
        value = shown_value(change.before, name) if change.before else value
    return value


def _kept_sentence(name: str, edit: Change) -> str:
    return f"{edit.origin.actor} changed {name} in version {edit.version}, so that value stays."


def _end_write(entry: Entry, found: Mapping[str, Stack], log: ProductLog) -> StepWrite:
    targets: dict[str, Any] = {}
    sentences: list[str] = []
    for name, stack in found.items():
        if stack.has(entry.order):
            targets[name] = stack.without_plan(entry.order).value
        elif edit := last_edit(name, itertools.filterfalse(is_of_campaign, log.changes)):
            sentences.append(_kept_sentence(name, edit))
    message = " ".join(sentences)
    if sentences and not targets:
        return StepWrite(
            outcome=RowOutcome(state=RowState.KEPT, version=log.newest.version, message=message)
        )
    return _write(log, targets, message)


def _write(log: ProductLog, targets: Mapping[str, Any], message: str) -> StepWrite:
    edits = edits_to_reach(log.newest, targets)
    if not edits:
        return StepWrite(outcome=unchanged(log, message))
    return StepWrite(edits=edits, message=message)
