"""The parts of the operations page. They are read together, and none may hold up the page."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from datetime import timedelta
from functools import cache, partial
from itertools import groupby

from botocore.exceptions import ClientError
from django.conf import settings
from django.utils import timezone, translation
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy

from products.admin.base import Context, product_url
from products.admin.charts import HOUR, completed_bars, drawn, latency_bars, slots_of
from products.admin.formatting import EFFECT_NAMES, grouped
from products.admin.plans.listing import plan_entry
from products.admin.sentences.finding import in_words
from products.admin.timeline import time_html
from products.bootstrap import catalogue, now, operations, scan_table
from products.changes import Change, ChangeKey, Effect
from products.effects import TASKS
from products.errors import Unavailable
from products.latencies import latencies
from products.operations import MAX_EXAMINED, MAX_GROUPED, StuckEffect
from products.readiness import readiness_checks
from products.scheduling import plans

MAX_WAIT_SECONDS = 1.5
MAX_THREADS = 16
"""Parts that are read at the same time, by all pages. While all hang, further ones are unknown."""
NO_ANSWER = gettext_lazy("It does not answer within {seconds} seconds.")
MAX_SHOWN = 25  # changes of one cause
MAX_ACTIONS = 20
SOON = timedelta(days=1)
MAX_PLANS = 10
LABELLED_MINUTES = 15  # between two labels of the time axis


def read_parts(parts: Mapping[str, Callable[[], Context]]) -> tuple[Context, dict[str, str]]:
    """Return the facts of the parts, and why others are not known, by the name of the part."""
    futures = {name: _threads().submit(_for_the_reader(part)) for name, part in parts.items()}
    wait(futures.values(), timeout=MAX_WAIT_SECONDS)
    facts: Context = {}
    unknown: dict[str, str] = {}
    for name, future in futures.items():
        if not future.done():
            future.cancel()
            unknown[name] = NO_ANSWER.format(seconds=MAX_WAIT_SECONDS)
            continue
        try:
            facts |= future.result()
        except (Unavailable, ClientError) as fault:
            unknown[name] = in_words(str(fault))
    return facts, unknown


def _for_the_reader(part: Callable[[], Context]) -> Callable[[], Context]:
    """Return the part, to be read in another thread in this reader's language and time zone.

    Django keeps both for each thread; the number format is in the context.
    """
    context, language = copy_context(), translation.get_language()
    zone = timezone.get_current_timezone()

    def read() -> Context:
        with translation.override(language), timezone.override(zone):
            return part()

    return partial(context.run, read)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_THREADS, "operations")


def _queue_part() -> Context:
    depths = operations().queue_depths()
    names = {
        settings.TASK_URLS[f"products.{task}"].rpartition("/")[2]: str(EFFECT_NAMES[effect])
        for effect, task in TASKS.items()
    }
    return {"depths": depths, "queues": [(depth, names.get(depth.queue, "")) for depth in depths]}


def _open_part() -> Context:
    oldest = operations().oldest_open()
    count = operations().open_count()
    index_lag = now() - catalogue().freshness().complete_up_to
    return {
        "open_count": f"{count}+" if count == MAX_EXAMINED else count,
        "oldest": timesince(oldest, now()) if oldest else "",
        "index_lag": max(0.0, index_lag.total_seconds()),
    }


def _search_part() -> Context:
    """Return whether the search index answers; None where there is none."""
    ping = readiness_checks().get("opensearch")
    if ping is None:
        return {"search_answers": None}
    ping()
    return {"search_answers": True}


def _consistency_part() -> Context:
    """Return the last drift scan that finished, the running one, and what they found."""
    state = scan_table().scan_state()
    if state is None:
        return {}
    scans = [scan for scan in (state.running, state.last) if scan]
    found = [difference for scan in scans for difference in scan.kept_differences]
    return {
        "last_scan": state.last,
        "running_scan": state.running,
        "differences": list({difference.identity: difference for difference in found}.values()),
    }


def _speed_part() -> Context:
    until = now()
    minutes = operations().minutes(until - HOUR, until)
    slots = slots_of(minutes, until)
    speed = [
        {
            "effect": effect,
            "name": str(EFFECT_NAMES[effect]),
            "median": median and grouped(f"{median:g}"),
            "worst": worst and grouped(f"{worst:g}"),
            "worst_bars": drawn(latency_bars(slots, effect, 0.95), "worst"),
            "median_bars": drawn(latency_bars(slots, effect, 0.5)),
        }
        for effect, (median, worst) in latencies(minutes).items()
    ]
    names = [name for name, _ in slots]
    return {
        "speed": speed,
        "completed_bars": drawn(completed_bars(slots)),
        "times": [*names[::LABELLED_MINUTES], names[-1]],
        "completed": sum(minute.changes for minute in minutes),
    }


def _stuck_part() -> Context:
    """Return the stuck effects grouped by cause, the commonest first."""
    found = sorted(operations().stuck(MAX_GROUPED), key=_cause_of)
    groups = [(cause, list(group)) for cause, group in groupby(found, key=_cause_of)]
    groups.sort(key=lambda group: -len(group[1]))
    shown = [stuck for _, group in groups for stuck in group[:MAX_SHOWN]]
    changes = operations().changes_of(shown)
    return {
        "causes": [_cause_context(cause, stuck, changes) for cause, stuck in groups],
        "stuck_count": len(found),
        "stuck_more": len({stuck.key for stuck in found}) == MAX_GROUPED,
    }


def _cause_of(stuck: StuckEffect) -> str:
    return stuck.cause


def _cause_context(
    cause: str, stuck: list[StuckEffect], changes: Mapping[ChangeKey, Change]
) -> Context:
    rows = [
        _row_context(effect, changes[effect.key])
        for effect in stuck[:MAX_SHOWN]
        if effect.key in changes
    ]
    return {
        "cause": cause,
        "text": f"{EFFECT_NAMES[stuck[0].effect]}: {in_words(cause.partition(': ')[2])}",
        "count": len(stuck),
        "rows": rows,
        "hidden_count": len(stuck) - len(rows),
    }


def _row_context(stuck: StuckEffect, change: Change) -> Context:
    return {
        "stuck": stuck,
        "error": in_words(stuck.error),
        "change": change,
        "accepted": time_html(change.accepted_at),
        "history_url": product_url("history", change.product_id),
        "may_discard": stuck.effect is not Effect.STORED,
    }


def _plans_part() -> Context:
    """Return the plans with a step due soon, and how long the oldest due step has waited."""
    at = now()
    soon = [plan for plan in plans().open() if plan.due and plan.due <= at + SOON]
    waits = [at - plan.due for plan in soon if plan.due]
    return {
        "overdue": max(waits, default=timedelta()),
        "plans": [plan_entry(plan) for plan in soon[:MAX_PLANS]],
        "plan_count": len(soon),
    }


def _actions_part() -> Context:
    actions = operations().newest_actions(MAX_ACTIONS)
    return {"actions": [{"action": action, "what": in_words(action.what)} for action in actions]}


PARTS: Mapping[str, Callable[[], Context]] = {
    "queues": _queue_part,
    "open changes": _open_part,
    "search": _search_part,
    "consistency": _consistency_part,
    "speed": _speed_part,
    "stuck changes": _stuck_part,
    "plans": _plans_part,
    "actions": _actions_part,
}
