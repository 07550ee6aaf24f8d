"""Plans in words: their states, their times, and what became of their rows."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format

from products.admin.formatting import counted, field_label
from products.bootstrap import now
from products.plans.plan import ClashRule, Plan, PlanState, RowOutcome, RowState, Step

GRACE_PERIOD = timedelta(seconds=15)
"""How long after its time a step may take before a page says that it is overdue."""
MISSED_TEXT = "Missed: its end had passed before it could start, so nothing was changed"
CLASH_RULES = {
    ClashRule.KEEP: "Their value stays, and the plan leaves the product out",
    ClashRule.APPLY: "The plan's value is set",
}
BADGES = {
    PlanState.SCHEDULED: "coming up",
    PlanState.STARTING: "starting",
    PlanState.RUNNING: "running",
    PlanState.ENDING: "ending",
    PlanState.ENDED: "done",
    PlanState.CANCELLED: "cancelled",
    PlanState.MISSED: "missed",
}
COLOURS = {
    PlanState.SCHEDULED: "accepted",
    PlanState.STARTING: "accepted",
    PlanState.RUNNING: "complete",
    PlanState.ENDING: "complete",
    PlanState.MISSED: "failed",
}
"""The colour of a state, by the name of the state of a change that has it."""
_ONE, _MANY = 0, 1
RESULTS: Mapping[Step, Mapping[RowState, tuple[str, str]]] = {
    Step.START: {
        RowState.APPLIED: ("1 changed", "{} changed"),
        RowState.UNCHANGED: ("1 had the value already", "{} had the value already"),
        RowState.KEPT: (
            "1 was changed by others and is left out",
            "{} were changed by others and are left out",
        ),
        RowState.REFUSED: ("1 refused", "{} refused"),
    },
    Step.END: {
        RowState.APPLIED: ("1 went back", "{} went back"),
        RowState.UNCHANGED: ("1 needed no change", "{} needed no change"),
        RowState.KEPT: (
            "1 was changed by others and stays",
            "{} were changed by others and stay",
        ),
        RowState.REFUSED: ("1 could not go back", "{} could not go back"),
    },
}
OUTCOMES: Mapping[Step, Mapping[RowState, str]] = {
    Step.START: {
        RowState.APPLIED: "changed",
        RowState.UNCHANGED: "had the value already",
        RowState.KEPT: "left out",
        RowState.REFUSED: "refused",
    },
    Step.END: {
        RowState.APPLIED: "went back",
        RowState.UNCHANGED: "needed no change",
        RowState.KEPT: "stays",
        RowState.REFUSED: "refused",
    },
}


def time_text(at: datetime) -> str:
    """Return a time in the user's zone, such as "1 Dec, 08:00", with another year if it differs."""
    local = timezone.localtime(at)
    is_this_year = local.year == timezone.localtime(now()).year
    return date_format(local, "j M, H:i" if is_this_year else "j M Y, H:i")


def day_text(at: datetime) -> str:
    """Return the day in the user's zone, such as "Tue 1 Dec"."""
    return date_format(timezone.localtime(at), "D j M")


def both_times(at: datetime, zone: str) -> str:
    """Return the time in a zone and in UTC, such as "1 Dec 2026, 08:00 (06:00 UTC)"."""
    local = at.astimezone(ZoneInfo(zone))
    same_day = local.date() == at.date()
    utc = f"{at:%H:%M}" if same_day else date_format(at, "j M, H:i")
    return f"{date_format(local, 'j M Y, H:i')} in {zone} ({utc} UTC)"


def is_overdue(plan: Plan) -> bool:
    """Whether the time of the next step passed longer than GRACE_PERIOD ago."""
    return plan.due is not None and now() - plan.due > GRACE_PERIOD


def state_text(plan: Plan) -> str:
    """Return the state in words, such as "Runs until 8 Dec, 08:00"."""
    if plan.state is PlanState.ENDED:
        step = Step.END if plan.ends_at else Step.START
        results = results_text(plan, step) or "nothing changed"
        return f"{'Ended' if plan.ends_at else 'Done'}: {results}"
    fixed = {
        PlanState.STARTING: f"Is starting: {counted(plan.rows)}",
        PlanState.ENDING: f"Is ending: {counted(plan.rows)}",
        PlanState.MISSED: MISSED_TEXT,
        PlanState.CANCELLED: f"Cancelled by {plan.updated_by}; nothing was changed",
    }
    return fixed.get(plan.state) or _waiting_text(plan)


def _waiting_text(plan: Plan) -> str:
    """Return for what time a plan waits, or that the time has come."""
    due = plan.due or plan.starts_at
    starts = plan.next_step is Step.START
    if due > now():
        return f"{'Starts on' if starts else 'Runs until'} {time_text(due)}"
    if is_overdue(plan):
        return f"{'Has been due' if starts else 'Its end has been due'} since {time_text(due)}"
    return "Starts now" if starts else "Ends now"


def results_text(plan: Plan, step: Step) -> str:
    """Return what became of the rows, such as "12 went back, 1 refused"; empty before the step."""
    counts = plan.counts.get(step, {})
    texts = [
        words[_ONE] if counts[state] == 1 else words[_MANY].format(counts[state])
        for state, words in RESULTS[step].items()
        if counts.get(state)
    ]
    return ", ".join(texts)


def outcome_text(outcome: RowOutcome | None, step: Step) -> str:
    """Return what became of a row at a step; empty before it."""
    return OUTCOMES[step][outcome.state] if outcome else ""


def fields_text(names: set[str] | frozenset[str]) -> str:
    """Return the labels of fields in a sentence, such as "price and renewal price"."""
    labels = sorted(field_label(name).lower() for name in names)
    return " and ".join(filter(None, (", ".join(labels[:-1]), labels[-1]))) if labels else ""
