"""Jobs in the admin: what each will do, its progress, its result, and its undo."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import TypedDict

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    JsonResponse,
)
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy

from products.admin.base import ModelAdmin, page_response
from products.admin.bulk_preview import (
    bulk_preview,
    change_line,
    row_in_words,
    unusual_rows,
    value_text,
)
from products.admin.error_pages import PageNotFound
from products.admin.formatting import JOB_STATES, field_label
from products.admin.plans.listing import may_plan
from products.admin.refusals import show_refusal, status_of
from products.admin.sentences.finding import in_words, refusal_text, sentences_in_words
from products.admin.staff_writes import StaffWrites
from products.bootstrap import jobs
from products.bulk.clashes import Side
from products.bulk.job import RETENTION, Job, JobKind, JobNotFound, JobState
from products.bulk.rows import Row, RowState
from products.currency import DEFAULT_CURRENCY
from products.errors import CatalogueError
from products.product import RULES

JOB_NOT_FOUND = gettext_lazy(
    "This bulk edit or import does not exist. They are kept for {days} days."
)
MAX_FILTERED_ROWS = 200
MAX_PAGE_DIGITS = 5
KIND_LABELS = {
    JobKind.BULK: gettext_lazy("Bulk edit"),
    JobKind.CSV: gettext_lazy("Import"),
    JobKind.UNDO: gettext_lazy("Undo"),
}
NO_DECISION = gettext_lazy("A decision is mine or theirs.")


class FieldContext(TypedDict):
    """A field that a row changes; a new product's default is marked."""

    label: str
    before: str
    after: str
    change: str
    is_default: bool


class ClashContext(TypedDict):
    """A field that the sheet and somebody else changed, to be decided."""

    name: str
    label: str
    base: str
    mine: str
    theirs: str


class RowContext(TypedDict):
    """A row as the page shows it."""

    row: Row
    fields: list[FieldContext]
    clashes: list[ClashContext]
    creates: bool
    is_planned_new: bool
    is_unusual: bool


def job_view(admin: ModelAdmin, request: HttpRequest, job_id: str) -> HttpResponse:
    """Show the preview of a planned job, the progress of a running one, or the result."""
    job = _job_or_404(job_id)
    only_state = request.GET.get("only", "")
    page = _page_number(request.GET.get("page", "1"), job.chunks)
    is_mine = job.actor == StaffWrites(request).actor
    may_decide = is_mine and job.state == JobState.PLANNED and bool(job.counts.get(RowState.CLASH))
    rows = _rows_of(job, page, only_state)
    unusual = unusual_rows(job)
    context = {
        "title": job.title,
        "job": _job_in_words(job),
        "kind": str(KIND_LABELS[job.kind]),
        "state_text": str(JOB_STATES[job.state]),
        "counts": {str(state): job.counts.get(state, 0) for state in RowState},
        "rows": [_row_context(row, unusual, may_decide=may_decide) for row in rows],
        "unusual": len(unusual),
        "preview": bulk_preview(job, rows),
        "has_lines": any(row.line for row in rows),
        "page": page,
        "only": only_state,
        "percent": 100 * job.done // max(1, job.rows),
        "is_under_way": job.state in (JobState.PLANNING, JobState.RUNNING),
        "is_mine": is_mine,
        "may_decide": may_decide,
        "may_change": admin.has_change_permission(request),
        "may_plan": may_plan(request),
    }
    return page_response(admin, request, "job", context)


def progress_view(admin: ModelAdmin, request: HttpRequest, job_id: str) -> HttpResponse:
    """Return the progress of the job for the page's script."""
    try:
        job = jobs().job(job_id)
    except CatalogueError as refusal:
        return JsonResponse({"message": refusal_text(refusal)}, status=status_of(refusal))
    counts = {str(state): count for state, count in job.counts.items()}
    return JsonResponse({"state": job.state, "done": job.done, "rows": job.rows, "counts": counts})


def _action_view(act: Callable[[StaffWrites, str], Job]) -> Callable[..., HttpResponse]:
    """Return the view that acts on a job, and then shows the job that results, or the refusal."""

    def view(admin: ModelAdmin, request: HttpRequest, job_id: str) -> HttpResponse:
        job = _job_or_404(job_id)
        try:
            job = act(StaffWrites(request), job_id)
        except CatalogueError as refusal:
            show_refusal(admin, request, refusal)
        if request.POST.get("next") == "list":
            return redirect("admin:products_product_jobs")
        return redirect("admin:products_product_job", job.job_id)

    return view


start_view = _action_view(StaffWrites.start_job)
cancel_view = _action_view(StaffWrites.cancel_job)
discard_view = _action_view(StaffWrites.discard_job)
undo_view = _action_view(StaffWrites.undo_job)


def _job_in_words(job: Job) -> Job:
    """Return the job with the core's sentences in the reader's language."""
    notes = tuple(sentences_in_words(job.notes))
    return replace(job, notes=notes, message=in_words(job.message))


def _job_or_404(job_id: str) -> Job:
    try:
        return jobs().job(job_id)
    except JobNotFound as error:
        raise PageNotFound(JOB_NOT_FOUND.format(days=RETENTION.days)) from error


def _page_number(text: str, last_page: int) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_PAGE_DIGITS
    return max(1, min(int(text), last_page)) if is_number else 1


def _rows_of(job: Job, page: int, only_state: str) -> list[Row]:
    """Return one page of the job's rows, or the first rows in one state."""
    if only_state not in list(RowState):
        return jobs().chunk_rows(job, page - 1)
    matching = (row for row in jobs().rows(job) if row.state == only_state)
    return list(itertools.islice(matching, MAX_FILTERED_ROWS))


def clash_view(admin: ModelAdmin, request: HttpRequest, job_id: str, number: int) -> HttpResponse:
    """Decide the clashes of one row, and show the same rows again."""
    _job_or_404(job_id)
    names = [name for name in RULES if name in request.POST]
    try:
        decisions = {name: Side(request.POST[name]) for name in names}
        StaffWrites(request).decide_clash(job_id, number, decisions)
    except ValueError:
        return HttpResponseBadRequest(NO_DECISION)
    except CatalogueError as refusal:
        show_refusal(admin, request, refusal)
    return _same_rows(request, job_id)


def choose_view(admin: ModelAdmin, request: HttpRequest, job_id: str, number: int) -> HttpResponse:
    """Leave one row out of a planned job, or take it in again, and show the same rows."""
    _job_or_404(job_id)
    try:
        is_included = request.POST.get("include") == "yes"
        StaffWrites(request).choose_row(job_id, number, is_included=is_included)
    except CatalogueError as refusal:
        show_refusal(admin, request, refusal)
    return _same_rows(request, job_id)


def _same_rows(request: HttpRequest, job_id: str) -> HttpResponse:
    shown = {name: request.POST[name] for name in ("only", "page") if request.POST.get(name)}
    page = reverse("admin:products_product_job", args=[job_id])
    return redirect(f"{page}?{urlencode(shown)}")


def clashes_view(admin: ModelAdmin, request: HttpRequest, job_id: str) -> HttpResponse:
    """Decide all clashes of the job for one side."""
    _job_or_404(job_id)
    try:
        StaffWrites(request).decide_all_clashes(job_id, Side(request.POST.get("side", "")))
    except ValueError:
        return HttpResponseBadRequest(NO_DECISION)
    except CatalogueError as refusal:
        show_refusal(admin, request, refusal)
    return redirect("admin:products_product_job", job_id)


def _row_context(row: Row, unusual: frozenset[int], *, may_decide: bool) -> RowContext:
    is_planned_new = row.creates and row.state == RowState.WAITING
    _, currency = row.changed.get("currency", (None, row.currency or DEFAULT_CURRENCY))
    fields: list[FieldContext] = [
        {
            **change_line(name, before, after, currency),
            "is_default": is_planned_new and name not in row.edits,
        }
        for name, (before, after) in row.changed.items()
        if name not in row.clashes or row.state != RowState.CLASH
    ]
    clashes: list[ClashContext] = [
        {
            "name": name,
            "label": field_label(name),
            "base": value_text(name, clash.base, currency),
            "mine": value_text(name, clash.yours, currency),
            "theirs": value_text(name, clash.theirs, currency),
        }
        for name, clash in row.clashes.items()
    ]
    return {
        "row": row_in_words(row),
        "fields": fields,
        "clashes": clashes if may_decide and row.state == RowState.CLASH else [],
        "creates": row.creates,
        "is_planned_new": is_planned_new,
        "is_unusual": row.number in unusual,
    }
