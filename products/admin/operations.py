"""The operations page: how the pipeline fares, what is stuck and why, and what can be done about it."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.timesince import timesince
from django.views.decorators.http import require_POST, require_safe

from products.admin.base import ModelAdmin
from products.admin.charts import HOUR, completed_bars, latency_bars, slots_of
from products.bootstrap import catalogue, now, operations, scan_table
from products.changes import Effect
from products.errors import CatalogueError, Unavailable
from products.maintenance import redrive
from products.operations import MAX_EXAMINED, StuckEffect, latencies

PERMISSION = "products.operate_product"
MAX_SHOWN = 50
MAX_REDRIVEN = 200  # dead letters one click sends back, where SQS does not move them itself


class ProductOperations(ModelAdmin):
    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "operations/",
                wrap(require_safe(self.operations_view)),
                name="products_product_operations",
            ),
            *(
                path(
                    f"operations/{doing}/",
                    wrap(self._operating(view)),
                    name=f"products_product_{doing}",
                )
                for doing, view in (
                    ("retry", _retry),
                    ("retry_cause", _retry_cause),
                    ("discard", _discard),
                    ("redrive", _redrive),
                )
            ),
            *super().get_urls(),
        ]

    def operations_view(self, request: HttpRequest) -> HttpResponse:
        _check_permission(request)
        context = {**self.admin_site.each_context(request), "title": "Operations"}
        context |= dict.fromkeys(
            ("open_count", "stuck_count", "completed"), "?"
        )  # until they are known
        for part in (_queues, _open, _check, _speed, _stuck, _actions):
            try:
                context |= part()
            except Unavailable as away:
                context["away"] = str(away)  # the other parts may still be seen
        return TemplateResponse(request, "admin/products/operations.html", context)

    def _operating(self, do: Callable[[HttpRequest], str]) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest) -> HttpResponse:
            _check_permission(request)
            try:
                self.message_user(request, do(request))
            except CatalogueError as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:products_product_operations"))

        return require_POST(view)


def _check_permission(request: HttpRequest) -> None:
    user: Any = request.user
    if not user.has_perm(PERMISSION):
        raise PermissionDenied


def _retry(request: HttpRequest) -> str:
    product_id, version, effect = _named(request)
    operations().retry(product_id, version, effect, by=request.user.get_username())
    return f"{product_id} v{version} was rung for; it shows here until it is {effect}."


def _retry_cause(request: HttpRequest) -> str:
    count = operations().retry_cause(request.POST.get("cause", ""), by=request.user.get_username())
    return f"{count} rung for."


def _discard(request: HttpRequest) -> str:
    product_id, version, effect = _named(request)
    reason = request.POST.get("reason", "")
    operations().discard(product_id, version, effect, reason=reason, by=request.user.get_username())
    return f"{product_id} v{version} will not be {effect} any more."


def _redrive(request: HttpRequest) -> str:
    by = request.user.get_username()
    return (
        f"{redrive().move_back(request.POST.get('queue', ''), by=by, max_one_by_one=MAX_REDRIVEN)}."
    )


def _named(request: HttpRequest) -> tuple[str, int, Effect]:
    given = request.POST
    version, effect = given.get("version", ""), given.get("effect", "")
    if not (version.isascii() and version.isdigit() and len(version) < 13) or effect not in list(
        Effect
    ):
        raise PermissionDenied
    return given.get("product", ""), int(version), Effect(effect)


# What the page shows, part by part; each may be away by itself


def _queues() -> dict[str, Any]:
    return {"depths": operations().queues.depths()}


def _open() -> dict[str, Any]:
    oldest, count = operations().oldest_open(), operations().open_count()
    fresh = catalogue().freshness()
    return {
        "open_count": f"{count}+" if count == MAX_EXAMINED else count,
        "oldest": timesince(oldest, now()) if oldest else "",
        "index_lag": max(0.0, (now() - fresh.complete_up_to).total_seconds()),
    }


def _check() -> dict[str, Any]:
    """The last drift check that came to its end, and the one under way."""
    state = scan_table().scan_state()
    if state is None:
        return {}
    found = [
        *(state.running.kept_differences if state.running else ()),
        *(state.last.kept_differences if state.last else ()),
    ]
    return {
        "check": state.last,
        "checking": state.running,
        "drifted": list({d.identity: d for d in found}.values()),
    }


def _speed() -> dict[str, Any]:
    until = now()
    minutes = operations().log.minutes(until - HOUR, until)
    slots = slots_of(minutes, until)
    speed = [
        {
            "effect": effect,
            "median": median,
            "worst": worst,
            "slow": latency_bars(slots, effect, 0.95),
            "usual": latency_bars(slots, effect, 0.5),
        }
        for effect, (median, worst) in latencies(minutes).items()
    ]
    times = [name for name, _ in slots[::15]] + [slots[-1][0]]
    completed = sum(minute.changes for minute in minutes)
    return {"speed": speed, "bars": completed_bars(slots), "times": times, "completed": completed}


def _stuck() -> dict[str, Any]:
    found = sorted(operations().stuck(), key=lambda stuck: stuck.cause)
    causes = [
        _cause(cause, list(group)) for cause, group in groupby(found, key=lambda stuck: stuck.cause)
    ]
    return {
        "causes": sorted(causes, key=lambda cause: -int(cause["count"])),
        "stuck_count": len(found),
    }


def _cause(cause: str, stuck: list[StuckEffect]) -> dict[str, Any]:
    rows = [
        {"stuck": row, "may_discard": row.effect is not Effect.STORED} for row in stuck[:MAX_SHOWN]
    ]
    return {"cause": cause, "count": len(stuck), "rows": rows, "hidden": len(stuck) - len(rows)}


def _actions() -> dict[str, Any]:
    return {"actions": operations().log.actions(now(), 20)}
