"""Jobs in the admin: what each will do, its progress, its result, and its undo."""

import itertools
from collections.abc import Callable
from typing import TypedDict

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe

from products.admin.base import ModelAdmin, origin_of
from products.admin.formatting import field_label, format_value
from products.admin.refusals import status_of
from products.admin.unavailable import with_unavailable_page
from products.bootstrap import jobs
from products.bulk.job import Job, JobKind, JobNotFound
from products.bulk.rows import Row, RowState
from products.changes import Origin
from products.errors import CatalogueError

MAX_LISTED_JOBS = 50
MAX_FILTERED_ROWS = 200
MAX_PAGE_DIGITS = 5
KIND_LABELS = {JobKind.BULK: "Bulk edit", JobKind.CSV: "Import", JobKind.UNDO: "Undo"}


class RowContext(TypedDict):
    """A row as the page shows it: its fields as (label, before, after)."""

    row: Row
    fields: list[tuple[str, str, str]]
    creates: bool


class ProductJobs(ModelAdmin):
    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        job = "jobs/<str:job_id>/"
        return [
            path("jobs/", wrap(require_safe(self.jobs_view)), name="products_product_jobs"),
            path(job, wrap(require_safe(self.job_view)), name="products_product_job"),
            path(
                f"{job}progress/",
                wrap(require_safe(self.progress_view)),
                name="products_product_job_progress",
            ),
            *(
                path(
                    f"{job}{action}/",
                    wrap(require_POST(self._job_action_view(action))),
                    name=f"products_product_job_{action}",
                )
                for action in ("start", "cancel", "undo")
            ),
            *super().get_urls(),
        ]

    @with_unavailable_page
    def jobs_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        listed = jobs().table.jobs(MAX_LISTED_JOBS)
        context = {
            **self.admin_site.each_context(request),
            "title": "Bulk edits and imports",
            "jobs": [(job, KIND_LABELS[job.kind]) for job in listed],
        }
        return TemplateResponse(request, "admin/products/jobs.html", context)

    @with_unavailable_page
    def job_view(self, request: HttpRequest, job_id: str) -> HttpResponse:
        """Show the preview of a planned job, the progress of a running one, or the result."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = _job_or_404(job_id)
        only_state = request.GET.get("only", "")
        page = _page_number(request.GET.get("page", "1"), job.chunks)
        context = {
            **self.admin_site.each_context(request),
            "title": job.title,
            "job": job,
            "kind": KIND_LABELS[job.kind],
            "counts": {str(state): job.counts.get(state, 0) for state in RowState},
            "rows": [_row_context(row) for row in _rows_of(job, page, only_state)],
            "page": page,
            "only": only_state,
            "percent": 100 * job.done // job.rows,
            "is_mine": job.actor == request.user.get_username(),
            "may_change": self.has_change_permission(request),
        }
        return TemplateResponse(request, "admin/products/job.html", context)

    def progress_view(self, request: HttpRequest, job_id: str) -> HttpResponse:
        """Return the progress of the job for the page's script."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            job = jobs().job(job_id)
        except CatalogueError as refusal:
            return JsonResponse({"message": str(refusal)}, status=status_of(refusal))
        counts = {str(state): count for state, count in job.counts.items()}
        return JsonResponse(
            {"state": job.state, "done": job.done, "rows": job.rows, "counts": counts}
        )

    def _job_action_view(self, action: str) -> Callable[..., HttpResponse]:
        @with_unavailable_page
        def view(admin: ProductJobs, request: HttpRequest, job_id: str) -> HttpResponse:
            if not admin.has_change_permission(request):
                raise PermissionDenied
            return admin._act(request, action, _job_or_404(job_id))

        def bound_view(request: HttpRequest, job_id: str) -> HttpResponse:
            return view(self, request, job_id)

        return bound_view

    def _act(self, request: HttpRequest, action: str, job: Job) -> HttpResponse:
        """Start, cancel or undo the job.

        Only the user who planned a job starts it, because the plan was made with the permissions
        of that user.
        """
        user = request.user.get_username()
        if action == "start" and job.actor != user:
            raise PermissionDenied
        if action == "undo" and _undo_deactivates(job) and not self.has_delete_permission(request):
            raise PermissionDenied
        try:
            job = _apply_action(action, job.job_id, origin_of(request))
        except CatalogueError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:products_product_job", args=[job.job_id]))


def _apply_action(action: str, job_id: str, origin: Origin) -> Job:
    """Apply the action; return the job to show, which is a new one for an undo."""
    if action == "undo":
        return jobs().undo(job_id, origin)
    if action == "start":
        return jobs().start(job_id, origin)
    return jobs().cancel(job_id, origin)


def _job_or_404(job_id: str) -> Job:
    try:
        return jobs().job(job_id)
    except JobNotFound as error:
        raise Http404(str(error)) from error


def _page_number(text: str, last_page: int) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_PAGE_DIGITS
    return min(max(int(text), 1), last_page) if is_number else 1


def _rows_of(job: Job, page: int, only_state: str) -> list[Row]:
    """Return one page of the job's rows, or the first rows in one state."""
    if only_state not in list(RowState):
        return jobs().table.rows(job.job_id, page - 1)
    matching = (row for row in jobs().rows(job) if row.state == only_state)
    return list(itertools.islice(matching, MAX_FILTERED_ROWS))


def _undo_deactivates(job: Job) -> bool:
    """Return whether undoing the job would deactivate a product."""
    for row in jobs().rows(job):
        if row.state != RowState.ACCEPTED:
            continue
        active_before, _ = row.changed.get("active", (None, None))
        if row.creates or active_before is False:
            return True
    return False


def _row_context(row: Row) -> RowContext:
    fields = [
        (field_label(name), format_value(before), format_value(after))
        for name, (before, after) in row.changed.items()
    ]
    return {"row": row, "fields": fields, "creates": row.creates}
