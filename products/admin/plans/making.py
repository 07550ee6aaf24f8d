"""Making a plan: its form, the preview of what it would do, and saving it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy

from products.admin.base import Context, ModelAdmin, page_response
from products.admin.formatting import counted
from products.admin.plans.lines import overlap_lines, row_lines
from products.admin.plans.plan_form import PlanForm
from products.admin.plans.sources import Source, source_of
from products.admin.plans.wording import both_times, fields_text, state_text
from products.admin.refusals import show_refusal, status_of
from products.admin.sentences.finding import refusal_text
from products.admin.staff_writes import StaffWrites
from products.bootstrap import new_id
from products.errors import CatalogueError, Invalid, NotAllowed, Unavailable
from products.idempotency import IdempotencyKey
from products.identifiers import is_id
from products.plans.drafts import Draft, Preview
from products.plans.plan import MAX_NAME_LENGTH, Plan
from products.writes import WritesRefused

MAX_SHOWN = 200  # rows of a preview
MAX_REFUSALS = 100  # rows
CHANGED_SINCE = gettext_lazy(
    "The products or your entries have changed since the preview. Look at it again."
)


@dataclass
class Making:
    """A plan that is being made: what is typed, and what the core says to it."""

    source: Source
    form: PlanForm
    preview: Preview | None = None
    refusals: Mapping[int, CatalogueError] = field(default_factory=dict)
    error: str = ""
    status: int = HTTPStatus.OK


def new_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show the form, then what the plan would do, and save the plan that was previewed."""
    try:
        source = source_of(request)
    except Invalid as refusal:
        show_refusal(admin, request, refusal)
        return redirect("admin:products_product_jobs")
    if "name" not in request.POST:
        return making_page(admin, request, Making(source, first_form(source)))
    making = Making(source, PlanForm(request.POST.dict()))
    if making.form.is_valid():
        _preview(making, request)
    else:
        making.status = HTTPStatus.BAD_REQUEST
    plan = _save(making, request) if making.preview and "save" in request.POST else None
    if plan is None:
        return making_page(admin, request, making)
    return _saved(request, making.source, plan)


def first_form(source: Source) -> PlanForm:
    """Return the form as it is opened. A job brings its title and its reason along."""
    if source.job is None:
        return PlanForm()
    return PlanForm(name=source.job.title[:MAX_NAME_LENGTH], reason=source.job.reason)


def making_page(admin: ModelAdmin, request: HttpRequest, making: Making) -> HttpResponse:
    """Show the form with the preview, or with what is refused."""
    source = making.source
    context: Context = {
        "title": gettext("Plan a change"),
        "form": making.form,
        "source": source,
        "what": _what(source),
        "back_url": source.back_url or _job_url(source),
        "error": making.error,
        "refusals": _refusal_lines(making),
        **_refused_context(making),
        **_preview_context(making),
    }
    response = page_response(admin, request, "plans/new", context)
    response.status_code = making.status
    return response


def _preview(making: Making, request: HttpRequest) -> None:
    """Ask the core what the plan would do, and note what it refuses."""
    try:
        making.preview = StaffWrites(request).create_plan(_draft(making), dry_run=True)
    except WritesRefused as refusal:
        making.refusals = refusal.refusals
        making.status = HTTPStatus.CONFLICT
    except Invalid as refusal:
        making.form.add_refusal(refusal)
        making.status = HTTPStatus.BAD_REQUEST


def _save(making: Making, request: HttpRequest) -> Plan | None:
    """Save the plan if it is the one that was previewed; otherwise show the preview again."""
    preview = making.preview
    if preview is None or request.POST.get("previewed") != digest(preview):
        making.error = str(CHANGED_SINCE)
        making.status = HTTPStatus.CONFLICT
        return None
    attempt = request.POST.get("attempt", "")
    key = IdempotencyKey(attempt, digest(preview)) if is_id(attempt) else None
    try:
        return StaffWrites(request).create_plan(_draft(making), key=key).plan
    except CatalogueError as refusal:
        if isinstance(refusal, NotAllowed | Unavailable):
            raise
        making.error, making.status = refusal_text(refusal), status_of(refusal)
        return None


def _saved(request: HttpRequest, source: Source, plan: Plan) -> HttpResponse:
    """Discard the job whose rows are planned now, and go to the plan."""
    planned = gettext("{plan} is planned: {products}. {state}.")
    text = planned.format(plan=plan.name, products=counted(plan.rows), state=state_text(plan))
    if source.job:
        try:
            StaffWrites(request).discard_job(source.job.job_id)
        except CatalogueError as refusal:
            kept = gettext("The job could not be discarded: {refusal}")
            text = f"{text} {kept.format(refusal=refusal_text(refusal))}"
    # The browser forgets the entries of the product's form, which it keeps until they are saved.
    marker = '{} <span hidden data-saved-form="{}"></span>'
    messages.success(request, format_html(marker, text, source.back_url))
    return redirect("admin:products_product_plan", plan.plan_id)


def _draft(making: Making) -> Draft:
    entries = making.form.cleaned_data
    return Draft(
        name=entries["name"],
        rows=making.source.rows,
        starts_at=entries["starts_at"],
        ends_at=entries["ends_at"],
        zone=entries["zone"],
        reason=entries["reason"],
        clash_rule=entries["clash_rule"],
    )


def digest(preview: Preview) -> str:
    """Return a digest of what was previewed: the plan's facts, and each product's version.

    The start of a plan that starts immediately differs with each request, so it is left out.
    """
    plan = preview.plan
    is_immediate = plan.starts_at == plan.created_at
    facts = [
        plan.name,
        plan.reason,
        plan.zone,
        plan.clash_rule,
        "now" if is_immediate else plan.starts_at.isoformat(),
        str(plan.ends_at),
        *(f"{row.product_id} {row.base}" for row in preview.rows),
    ]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _what(source: Source) -> str:
    if source.job:
        return f"{source.title} ({counted(len(source.rows))})"
    return f"{source.title}: {fields_text(set(source.rows[0].edits))}"


def _job_url(source: Source) -> str:
    job_id = source.job.job_id if source.job else ""
    return reverse("admin:products_product_job", args=[job_id])


def _refusal_lines(making: Making) -> list[tuple[str, str]]:
    rows, source = making.source.rows, making.source
    return [
        (source.name_of(rows[position].product_id), refusal_text(refusal))
        for position, refusal in sorted(making.refusals.items())[:MAX_REFUSALS]
    ]


def _refused_context(making: Making) -> Context:
    """Return what leaving out the refused rows would keep."""
    refused = [making.source.rows[position].product_id for position in sorted(making.refusals)]
    left_out = [making.source.hidden.get("left_out", ""), *refused]
    return {
        "refused_count": len(refused),
        "rest": len(making.source.rows) - len(refused) if making.source.job else 0,
        "left_out": ",".join(filter(None, left_out)),
    }


def _preview_context(making: Making) -> Context:
    preview = making.preview
    if preview is None:
        return {}
    plan = preview.plan
    starts_now = plan.starts_at == plan.created_at
    ends_at = plan.ends_at
    return {
        "preview": preview,
        "starts": gettext("immediately") if starts_now else both_times(plan.starts_at, plan.zone),
        "ends": both_times(ends_at, plan.zone) if ends_at else "",
        "lines": row_lines(preview.rows[:MAX_SHOWN], plan, preview.outlooks, preview.overlaps),
        "hidden_count": max(0, len(preview.rows) - MAX_SHOWN),
        "overlaps": overlap_lines(plan, preview.overlaps),
        "unchanged": sum(not row.changed for row in preview.rows),
        "digest": digest(preview),
        "attempt": new_id(),
    }
