"""What people may change about a plan, and when. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from products.changes import validate_reason
from products.errors import Invalid
from products.plans.plan import (
    HORIZON,
    MAX_NAME_LENGTH,
    ClashRule,
    Plan,
    PlanState,
    PlanStateConflict,
)
from products.plans.times import time_zone, validate_times

PAST_TOLERANCE = timedelta(minutes=1)
"""A start that has passed by less than this is immediate: the form was filled in meanwhile."""


def validated_name(name: Any) -> str:
    """Return the name as it is kept. Raises: Invalid."""
    text = name.strip() if isinstance(name, str) else ""
    if not 1 <= len(text) <= MAX_NAME_LENGTH or not text.isprintable():
        raise Invalid({"name": [f"Must be a text of 1 to {MAX_NAME_LENGTH} characters."]})
    return text


def validated_start(wanted: datetime | None, now: datetime) -> datetime:
    """Return the start of a plan, now if it is None. Raises: Invalid."""
    if wanted is None or now - PAST_TOLERANCE <= wanted <= now:
        return now
    if wanted < now:
        raise Invalid({"starts_at": ["Must not be in the past."]})
    if wanted > now + HORIZON:
        raise Invalid({"starts_at": [f"Must be within {HORIZON.days} days."]})
    return wanted


def amended(plan: Plan, facts: Mapping[str, Any], now: datetime) -> Plan:
    """Return the plan with these facts, by the names of its fields.

    A plan that runs keeps its start, and has an end. Its end is now if that has passed.

    Raises: Invalid, PlanStateConflict.
    """
    unknown = facts.keys() - FACTS.keys()
    if unknown:
        raise Invalid({name: ["There is no such field."] for name in sorted(unknown)})
    if plan.state not in (PlanState.SCHEDULED, PlanState.RUNNING):
        raise PlanStateConflict(f"The plan is {plan.state}, so it can't be changed.")
    different = {name: value for name, value in facts.items() if getattr(plan, name) != value}
    values = {name: FACTS[name](plan, value, now) for name, value in different.items()}
    changed = replace(plan, **values)
    if plan.state is PlanState.SCHEDULED:
        validate_times(changed.starts_at, changed.ends_at, HORIZON)
    return changed


def _name(plan: Plan, name: Any, now: datetime) -> str:
    return validated_name(name)


def _reason(plan: Plan, reason: str, now: datetime) -> str:
    validate_reason(reason)
    return reason


def _zone(plan: Plan, zone: str, now: datetime) -> str:
    return time_zone(zone).key


def _start(plan: Plan, starts_at: datetime, now: datetime) -> datetime:
    _require_scheduled(plan, "starts_at")
    return validated_start(starts_at, now)


def _clash_rule(plan: Plan, rule: ClashRule, now: datetime) -> ClashRule:
    _require_scheduled(plan, "clash_rule")
    return rule


def _require_scheduled(plan: Plan, field: str) -> None:
    if plan.state is not PlanState.SCHEDULED:
        raise PlanStateConflict(f"The plan has started, so {field} can't be changed.")


def _end(plan: Plan, ends_at: datetime | None, now: datetime) -> datetime | None:
    if plan.state is PlanState.SCHEDULED:
        if ends_at is not None and ends_at <= now:
            raise Invalid({"ends_at": ["Must not be in the past."]})
        return ends_at
    if ends_at is None:
        raise Invalid({"ends_at": ["A plan that runs with an end keeps one."]})
    if ends_at > plan.starts_at + HORIZON:
        raise Invalid({"ends_at": [f"Must be within {HORIZON.days} days of the start."]})
    return max(ends_at, now)


FACTS: dict[str, Callable[[Plan, Any, datetime], Any]] = {
    "name": _name,
    "reason": _reason,
    "zone": _zone,
    "starts_at": _start,
    "ends_at": _end,
    "clash_rule": _clash_rule,
}
"""What people may change: how each new value is checked, by the name of the field."""
