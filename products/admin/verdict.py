"""The operations page in one sentence: is all well, and what is not."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from products.admin.plans.wording import GRACE_PERIOD

LATE_SEARCH_SECONDS = 60
type Facts = Mapping[str, Any]
"""What the parts of the page returned."""


class Verdict(NamedTuple):
    """The state of the pipeline in words. ``level`` is good, warning or unknown."""

    level: str
    title: str
    sentences: list[str]


def verdict_of(facts: Facts, unknown: Mapping[str, str]) -> Verdict:
    """Return the verdict. It is never good while a part is not known."""
    faults = [*_queue_faults(facts), *_stuck_faults(facts), *_search_faults(facts, unknown)]
    faults += [*_consistency_faults(facts), *_plan_faults(facts)]
    gaps = [
        f"{name.capitalize()} can't be read just now. {why}"
        for name, why in unknown.items()
        if name != "search"
    ]
    if faults:
        return Verdict("warning", "Something needs attention", [*faults, *gaps])
    if gaps:
        return Verdict("unknown", "Not everything is known just now", gaps)
    return Verdict("good", "All good", ["Everything that was accepted is published everywhere."])


def _queue_faults(facts: Facts) -> list[str]:
    dead = sum(depth.dead or 0 for depth in facts.get("depths", []))
    return _counted(
        dead,
        "1 message has failed too often and waits to be retried.",
        f"{dead} messages have failed too often and wait to be retried.",
    )


def _stuck_faults(facts: Facts) -> list[str]:
    count = facts.get("stuck_count", 0)
    bound = "At least " if facts.get("stuck_more") else ""
    return _counted(count, "1 change is stuck.", f"{bound}{count} effects of changes are stuck.")


def _search_faults(facts: Facts, unknown: Mapping[str, str]) -> list[str]:
    if "search" in unknown:
        return ["Search does not answer. Changes appear there when it does again."]
    lag = facts.get("index_lag", 0.0)
    if lag < LATE_SEARCH_SECONDS:
        return []
    minutes = round(lag / 60)
    return _counted(minutes, "Search is 1 minute behind.", f"Search is {minutes} minutes behind.")


def _consistency_faults(facts: Facts) -> list[str]:
    count = len(facts.get("differences", []))
    return _counted(
        count, "1 difference from the change log.", f"{count} differences from the change log."
    )


def _plan_faults(facts: Facts) -> list[str]:
    overdue: timedelta = facts.get("overdue", timedelta())
    if overdue <= GRACE_PERIOD:
        return []
    minutes = max(1, round(overdue.total_seconds() / 60))
    return _counted(
        minutes,
        "A plan has been due for a minute, and its products have not switched.",
        f"A plan has been due for {minutes} minutes, and its products have not switched.",
    )


def _counted(count: int, one: str, many: str) -> list[str]:
    """Return the sentence for this number of faults; none for zero."""
    if count == 0:
        return []
    return [one if count == 1 else many]
