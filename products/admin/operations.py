"""The operations page: the state of the pipeline, stuck changes by cause, and actions on them."""

from collections.abc import Callable
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, ngettext

from products.admin.base import Context, ModelAdmin, page_response, version_parameter
from products.admin.formatting import EFFECT_NAMES
from products.admin.operations_parts import PARTS, read_parts
from products.admin.refusals import show_refusal
from products.admin.staff_writes import StaffWrites
from products.admin.verdict import verdict_of
from products.changes import Effect
from products.errors import CatalogueError
from products.redrive import RedriveResult

MAX_REDRIVEN = 200  # dead letters that one click sends back, where SQS does not move them itself
UNKNOWN = "?"


def operations_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show the page. A part that does not answer in time is shown as unknown."""
    facts, unknown = read_parts(PARTS)
    context: Context = {
        "title": gettext("Operations"),
        **dict.fromkeys(("open_count", "stuck_count", "completed"), UNKNOWN),
        **facts,
        "unknown": unknown,
        "verdict": verdict_of(facts, unknown),
    }
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
    text = gettext("Version {version} of {product} is retried. It is listed here until it is done.")
    return text.format(version=version, product=product_id)


@_action
def retry_cause_view(request: HttpRequest) -> str:
    count = StaffWrites(request).retry_cause(request.POST.get("cause", ""))
    return ngettext("{count} retried.", "{count} retried.", count).format(count=count)


@_action
def discard_view(request: HttpRequest) -> str:
    product_id, version, effect = _effect_parameters(request)
    reason = request.POST.get("reason", "")
    StaffWrites(request).discard(product_id, version, effect, reason=reason)
    text = gettext("Version {version} of {product} will not be retried any more: {effect}.")
    return text.format(version=version, product=product_id, effect=EFFECT_NAMES[effect])


@_action
def redrive_view(request: HttpRequest) -> str:
    queue = request.POST.get("queue", "")
    return redrive_text(StaffWrites(request).redrive(queue, max_one_by_one=MAX_REDRIVEN))


def redrive_text(result: RedriveResult) -> str:
    """Return what became of the failed messages of a queue."""
    if result.moving:
        text = ngettext(
            "{queue}: {count} message is being retried.",
            "{queue}: {count} messages are being retried.",
            result.moving,
        )
        return text.format(queue=result.queue, count=result.moving)
    text = ngettext(
        "{queue}: {count} message is retried.",
        "{queue}: {count} messages are retried.",
        result.moved,
    )
    said = text.format(queue=result.queue, count=result.moved)
    if not result.dropped:
        return said
    text = ngettext(
        "{count} was done already, and is dropped.",
        "{count} were done already, and are dropped.",
        result.dropped,
    )
    return f"{said} {text.format(count=result.dropped)}"


def _effect_parameters(request: HttpRequest) -> tuple[str, int, Effect]:
    """Return the product, version and effect that a form of this page names."""
    effect = request.POST.get("effect", "")
    version = version_parameter(request, "version")
    if version is None or effect not in list(Effect):
        raise PermissionDenied
    return request.POST.get("product", ""), version, Effect(effect)
