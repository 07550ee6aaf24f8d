"""Plans in words: their states, their times, and what became of their rows."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy, ngettext_lazy

from products.admin.formatting import counted, field_label, in_a_row
from products.bootstrap import now
from products.plans.plan import ClashRule, Plan, PlanState, RowOutcome, RowState, Step

GRACE_PERIOD = timedelta(seconds=15)
"""How long after its time a step may take before a page says that it is overdue."""
MISSED_TEXT = gettext_lazy(
    "Missed: its end had passed before it could start, so nothing was changed"
)
CLASH_RULES = {
    ClashRule.KEEP: gettext_lazy("Their value stays, and the plan leaves the product out"),
    ClashRule.APPLY: gettext_lazy("The plan's value is set"),
}
FIXED = {
    PlanState.STARTING: gettext_lazy("Is starting: {products}"),
    PlanState.ENDING: gettext_lazy("Is ending: {products}"),
    PlanState.MISSED: MISSED_TEXT,
    PlanState.CANCELLED: gettext_lazy("Cancelled by {actor}; nothing was changed"),
}
"""What is said of a plan in a state that waits for no time."""
COLOURS = {
    PlanState.SCHEDULED: "accepted",
    PlanState.STARTING: "accepted",
    PlanState.RUNNING: "complete",
    PlanState.ENDING: "complete",
    PlanState.MISSED: "failed",
}
"""The colour of a state, by the name of the state of a change that has it."""
RESULTS = {
    Step.START: {
        RowState.APPLIED: ngettext_lazy("{count} changed", "{count} changed", "count"),
        RowState.UNCHANGED: ngettext_lazy(
            "{count} had the value already", "{count} had the value already", "count"
        ),
        RowState.KEPT: ngettext_lazy(
            "{count} was changed by others and is left out",
            "{count} were changed by others and are left out",
            "count",
        ),
        RowState.REFUSED: ngettext_lazy("{count} refused", "{count} refused", "count"),
    },
    Step.END: {
        RowState.APPLIED: ngettext_lazy("{count} went back", "{count} went back", "count"),
        RowState.UNCHANGED: ngettext_lazy(
            "{count} needed no change", "{count} needed no change", "count"
        ),
        RowState.KEPT: ngettext_lazy(
            "{count} was changed by others and stays",
            "{count} were changed by others and stay",
            "count",
        ),
        RowState.REFUSED: ngettext_lazy(
            "{count} could not go back", "{count} could not go back", "count"
        ),
    },
}
OUTCOMES = {
    Step.START: {
        RowState.APPLIED: gettext_lazy("changed"),
        RowState.UNCHANGED: gettext_lazy("had the value already"),
        RowState.KEPT: gettext_lazy("left out"),
        RowState.REFUSED: gettext_lazy("refused"),
    },
    Step.END: {
        RowState.APPLIED: gettext_lazy("went back"),
        RowState.UNCHANGED: gettext_lazy("needed no change"),
        RowState.KEPT: gettext_lazy("stays"),
        RowState.REFUSED: gettext_lazy("refused"),
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
    shown = date_format(local, "j M Y, H:i")
    return gettext("{time} in {zone} ({utc} UTC)").format(time=shown, zone=zone, utc=utc)


def is_overdue(plan: Plan) -> bool:
    """Whether the time of the next step passed longer than GRACE_PERIOD ago."""
    return plan.due is not None and now() - plan.due > GRACE_PERIOD


def state_text(plan: Plan) -> str:
    """Return the state in words, such as "Runs until 8 Dec, 08:00"."""
    if plan.state is PlanState.ENDED:
        step = Step.END if plan.ends_at else Step.START
        results = results_text(plan, step) or gettext("nothing changed")
        text = gettext("Ended: {results}") if plan.ends_at else gettext("Done: {results}")
        return text.format(results=results)
    fixed = FIXED.get(plan.state)
    if fixed is None:
        return _waiting_text(plan)
    return str(fixed).format(products=counted(plan.rows), actor=plan.updated_by)


def _waiting_text(plan: Plan) -> str:
    """Return for what time a plan waits, or that the time has come."""
    due = plan.due or plan.starts_at
    if plan.next_step is Step.START:
        coming, overdue = gettext("Starts on {time}"), gettext("Has been due since {time}")
        at_its_time = gettext("Starts now")
    else:
        coming, overdue = gettext("Runs until {time}"), gettext("Its end has been due since {time}")
        at_its_time = gettext("Ends now")
    if due > now():
        return coming.format(time=time_text(due))
    return overdue.format(time=time_text(due)) if is_overdue(plan) else at_its_time


def results_text(plan: Plan, step: Step) -> str:
    """Return what became of the rows, such as "12 went back, 1 refused"; empty before the step."""
    counts = plan.counts.get(step, {})
    texts = [
        words.format(count=counts[state])
        for state, words in RESULTS[step].items()
        if counts.get(state)
    ]
    return ", ".join(texts)


def outcome_text(outcome: RowOutcome | None, step: Step) -> str:
    """Return what became of a row at a step; empty before it."""
    return str(OUTCOMES[step][outcome.state]) if outcome else ""


def fields_text(names: set[str] | frozenset[str]) -> str:
    """Return the labels of fields in a sentence, such as "price and renewal price"."""
    return in_a_row(sorted(field_label(name).lower() for name in names))
