"""Plans for the tests of the admin: made through the wired use cases, on the real clock."""

from datetime import datetime, timedelta
from typing import Any

from products import scheduling
from products.bootstrap import now
from products.plans.drafts import Draft, DraftRow
from products.plans.plan import ClashRule, Plan
from tests.support.admin_client import LIST
from tests.support.builders import origin

PLANS = f"{LIST}plans/"
NEW = f"{PLANS}new/"
ZONE = "Africa/Johannesburg"


def in_days(days: float) -> datetime:
    return (now() + timedelta(days=days)).replace(second=0, microsecond=0)


def make_plan(
    product_ids: str,
    price: str,
    start: float | None = 1,
    end: float | None = 2,
    *,
    name: str = "Summer",
    by: str = "eve",
    rule: ClashRule = ClashRule.KEEP,
) -> Plan:
    """Plan a price, from so many days from now to so many days; without a start, from now."""
    draft = Draft(
        name=name,
        rows=[DraftRow(product_id=i, edits={"price": price}) for i in product_ids.split()],
        starts_at=None if start is None else in_days(start),
        ends_at=None if end is None else in_days(end),
        zone=ZONE,
        clash_rule=rule,
    )
    return scheduling.plans().create(draft, origin(by)).plan


def switch() -> None:
    """Make the steps that are due now."""
    scheduling.switching().step()


def plan_url(plan: Plan, page: str = "") -> str:
    return f"{PLANS}{plan.plan_id}/{page}"


def plan_entries(**changes: Any) -> dict[str, Any]:
    """Return the entries of the form for a plan from tomorrow to the day after."""
    return {
        "name": "Summer",
        "starts_at": local(in_days(1)),
        "ends_at": local(in_days(2)),
        "zone": "UTC",
        "reason": "",
        "clash_rule": "keep",
    } | changes


def local(at: datetime) -> str:
    """Return a time in UTC as a browser sends it."""
    return f"{at:%Y-%m-%dT%H:%M}"
