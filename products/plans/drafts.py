"""What people ask of a plan, and whether it can be made. Pure."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from products.bulk.pricing import Adjustment, new_prices
from products.changes import Origin
from products.errors import CatalogueError, Invalid, NameTaken, ProductNotFound
from products.merging import differences, merged
from products.permissions import Permission, needed_permissions, require_permissions
from products.plans.forecast import Foreseen, Outlook, Overlap, outlook, overlaps, steps_of
from products.plans.holds import outdated_plans
from products.plans.logs import ProductLogs
from products.plans.plan import MAX_ROWS, ClashRule, Entry, Plan, PlanRow
from products.plans.step_writes import ProductLog
from products.product import Product, normalised_name, validated_edits, validated_product
from products.writes import WritesRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRow:
    """The edits of one product; ``adjustment`` changes the prices that it will have by then.

    ``base`` is the version that the caller started from, by default the newest.
    """

    product_id: str
    edits: Mapping[str, Any] = field(default_factory=dict)
    adjustment: Adjustment | None = None
    adjusted_fields: tuple[str, ...] = ("price",)
    base: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan as it is asked for. ``starts_at`` None starts it immediately."""

    name: str
    rows: Sequence[DraftRow]
    starts_at: datetime | None
    ends_at: datetime | None
    zone: str
    reason: str = ""
    clash_rule: ClashRule = ClashRule.KEEP


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan with its rows, and the fields that other plans set at the same time.

    ``foreseen`` are the steps of each row, by product. ``replayed`` says that the plan was made by
    an earlier request with the same key; then there are no overlaps and no foreseen steps.
    ``outdated`` are the IDs of old plans of each product, which need not be read any more.
    ``outlooks`` are those of the products with overlaps, as they are with the plan.
    """

    plan: Plan
    rows: Sequence[PlanRow]
    overlaps: Sequence[Overlap]
    foreseen: Mapping[str, Sequence[Foreseen]] = field(default_factory=dict)
    replayed: bool = False
    outdated: Mapping[str, Sequence[str]] = field(default_factory=dict)
    outlooks: Mapping[str, Outlook] = field(default_factory=dict)


class RowsRefused(WritesRefused):
    """A plan can't be made because of these rows. ``product_ids`` are those of all rows."""

    def __init__(self, refusals: Mapping[int, CatalogueError], product_ids: Sequence[str]) -> None:
        self.product_ids = product_ids
        super().__init__(refusals)


def validate_row_count(rows: Sequence[DraftRow]) -> None:
    """Raise Invalid when the rows are too many, none, or two of one product."""
    if not 1 <= len(rows) <= MAX_ROWS:
        sentence = f"A plan has 1 to {MAX_ROWS} products; this one would have {len(rows)}."
        raise Invalid({"rows": [sentence]})
    seen: set[str] = set()
    for row in rows:
        if row.product_id in seen:
            raise Invalid({"rows": [f"Product {row.product_id!r} is in more than one row."]})
        seen.add(row.product_id)


def plan_rows(plan: Plan, rows: Sequence[DraftRow], logs: ProductLogs, origin: Origin) -> Preview:
    """Return the plan with its rows, each on what its product will be at the start.

    Raise RowsRefused with the reason of each row that can't be planned, by position.
    """
    found = logs.read([row.product_id for row in rows])
    planned: list[PlanRow] = []
    refusals: dict[int, CatalogueError] = {}
    for position, row in enumerate(rows):
        try:
            log = found.get(row.product_id)
            if log is None:
                raise ProductNotFound(row.product_id)
            planned_row = _plan_row(position + 1, row, plan, log)
            _refuse_outdated(row, planned_row.edits, log, logs)
            require_permissions(origin.permissions, _needed(planned_row))
            planned.append(planned_row)
        except CatalogueError as refusal:
            refusals[position] = refusal
    refusals |= _same_names(planned)
    if refusals:
        raise RowsRefused(refusals, [row.product_id for row in rows])
    return _preview(plan, planned, found)


def _preview(plan: Plan, rows: Sequence[PlanRow], logs: Mapping[str, ProductLog]) -> Preview:
    """Return the plan of these rows, with what it does together with other plans."""
    needed = {permission for row in rows for permission in _needed(row)}
    complete = replace(plan, rows=len(rows), permissions=frozenset({Permission.PLAN, *needed}))
    overlapping = list(_overlaps(complete, rows, logs))
    return Preview(
        plan=complete,
        rows=rows,
        overlaps=overlapping,
        foreseen={
            row.product_id: steps_of(Entry(complete, row), logs[row.product_id]) for row in rows
        },
        outlooks=_outlooks(complete, rows, {one.product_id for one in overlapping}, logs),
        outdated={i: outdated_plans(log.entries, plan.created_at) for i, log in logs.items()},
    )


def _plan_row(number: int, draft: DraftRow, plan: Plan, log: ProductLog) -> PlanRow:
    before = outlook(log).at(plan.starts_at)
    edits = _edits(draft, before)
    if not edits:
        raise Invalid({"edits": ["Name at least one field to change."]})
    after = validated_product(replace(before, **edits))
    return PlanRow(
        number=number,
        product_id=before.product_id,
        name=before.name,
        currency=before.currency,
        edits=edits,
        base=log.newest.version,
        changed=differences(before, after),
    )


def _needed(row: PlanRow) -> frozenset[Permission]:
    """Return the permissions that the row's edits need, also if they change nothing now."""
    return needed_permissions({name: (None, value) for name, value in row.edits.items()})


def _edits(draft: DraftRow, before: Product) -> dict[str, Any]:
    """Return the edits as the product's rules keep them."""
    edits = dict(draft.edits)
    if draft.adjustment:
        edits |= new_prices(before, draft.adjusted_fields, draft.adjustment)
    return validated_edits(edits, before.currency)


def _refuse_outdated(
    draft: DraftRow, edits: Mapping[str, Any], log: ProductLog, logs: ProductLogs
) -> None:
    """Raise EditConflict when others changed a field after the version the caller started from."""
    newest = log.newest
    if draft.base in (None, newest.version):
        return
    base = logs.version(newest.product_id, draft.base) if draft.base else None
    if base is None:
        sentence = f"Product {newest.product_id!r} is at version {newest.version} by now."
        raise Invalid({"version": [sentence]})
    merged(base, edits, newest)


def _same_names(rows: Iterable[PlanRow]) -> dict[int, CatalogueError]:
    """Return a refusal for each row that gives a product the name of an earlier row."""
    owners: dict[str, str] = {}
    refusals: dict[int, CatalogueError] = {}
    for row in rows:
        if "name" not in row.edits:
            continue
        name = str(row.edits["name"])
        owner = owners.setdefault(normalised_name(name), row.product_id)
        if owner != row.product_id:
            refusals[row.number - 1] = NameTaken(name, owner)
    return refusals


def _overlaps(
    plan: Plan, rows: Iterable[PlanRow], logs: Mapping[str, ProductLog]
) -> Iterable[Overlap]:
    for row in rows:
        yield from overlaps(Entry(plan, row), logs[row.product_id].entries)


def _outlooks(
    plan: Plan, rows: Iterable[PlanRow], wanted: Set[str], logs: Mapping[str, ProductLog]
) -> dict[str, Outlook]:
    """Return what is to come for these products once the plan is stored."""
    found: dict[str, Outlook] = {}
    for row in rows:
        if row.product_id in wanted:
            log = logs[row.product_id]
            found[row.product_id] = outlook(replace(log, entries=[*log.entries, Entry(plan, row)]))
    return found
