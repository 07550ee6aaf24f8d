"""The operations page in one sentence: is all well, and what is not."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.utils.translation import gettext, gettext_lazy, ngettext

from products.admin.plans.wording import GRACE_PERIOD

LATE_SEARCH_SECONDS = 60
PARTS = {
    "queues": gettext_lazy("The queues"),
    "open changes": gettext_lazy("The open changes"),
    "consistency": gettext_lazy("The consistency"),
    "speed": gettext_lazy("The speed"),
    "stuck changes": gettext_lazy("The stuck changes"),
    "plans": gettext_lazy("The plans"),
    "actions": gettext_lazy("The actions"),
}
"""What a sentence calls the parts of the page."""
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
        gettext("{part} can't be read just now. {why}").format(part=PARTS.get(name, name), why=why)
        for name, why in unknown.items()
        if name != "search"
    ]
    if faults:
        return Verdict("warning", gettext("Something needs attention"), [*faults, *gaps])
    if gaps:
        return Verdict("unknown", gettext("Not everything is known just now"), gaps)
    fine = gettext("Everything that was accepted is published everywhere.")
    return Verdict("good", gettext("All good"), [fine])


def _queue_faults(facts: Facts) -> list[str]:
    dead = sum(depth.dead or 0 for depth in facts.get("depths", []))
    sentence = ngettext(
        "{count} message has failed too often and waits to be retried.",
        "{count} messages have failed too often and wait to be retried.",
        dead,
    )
    return _counted(dead, sentence)


def _stuck_faults(facts: Facts) -> list[str]:
    count = facts.get("stuck_count", 0)
    sentence = ngettext("{count} change is stuck.", "{count} effects of changes are stuck.", count)
    if facts.get("stuck_more"):
        sentence = gettext("At least {count} effects of changes are stuck.")
    return _counted(count, sentence)


def _search_faults(facts: Facts, unknown: Mapping[str, str]) -> list[str]:
    if "search" in unknown:
        return [gettext("Search does not answer. Changes appear there when it does again.")]
    lag = facts.get("index_lag", 0.0)
    if lag < LATE_SEARCH_SECONDS:
        return []
    minutes = round(lag / 60)
    sentence = ngettext(
        "Search is {count} minute behind.", "Search is {count} minutes behind.", minutes
    )
    return _counted(minutes, sentence)


def _consistency_faults(facts: Facts) -> list[str]:
    count = len(facts.get("differences", []))
    sentence = ngettext(
        "{count} difference from the change log.", "{count} differences from the change log.", count
    )
    return _counted(count, sentence)


def _plan_faults(facts: Facts) -> list[str]:
    overdue: timedelta = facts.get("overdue", timedelta())
    if overdue <= GRACE_PERIOD:
        return []
    minutes = max(1, round(overdue.total_seconds() / 60))
    sentence = ngettext(
        "A plan has been due for {count} minute, and its products have not switched.",
        "A plan has been due for {count} minutes, and its products have not switched.",
        minutes,
    )
    return _counted(minutes, sentence)


def _counted(count: int, sentence: str) -> list[str]:
    """Return the sentence with this number of faults; none for zero."""
    return [sentence.format(count=count)] if count else []
