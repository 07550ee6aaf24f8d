"""The page of one plan: its rows, its overlaps, its history, and what can be done with it."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice, pairwise
from typing import TypedDict

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from products.admin.base import Context, ModelAdmin, page_response
from products.admin.error_pages import PageNotFound
from products.admin.formatting import counted
from products.admin.plans.lines import overlap_lines, row_lines
from products.admin.plans.listing import may_plan, plan_entry
from products.admin.plans.wording import CLASH_RULES, both_times, results_text, time_text
from products.plans.amending import FACTS
from products.plans.plan import (
    ClashRule,
    Plan,
    PlanNotFound,
    PlanRow,
    PlanState,
    Step,
)
from products.scheduling import plans

PAGE_SIZE = 100  # rows
MAX_VERSIONS = 50
MAX_PAGE_DIGITS = 3
PLAN_NOT_FOUND = gettext_lazy("This plan does not exist.")
FACT_CHANGES = {
    "name": gettext_lazy("changed the name from {before} to {after}"),
    "reason": gettext_lazy("changed the reason from {before} to {after}"),
    "zone": gettext_lazy("changed the time zone from {before} to {after}"),
    "starts_at": gettext_lazy("changed the start from {before} to {after}"),
    "ends_at": gettext_lazy("changed the end from {before} to {after}"),
    "clash_rule": gettext_lazy("changed the rule for clashes from {before} to {after}"),
}


class VersionEntry(TypedDict):
    """What somebody did to the plan."""

    actor: str
    at: datetime
    texts: list[str]


def plan_view(admin: ModelAdmin, request: HttpRequest, plan_id: str) -> HttpResponse:
    """Show the plan with one page of its rows."""
    plan = plan_or_404(plan_id)
    pages = max(1, -(-plan.rows // PAGE_SIZE))
    page = _page_number(request.GET.get("page", ""), pages)
    rows = list(islice(plans().rows(plan), (page - 1) * PAGE_SIZE, page * PAGE_SIZE))
    context: Context = {
        "title": plan.name,
        **plan_entry(plan),
        **_times_context(plan),
        **_rows_context(plan, rows),
        "results": _results(plan),
        "clash_rule": str(CLASH_RULES[plan.clash_rule]),
        "versions": _version_entries(plans().versions(plan_id, MAX_VERSIONS)),
        "pages": pages,
        "page": page,
        "may_plan": may_plan(request),
        "is_scheduled": plan.state is PlanState.SCHEDULED,
        "is_running": plan.state is PlanState.RUNNING,
        "follows": _is_near(plan),
        "count": counted(plan.rows),
    }
    return page_response(admin, request, "plans/plan", context)


def plan_or_404(plan_id: str) -> Plan:
    try:
        return plans().plan(plan_id)
    except PlanNotFound as error:
        raise PageNotFound(str(PLAN_NOT_FOUND)) from error


def _page_number(text: str, last_page: int) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_PAGE_DIGITS
    return min(max(int(text), 1), last_page) if is_number else 1


def _rows_context(plan: Plan, rows: Sequence[PlanRow]) -> Context:
    """Return the rows; while steps are to come, with what is foreseen for their products."""
    if plan.next_step is None:
        return {"lines": row_lines(rows, plan, {}, ()), "overlaps": []}
    foresight = plans().foresee(plan, rows)
    return {
        "lines": row_lines(rows, plan, foresight.outlooks, foresight.overlaps),
        "overlaps": overlap_lines(plan, foresight.overlaps),
    }


def _times_context(plan: Plan) -> Context:
    """Return the times in the reader's zone, and in the plan's zone where that is another."""
    is_same_zone = plan.zone == timezone.get_current_timezone_name()
    ends_at = plan.ends_at
    return {
        "typed_start": "" if is_same_zone else both_times(plan.starts_at, plan.zone),
        "typed_end": "" if is_same_zone or not ends_at else both_times(ends_at, plan.zone),
    }


def _results(plan: Plan) -> list[tuple[str, datetime, str]]:
    """Return what the steps did, each with when it was complete."""
    done = (
        (Step.START, gettext("Started"), plan.started_at),
        (Step.END, gettext("Ended"), plan.ended_at),
    )
    return [(label, at, results_text(plan, step)) for step, label, at in done if at]


def _is_near(plan: Plan) -> datetime | None:
    """Return when the next step is due, for the page's script that follows it."""
    return plan.due if plan.state is not PlanState.CANCELLED else None


def _version_entries(versions: Sequence[Plan]) -> list[VersionEntry]:
    """Return what people did to the plan, newest first."""
    if not versions:
        return []
    entries = [_version_entry(later, earlier) for later, earlier in pairwise(versions)]
    first = versions[-1]
    made, changed = gettext("made the plan"), gettext("changed the plan")
    texts = [made if first.version == 1 else changed]
    return [*entries, {"actor": first.updated_by, "at": first.updated_at, "texts": texts}]


def _version_entry(later: Plan, earlier: Plan) -> VersionEntry:
    texts = [
        FACT_CHANGES[name].format(before=_fact(earlier, name), after=_fact(later, name))
        for name in FACTS
        if getattr(earlier, name) != getattr(later, name)
    ]
    if later.state is PlanState.CANCELLED:
        texts.append(gettext("cancelled the plan"))
    elif earlier.state is PlanState.CANCELLED:
        texts.append(gettext("took the cancellation back"))
    return {"actor": later.updated_by, "at": later.updated_at, "texts": texts}


def _fact(plan: Plan, name: str) -> str:
    value = getattr(plan, name)
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, ClashRule):
        return f"“{CLASH_RULES[value]}”"
    return f"“{value}”" if value else gettext("none")
