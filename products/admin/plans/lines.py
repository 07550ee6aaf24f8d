"""The rows of a plan as a table: before, after, the change, and what became of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

from django.utils.http import urlencode
from django.utils.translation import gettext

from products.admin.base import product_url
from products.admin.bulk_preview import STATUS, PreviewLine, change_lines
from products.admin.formatting import counted, field_label, format_value, grouped_money
from products.admin.plans.wording import outcome_text, time_text
from products.admin.sentences.finding import in_words
from products.plans.forecast import Foreseen, Outlook, Overlap
from products.plans.plan import Plan, PlanRow, RowOutcome, Step
from products.product import Product

AMOUNTS = frozenset({"price", "renewal_price"})


class StepResult(TypedDict):
    """What became of a row at a step, with the page that compares the versions."""

    text: str
    version: int | None
    url: str
    message: str


class Moment(TypedDict):
    """A value that a field will have, from when, and what sets it."""

    value: str
    since: str
    cause: str


class RowLine(TypedDict):
    """A product of a plan as the table shows it."""

    row: PlanRow
    url: str
    lines: list[PreviewLine]
    start: StepResult
    end: StepResult
    note: str
    moments: list[tuple[str, list[Moment]]]


class OverlapLine(TypedDict):
    """Another plan that sets the same field at the same time."""

    plan: Plan
    text: str


def row_lines(
    rows: Iterable[PlanRow],
    plan: Plan,
    outlooks: Mapping[str, Outlook],
    overlapping: Sequence[Overlap],
) -> list[RowLine]:
    """Return the lines. Rows that have not started show what is foreseen for them now."""
    shared: dict[str, set[str]] = {}
    for overlap in overlapping:
        shared.setdefault(overlap.product_id, set()).add(overlap.field)
    return [
        _row_line(row, plan, outlooks.get(row.product_id), shared.get(row.product_id, set()))
        for row in rows
    ]


def _row_line(row: PlanRow, plan: Plan, outlook: Outlook | None, shared: set[str]) -> RowLine:
    start = _foreseen_start(plan, outlook) if row.start is None else None
    changed = row.start.changed if row.start else start.changed if start else row.changed
    return {
        "row": row,
        "url": product_url("change", row.product_id),
        "lines": change_lines(changed, row.currency),
        "start": _step_result(row, row.start, Step.START),
        "end": _step_result(row, row.end, Step.END),
        "note": in_words(start.message) if start else "",
        "moments": [(field_label(name), moments(outlook, name)) for name in sorted(shared)]
        if outlook
        else [],
    }


def _foreseen_start(plan: Plan, outlook: Outlook | None) -> Foreseen | None:
    for step in outlook.steps if outlook else ():
        if step.plan.plan_id == plan.plan_id and step.step is Step.START:
            return step
    return None


def _step_result(row: PlanRow, outcome: RowOutcome | None, step: Step) -> StepResult:
    version = outcome.version if outcome and outcome.changed else None
    url = ""
    if version:
        compared = urlencode({"from": version - 1, "to": version})
        url = f"{product_url('history', row.product_id)}?{compared}"
    message = in_words(outcome.message) if outcome else ""
    return {
        "text": outcome_text(outcome, step),
        "version": version,
        "url": url,
        "message": message,
    }


def value_text(product: Product, name: str) -> str:
    """Return a field as staff read it, amounts with their currency."""
    value = getattr(product, name)
    if name in AMOUNTS and value is not None:
        return grouped_money(value, product.currency)
    if name == "active":
        return str(STATUS[bool(value)])
    return format_value(value)


def moments(outlook: Outlook, name: str) -> list[Moment]:
    """Return the values that a field has now and will have, each with what sets it."""
    found: list[Moment] = [
        {"value": value_text(outlook.now, name), "since": gettext("now"), "cause": ""},
    ]
    for step in outlook.steps:
        value = value_text(step.after, name)
        if name in step.changed:
            since = gettext("from {time}").format(time=time_text(step.at))
            starts, ends = gettext("{plan} starts"), gettext("{plan} ends")
            cause = (starts if step.step is Step.START else ends).format(plan=step.plan.name)
            found.append({"value": value, "since": since, "cause": cause})
    return found


def overlap_lines(plan: Plan, overlapping: Sequence[Overlap]) -> list[OverlapLine]:
    """Return a sentence for each other plan and field, with the number of products."""
    groups: dict[tuple[str, str], list[Overlap]] = {}
    for overlap in overlapping:
        groups.setdefault((overlap.plan.plan_id, overlap.field), []).append(overlap)
    return [
        {"plan": group[0].plan, "text": _overlap_text(plan, group)} for group in groups.values()
    ]


def _overlap_text(plan: Plan, group: Sequence[Overlap]) -> str:
    overlap = group[0]
    winner, other = (plan, overlap.plan) if overlap.wins else (overlap.plan, plan)
    text = gettext("“{plan}” sets the {field} of {products} from {since} and wins.")
    if overlap.until:
        text = gettext("“{plan}” sets the {field} of {products} from {since} to {until} and wins.")
    sentence = text.format(
        plan=winner.name,
        field=field_label(overlap.field).lower(),
        products=counted(len(group)),
        since=time_text(overlap.since),
        until=time_text(overlap.until) if overlap.until else "",
    )
    if overlap.until and winner.ends_at == overlap.until and other.ends_at != overlap.until:
        returns = gettext("Then the value of “{plan}” returns.").format(plan=other.name)
        return f"{sentence} {returns}"
    return sentence
