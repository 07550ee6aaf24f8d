"""Jobs in the admin: what each will do, how far it has come, what came of it, and taking it back."""

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.http import require_POST, require_safe

from products.admin.base import ModelAdmin
from products.admin.formatting import label, shown
from products.admin.refusals import status_of
from products.admin.unavailable import with_unavailable_page
from products.bootstrap import jobs
from products.bulk.job import Job, JobNotFound, JobState
from products.bulk.rows import Row, RowState
from products.errors import CatalogueError

LISTED, FILTERED = 50, 200


class ProductJobs(ModelAdmin):
    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        doings = ("start", "cancel", "undo")
        progress = wrap(require_safe(self.progress_view))
        return [
            path("jobs/", wrap(require_safe(self.jobs_view)), name="products_product_jobs"),
            path(
                "jobs/<str:job_id>/", wrap(require_safe(self.job_view)), name="products_product_job"
            ),
            path("jobs/<str:job_id>/progress/", progress, name="products_product_job_progress"),
            *(
                path(
                    f"jobs/<str:job_id>/{doing}/",
                    wrap(self._doing_view(doing)),
                    name=f"products_product_job_{doing}",
                )
                for doing in doings
            ),
            *super().get_urls(),
        ]

    @with_unavailable_page
    def jobs_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        listed = jobs().table.jobs(LISTED)
        context = {**self._context(request), "title": "Bulk edits and imports", "jobs": listed}
        return TemplateResponse(request, "admin/products/jobs.html", context)

    @with_unavailable_page
    def job_view(self, request: HttpRequest, job_id: str) -> HttpResponse:
        """A planned job's page is its preview, a running one's its progress, a finished one's its result."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = _job(job_id)
        only = request.GET.get("only", "")
        asked = request.GET.get("page", "1")
        page = (
            min(max(int(asked), 1), job.chunks)
            if asked.isascii() and asked.isdigit() and len(asked) < 6
            else 1
        )
        context = {
            **self._context(request),
            "title": job.title,
            "job": job,
            "counts": {str(state): job.counts.get(state, 0) for state in RowState},
            "rows": [_shown(row) for row in _rows(job, page, only)],
            "page": page,
            "only": only,
            "percent": 100 * job.done // job.rows,
            "mine": job.actor == request.user.get_username(),
            "may_change": self.has_change_permission(request),
        }
        return TemplateResponse(request, "admin/products/job.html", context)

    def progress_view(self, request: HttpRequest, job_id: str) -> HttpResponse:
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

    def _doing_view(self, doing: str) -> Callable[..., HttpResponse]:
        @with_unavailable_page
        def view(admin: ProductJobs, request: HttpRequest, job_id: str) -> HttpResponse:
            if not admin.has_change_permission(request):
                raise PermissionDenied
            return admin._do(request, doing, _job(job_id))

        return require_POST(partial(view, self))

    def _do(self, request: HttpRequest, doing: str, job: Job) -> HttpResponse:
        """Only who has looked at a plan starts it: what it may do was checked for that person."""
        me = request.user.get_username()
        if doing == "start" and job.actor != me:
            raise PermissionDenied
        if doing == "undo" and not self.has_delete_permission(request) and _deactivates(job):
            raise PermissionDenied
        try:
            if doing == "undo":
                job = jobs().undo(job.job_id, actor=me)
            else:
                job = (jobs().start if doing == "start" else jobs().cancel)(job.job_id)
        except CatalogueError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:products_product_job", args=[job.job_id]))

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "JobState": JobState}


def _job(job_id: str) -> Job:
    try:
        return jobs().job(job_id)
    except JobNotFound as gone:
        raise Http404(str(gone)) from gone


def _rows(job: Job, page: int, only: str) -> list[Row]:
    if only not in list(RowState):
        return jobs().table.rows(job.job_id, page - 1)
    matching = (row for row in jobs().rows(job) if row.state == only)
    return list(itertools.islice(matching, FILTERED))


def _deactivates(job: Job) -> bool:
    """Whether taking the job back would take a product out of the catalogue."""
    made = (row for row in jobs().rows(job) if row.state == RowState.ACCEPTED)
    return any(row.creates or row.changed.get("active", (None, None))[0] is False for row in made)


def _shown(row: Row) -> dict[str, Any]:
    fields = [
        (label(name), shown(before), shown(after)) for name, (before, after) in row.changed.items()
    ]
    return {"row": row, "fields": fields, "creates": row.creates}
