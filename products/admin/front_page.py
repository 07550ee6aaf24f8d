"""The front page: what changed since the user was last here, and what waits for somebody."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypedDict

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy, ngettext

from products.access.profiles import profile_of, record_visit
from products.admin.base import Context, user_of
from products.admin.feed import feed_groups, line_of
from products.admin.plans.listing import needs_attention, plan_entry
from products.admin.plans.wording import state_text
from products.admin.sentences.finding import refusal_text
from products.bootstrap import feed, jobs, now, operations
from products.bulk.job import Job, JobState
from products.bulk.rows import RowState
from products.errors import Unavailable
from products.feed import FeedQuery
from products.operations import MAX_GROUPED
from products.permissions import Permission
from products.plans.plan import Plan
from products.scheduling import plans

MAX_LINES = 15  # of changes
MAX_EXAMINED = 250  # changes
MAX_EXAMINED_JOBS = 20
MAX_COMING = 5  # plans
MAX_EXAMINED_PLANS = 30
PLAN_REMINDER = timedelta(days=7)
"""How long after its last step a plan that needs attention is listed."""

WAITING_JOBS = {
    JobState.PLANNED: gettext_lazy("{job}: not applied yet"),
    JobState.PLANNING: gettext_lazy("{job}: being read"),
    JobState.RUNNING: gettext_lazy("{job}: {done} of {rows} done"),
}


class Waiting(TypedDict):
    """Something that waits for the user, and the page where it can be done."""

    text: str
    url: str


def complete_context(request: HttpRequest, context: Context) -> Context:
    """Add to the front page's context what changed, and what waits."""
    user = user_of(request)
    visited_at = record_visit(profile_of(user), now())
    added: Context = {"visited_at": visited_at}
    if not user.has_perm(Permission.VIEW):
        return context | added
    try:
        latest = FeedQuery(limit=MAX_LINES, max_examined=MAX_EXAMINED, line_of=line_of)
        page = feed().page(latest)
        added["groups"] = feed_groups(page, new_since=visited_at)
        added["has_older"] = page.older is not None
        name = user.get_username()
        added["waiting"] = [*_waiting_jobs(name), *_waiting_plans(name), *_stuck(request)]
        added["coming"] = [plan_entry(plan) for plan in plans().open()[:MAX_COMING]]
    except Unavailable as refusal:
        added["unavailable"] = refusal_text(refusal)
    added["may_change"] = user.has_perm(Permission.CHANGE)
    return context | added


def _waiting_jobs(name: str) -> list[Waiting]:
    """Return the user's jobs that are not applied yet, and those with refused rows."""
    mine = [job for job in jobs().newest(MAX_EXAMINED_JOBS) if job.actor == name]
    return [entry for job in mine if (entry := _waiting_job(job))]


def _waiting_job(job: Job) -> Waiting | None:
    url = reverse("admin:products_product_job", args=[job.job_id])
    refused = job.counts.get(RowState.REFUSED, 0)
    if job.state == JobState.DONE and refused:
        url = f"{url}?only=refused"
        text = ngettext("{job}: {count} refused", "{job}: {count} refused", refused)
    elif job.state in WAITING_JOBS:
        text = str(WAITING_JOBS[job.state])
    else:
        return None
    text = text.format(job=job.title, done=job.done, rows=job.rows, count=refused)
    return {"text": text, "url": url}


def _waiting_plans(name: str) -> list[Waiting]:
    """Return the user's plans of late that were missed, are overdue, or have refused rows."""
    since = now() - PLAN_REMINDER
    return [
        {
            "text": f"{plan.name}: {state_text(plan)}",
            "url": reverse("admin:products_product_plan", args=[plan.plan_id]),
        }
        for plan in plans().newest(MAX_EXAMINED_PLANS)
        if plan.owner == name and needs_attention(plan) and _last_step_at(plan) > since
    ]


def _last_step_at(plan: Plan) -> datetime:
    return plan.ended_at or plan.started_at or plan.due or plan.ends_at or plan.starts_at


def _stuck(request: HttpRequest) -> list[Waiting]:
    """Return how many changes are stuck, for users who may operate the pipeline."""
    if not user_of(request).has_perm(Permission.OPERATE):
        return []
    count = 0
    with suppress(Unavailable):
        count = len({stuck.key for stuck in operations().stuck(MAX_GROUPED)})
    if not count:
        return []
    text = ngettext(
        "{count} change is not published everywhere",
        "{count} changes are not published everywhere",
        count,
    )
    if count >= MAX_GROUPED:
        text = gettext("At least {count} changes are not published everywhere")
    url = reverse("admin:products_product_operations")
    return [{"text": text.format(count=count), "url": url}]
