"""The list of plans: running, coming up and past."""

from collections.abc import Iterable, Sequence
from typing import TypedDict

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from products.admin.base import Context, ModelAdmin, page_response, user_of
from products.admin.formatting import PLAN_STATES
from products.admin.plans.wording import COLOURS, is_overdue, state_text
from products.identifiers import is_id
from products.permissions import Permission
from products.plans.plan import FINAL, Plan, PlanState, RowState, Step
from products.scheduling import plans

PAGE_SIZE = 50


class PlanEntry(TypedDict):
    """A plan as lists show it. ``needs_attention`` says that it did not do all it should."""

    plan: Plan
    badge: str
    colour: str
    text: str
    needs_attention: bool


def plans_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show the plans. The first page also has the open plans that were made long ago."""
    before = request.GET.get("before", "")
    is_first = not is_id(before)
    listed = plans().newest(PAGE_SIZE, None if is_first else before)
    found = _without_doubles([*plans().open(), *listed]) if is_first else listed
    context: Context = {
        "title": gettext("Plans"),
        "groups": _groups(found),
        "is_first": is_first,
        "older": listed[-1].plan_id if len(listed) == PAGE_SIZE else "",
        "may_plan": may_plan(request),
    }
    return page_response(admin, request, "plans/list", context)


def may_plan(request: HttpRequest) -> bool:
    return user_of(request).has_perm(Permission.PLAN)


def plan_entry(plan: Plan) -> PlanEntry:
    """Return the plan with its state in words."""
    return {
        "plan": plan,
        "badge": str(PLAN_STATES[plan.state]),
        "colour": COLOURS.get(plan.state, str(plan.state)),
        "text": state_text(plan),
        "needs_attention": needs_attention(plan),
    }


def needs_attention(plan: Plan) -> bool:
    """Whether the plan was missed, is overdue, or has refused rows."""
    refused = sum(plan.counts.get(step, {}).get(RowState.REFUSED, 0) for step in Step)
    return plan.state is PlanState.MISSED or bool(refused) or is_overdue(plan)


def _without_doubles(found: Iterable[Plan]) -> list[Plan]:
    return list({plan.plan_id: plan for plan in found}.values())


def _groups(found: Sequence[Plan]) -> list[tuple[str, list[PlanEntry]]]:
    """Return the plans in groups: what runs and comes up by time, the past by its newest."""
    running = [plan for plan in found if plan.state not in {PlanState.SCHEDULED, *FINAL}]
    coming = [plan for plan in found if plan.state is PlanState.SCHEDULED]
    past = [plan for plan in found if plan.state in FINAL]
    running.sort(key=lambda plan: plan.due or plan.starts_at)
    coming.sort(key=lambda plan: plan.starts_at)
    past.sort(key=lambda plan: plan.ends_at or plan.starts_at, reverse=True)
    named = [
        (gettext("Running"), running),
        (gettext("Coming up"), coming),
        (gettext("Past"), past),
    ]
    return [(name, [plan_entry(plan) for plan in group]) for name, group in named if group]
