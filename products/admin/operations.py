"""The operations page: the state of the pipeline, stuck changes by cause, and actions on them."""

from collections.abc import Callable
from functools import wraps
from itertools import groupby

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.timesince import timesince

from products.admin.base import Context, ModelAdmin, page_response, version_parameter
from products.admin.charts import HOUR, completed_bars, latency_bars, slots_of
from products.admin.refusals import show_refusal
from products.admin.staff_writes import StaffWrites
from products.bootstrap import catalogue, now, operations, scan_table
from products.changes import Effect
from products.errors import CatalogueError, Unavailable
from products.operations import MAX_EXAMINED, StuckEffect, latencies

MAX_SHOWN = 50  # changes of one cause
MAX_ACTIONS = 20
MAX_REDRIVEN = 200  # dead letters that one click sends back, where SQS does not move them itself
UNKNOWN = "?"
LABELLED_MINUTES = 15  # between two labels of the time axis


def operations_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show the page. While a dependency is unavailable, the other parts are still shown."""
    context: Context = {
        "title": "Operations",
        **dict.fromkeys(("open_count", "stuck_count", "completed"), UNKNOWN),
    }
    for part in PARTS:
        try:
            context |= part()
        except Unavailable as error:
            context["unavailable"] = str(error)
    return page_response(admin, request, "operations", context)


# Actions: each returns the sentence that the user then sees


def _action(run: Callable[[HttpRequest], str]) -> Callable[[ModelAdmin, HttpRequest], HttpResponse]:
    """Return the view that runs the action and shows its sentence, or why it was refused."""

    @wraps(run)
    def view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
        try:
            admin.message_user(request, run(request))
        except CatalogueError as refusal:
            show_refusal(admin, request, refusal)
        return redirect("admin:products_product_operations")

    return view


@_action
def retry_view(request: HttpRequest) -> str:
    product_id, version, effect = _effect_parameters(request)
    StaffWrites(request).retry(product_id, version, effect)
    return f"{product_id} v{version} was requeued; it is listed here until it is {effect}."


@_action
def retry_cause_view(request: HttpRequest) -> str:
    count = StaffWrites(request).retry_cause(request.POST.get("cause", ""))
    return f"{count} requeued."


@_action
def discard_view(request: HttpRequest) -> str:
    product_id, version, effect = _effect_parameters(request)
    reason = request.POST.get("reason", "")
    StaffWrites(request).discard(product_id, version, effect, reason=reason)
    return f"{product_id} v{version} will not be {effect} any more."


@_action
def redrive_view(request: HttpRequest) -> str:
    queue = request.POST.get("queue", "")
    return f"{StaffWrites(request).redrive(queue, max_one_by_one=MAX_REDRIVEN)}."


def _effect_parameters(request: HttpRequest) -> tuple[str, int, Effect]:
    """Return the product, version and effect that a form of this page names."""
    effect = request.POST.get("effect", "")
    version = version_parameter(request, "version")
    if version is None or effect not in list(Effect):
        raise PermissionDenied
    return request.POST.get("product", ""), version, Effect(effect)


# The parts of the page: each may be unavailable on its own


def _queue_part() -> Context:
    return {"depths": operations().queue_depths()}


def _open_part() -> Context:
    oldest = operations().oldest_open()
    count = operations().open_count()
    index_lag = now() - catalogue().freshness().complete_up_to
    return {
        "open_count": f"{count}+" if count == MAX_EXAMINED else count,
        "oldest": timesince(oldest, now()) if oldest else "",
        "index_lag": max(0.0, index_lag.total_seconds()),
    }


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
            "median": median,
            "worst": worst,
            "worst_bars": latency_bars(slots, effect, 0.95),
            "median_bars": latency_bars(slots, effect, 0.5),
        }
        for effect, (median, worst) in latencies(minutes).items()
    ]
    names = [name for name, _ in slots]
    return {
        "speed": speed,
        "completed_bars": completed_bars(slots),
        "times": [*names[::LABELLED_MINUTES], names[-1]],
        "completed": sum(minute.changes for minute in minutes),
    }


def _stuck_part() -> Context:
    """Return the stuck effects grouped by cause, the commonest first."""
    found = sorted(operations().stuck(), key=_cause_of)
    groups = [(cause, list(group)) for cause, group in groupby(found, key=_cause_of)]
    groups.sort(key=lambda group: -len(group[1]))
    return {
        "causes": [_cause_context(cause, stuck) for cause, stuck in groups],
        "stuck_count": len(found),
    }


def _cause_of(stuck: StuckEffect) -> str:
    return stuck.cause


def _cause_context(cause: str, stuck: list[StuckEffect]) -> Context:
    rows = [
        {"stuck": effect, "may_discard": effect.effect is not Effect.STORED}
        for effect in stuck[:MAX_SHOWN]
    ]
    return {
        "cause": cause,
        "count": len(stuck),
        "rows": rows,
        "hidden_count": len(stuck) - len(rows),
    }


def _actions_part() -> Context:
    return {"actions": operations().newest_actions(MAX_ACTIONS)}


PARTS = (
    _queue_part,
    _open_part,
    _consistency_part,
    _speed_part,
    _stuck_part,
    _actions_part,
)
