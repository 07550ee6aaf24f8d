"""The calendar of plans: a month as weeks with bars, and the same days as a list for phones."""

import calendar
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import TypedDict

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from products.admin.base import Context, ModelAdmin, page_response
from products.admin.formatting import counted
from products.admin.plans.listing import may_plan, plan_entry
from products.bootstrap import now
from products.plans.plan import Plan, PlanState, Step
from products.scheduling import plans

MAX_PLANS = 500  # the newest plans; open ones are shown however old they are
ONE_DAY = timedelta(days=1)
MONTH = re.compile("([0-9]{4})-([0-9]{2})")
MIN_YEAR, MAX_YEAR = 2000, 2200
HIDDEN = frozenset({PlanState.CANCELLED, PlanState.MISSED})
"""States of plans that changed nothing, so they have no days."""


class Bar(TypedDict):
    """A plan over the days of one week: the first column, from 1, and how many it spans."""

    plan: Plan
    colour: str
    column: int
    span: int
    begins: bool
    ends: bool
    label: str
    description: str


class Week(TypedDict):
    days: list[tuple[date, bool, bool]]
    """Each day, whether it is in the month, and whether it is today."""
    bars: list[Bar]


class DayEvent(TypedDict):
    """A step of a plan on a day, for the list."""

    at: datetime
    plan: Plan
    verb: str
    products: str


def calendar_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show the month that ``month`` names, such as 2026-12; otherwise the current one."""
    today = timezone.localtime(now()).date()
    first = _month_of(request.GET.get("month", "")) or today.replace(day=1)
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    shown = _plans_between(weeks[0][0], weeks[-1][-1])
    context: Context = {
        "title": gettext("Plans in {month}").format(month=date_format(first, "F Y")),
        "month": date_format(first, "F Y"),
        "weeks": [_week(days, first, today, shown) for days in weeks],
        "agenda": list(_agenda(first, shown)),
        "whole_month": [plan for plan in shown if _covers(plan, first)],
        "previous": _month_url(first - ONE_DAY),
        "next": _month_url(first + timedelta(days=31)),
        "is_current": first == today.replace(day=1),
        "names": [date_format(day, "D") for day in weeks[0]],
        "may_plan": may_plan(request),
    }
    return page_response(admin, request, "plans/calendar", context)


def _month_of(text: str) -> date | None:
    match = MONTH.fullmatch(text)
    if not match:
        return None
    year, month = int(match[1]), int(match[2])
    return date(year, month, 1) if MIN_YEAR <= year <= MAX_YEAR and 1 <= month <= 12 else None


def _month_url(day: date) -> str:
    return f"{reverse('admin:products_product_plans_calendar')}?month={day:%Y-%m}"


def _plans_between(first: date, last: date) -> list[Plan]:
    """Return the plans with a day in this range, in the order of their starts."""
    found = {plan.plan_id: plan for plan in (*plans().newest(MAX_PLANS), *plans().open())}
    inside = [
        plan
        for plan in found.values()
        if plan.state not in HIDDEN and first_day(plan) <= last and last_day(plan) >= first
    ]
    return sorted(inside, key=lambda plan: (first_day(plan), -last_day(plan).toordinal()))


def first_day(plan: Plan) -> date:
    return timezone.localtime(plan.starts_at).date()


def last_day(plan: Plan) -> date:
    """Return the last day on which the plan sets something; one that ends at midnight has none."""
    if plan.ends_at is None:
        return first_day(plan)
    end = timezone.localtime(plan.ends_at)
    day = end.date() - ONE_DAY if end.time() == time() else end.date()
    return max(day, first_day(plan))


def _week(days: list[date], month: date, today: date, shown: Iterable[Plan]) -> Week:
    bars = [
        _bar(plan, days[0])
        for plan in shown
        if first_day(plan) <= days[-1] and last_day(plan) >= days[0]
    ]
    return {"days": [(day, day.month == month.month, day == today) for day in days], "bars": bars}


def _bar(plan: Plan, monday: date) -> Bar:
    sunday = monday + timedelta(days=6)
    start, end = max(first_day(plan), monday), min(last_day(plan), sunday)
    entry = plan_entry(plan)
    begins = first_day(plan) == start
    label = f"{timezone.localtime(plan.starts_at):%H:%M} {plan.name}" if begins else plan.name
    return {
        "plan": plan,
        "colour": entry["colour"],
        "column": (start - monday).days + 1,
        "span": (end - start).days + 1,
        "begins": begins,
        "ends": last_day(plan) == end,
        "label": label,
        "description": f"{plan.name}, {counted(plan.rows)}. {entry['text']}",
    }


def _covers(plan: Plan, first: date) -> bool:
    """Whether the plan neither starts nor ends in the month."""
    following = (first + timedelta(days=31)).replace(day=1)
    if plan.ends_at is None or first_day(plan) >= first:
        return False
    return timezone.localtime(plan.ends_at).date() >= following


def _agenda(first: date, shown: Iterable[Plan]) -> Iterator[tuple[date, list[DayEvent]]]:
    """Yield the days of the month on which something starts or ends."""
    days: dict[date, list[DayEvent]] = {}
    for event in sorted(_events(shown), key=lambda event: event["at"]):
        day = timezone.localtime(event["at"]).date()
        if (day.year, day.month) == (first.year, first.month):
            days.setdefault(day, []).append(event)
    yield from days.items()


def _events(shown: Iterable[Plan]) -> Iterator[DayEvent]:
    for plan in shown:
        for step in Step:
            at = plan.starts_at if step is Step.START else plan.ends_at
            if at:
                yield {
                    "at": at,
                    "plan": plan,
                    "verb": gettext("starts") if step is Step.START else gettext("ends"),
                    "products": counted(plan.rows),
                }
