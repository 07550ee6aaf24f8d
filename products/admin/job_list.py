"""The list of bulk edits and imports: their progress, and cleaning up previews nobody applied."""

from datetime import timedelta
from typing import TypedDict

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, ngettext

from products.admin.base import ModelAdmin, page_response
from products.admin.formatting import JOB_STATES
from products.admin.jobs import KIND_LABELS
from products.admin.refusals import show_refusal
from products.admin.staff_writes import StaffWrites
from products.bootstrap import jobs, now
from products.bulk.job import Job, JobState
from products.bulk.rows import RowState
from products.errors import CatalogueError

MAX_LISTED = 50
ABANDONED_AFTER = timedelta(hours=1)


class JobEntry(TypedDict):
    """A job as the list shows it."""

    job: Job
    kind: str
    state: str
    summary: str
    is_mine: bool


def jobs_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show the newest jobs; a job that was discarded before it began is left out."""
    actor = StaffWrites(request).actor
    listed = [job for job in jobs().newest(MAX_LISTED) if not _is_discarded(job)]
    context = {
        "title": gettext("Bulk edits and imports"),
        "entries": [_entry(job, actor) for job in listed],
        "abandoned_count": len(_abandoned(listed, actor)),
        "may_change": admin.has_change_permission(request),
    }
    return page_response(admin, request, "jobs", context)


def discard_old_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Discard the user's own previews that were not applied within ABANDONED_AFTER."""
    writes = StaffWrites(request)
    discarded = 0
    try:
        for job in _abandoned(jobs().newest(MAX_LISTED), writes.actor):
            writes.discard_job(job.job_id)
            discarded += 1
    except CatalogueError as refusal:
        show_refusal(admin, request, refusal)
    if discarded:
        text = ngettext(
            "{count} preview discarded; no product was changed.",
            "{count} previews discarded; no product was changed.",
            discarded,
        )
        admin.message_user(request, text.format(count=discarded))
    return redirect("admin:products_product_jobs")


def _abandoned(listed: list[Job], actor: str) -> list[Job]:
    before = now() - ABANDONED_AFTER
    return [
        job
        for job in listed
        if job.state == JobState.PLANNED and job.actor == actor and job.created_at < before
    ]


def _is_discarded(job: Job) -> bool:
    return job.state == JobState.CANCELLED and not job.counts.get(RowState.ACCEPTED, 0)


def _entry(job: Job, actor: str) -> JobEntry:
    return {
        "job": job,
        "kind": str(KIND_LABELS[job.kind]),
        "state": str(JOB_STATES[job.state]),
        "summary": _summary(job),
        "is_mine": job.actor == actor,
    }


def _summary(job: Job) -> str:
    """Return what the job will do, or what it has done so far."""
    if job.state == JobState.PLANNED:
        waiting = job.counts.get(RowState.WAITING, 0)
        return gettext("{count} of {rows} will change").format(count=waiting, rows=job.rows)
    refused = job.counts.get(RowState.REFUSED, 0)
    text = gettext("{done} of {rows}")
    if refused:
        text = ngettext(
            "{done} of {rows}, {count} refused", "{done} of {rows}, {count} refused", refused
        )
    return text.format(done=job.done, rows=job.rows, count=refused)
