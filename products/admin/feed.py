"""The feed of changes: who changed what in the whole catalogue, with the undo of each line."""

from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import TypedDict

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, pgettext_lazy

from products.admin.base import Context, ModelAdmin, page_response, product_url
from products.admin.formatting import HistoryRow, field_label, history_row, source_label
from products.admin.receipt import undo_url
from products.admin.sentences.finding import reason_in_words
from products.bootstrap import feed
from products.bulk.job import JobKind
from products.changes import Change
from products.documents import format_timestamp, parse_timestamp
from products.feed import MAX_EXAMINED, FeedPage, FeedQuery
from products.plans.plan import SOURCE, plan_id_of
from products.product import RULES

PAGE_SIZE = 50
MAX_SHOWN = 50
"""Changes of one line that are shown; the page of its bulk edit, import or plan has all."""
SOURCES = ("admin", "api", *JobKind, SOURCE, "command")
CUT = "cut"
"""The parameter of a page that begins inside a line."""
ONE_DAY = timedelta(days=1)


class FeedRow(TypedDict):
    """A change as the feed shows it."""

    row: HistoryRow
    reason: str
    url: str
    undo_url: str


class FeedGroup(TypedDict):
    """Changes that belong together: a single change, or those of a job or plan in one go.

    With ``is_cut`` there are more than ``count``, before or after the page.
    """

    first: FeedRow
    rows: list[FeedRow]
    count: int
    is_cut: bool
    job_url: str
    plan_url: str
    is_new: bool


def _choices_of_fields() -> list[tuple[str, str]]:
    return [("", gettext("Any field")), *((name, field_label(name)) for name in RULES)]


def _choices_of_sources() -> list[tuple[str, str]]:
    return [("", gettext("Any source")), *((name, source_label(name)) for name in SOURCES)]


class FeedFilters(forms.Form):
    """The filters of the feed. Their values are those of the address."""

    person = forms.CharField(required=False, max_length=150, label=gettext_lazy("Person"))
    field = forms.ChoiceField(
        required=False, label=gettext_lazy("Field"), choices=_choices_of_fields
    )
    source = forms.ChoiceField(
        required=False, label=gettext_lazy("Source"), choices=_choices_of_sources
    )
    first_day = forms.DateField(required=False, label=pgettext_lazy("a day", "From"))
    last_day = forms.DateField(required=False, label=pgettext_lazy("a day", "To"))

    def query(self, before: datetime | None) -> FeedQuery:
        """Return what the filters ask for. The days are those of the user's time zone."""
        chosen = self.cleaned_data
        first, last = chosen["first_day"], chosen["last_day"]
        end = _start_of(last + ONE_DAY) if last else None
        ends = [at for at in (before, end) if at]
        return FeedQuery(
            limit=PAGE_SIZE,
            max_examined=MAX_EXAMINED,
            line_of=line_of,
            actor=chosen["person"],
            field=chosen["field"],
            source=chosen["source"],
            since=_start_of(first) if first else None,
            before=min(ends, default=None),
        )


def feed_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show a page of the feed. Filters that are not understood show no changes, and say why."""
    filters = FeedFilters(request.GET)
    page = FeedPage([], None)
    if filters.is_valid():
        page = feed().page(filters.query(_time_parameter(request, "before")))
    context: Context = {
        "title": gettext("Changes"),
        "filters": filters,
        "groups": feed_groups(page, begins_cut=CUT in request.GET),
        "older_url": _older_url(request, page),
        "is_partial": page.is_partial,
        "may_change": admin.has_change_permission(request),
    }
    return page_response(admin, request, "feed", context)


def feed_groups(
    page: FeedPage, *, new_since: datetime | None = None, begins_cut: bool = False
) -> list[FeedGroup]:
    """Return the changes in groups: those of a job or plan that follow one another together."""
    groups = [_group(list(members), new_since) for _, members in groupby(page.changes, line_of)]
    if groups and begins_cut:
        groups[0]["is_cut"] = True
    if groups and page.is_cut:
        groups[-1]["is_cut"] = True
    return groups


def line_of(change: Change) -> tuple[str, str]:
    """Return which line of the feed the change is in."""
    is_of_many = change.origin.source in {*JobKind, SOURCE}
    return change.origin.source, change.origin.request_id if is_of_many else change.change_id


def _group(changes: list[Change], new_since: datetime | None) -> FeedGroup:
    newest = changes[0]
    rows = [_feed_row(change) for change in changes[:MAX_SHOWN]]
    job_url = ""
    if newest.origin.source in list(JobKind):
        job_url = reverse("admin:products_product_job", args=[newest.origin.request_id])
    plan_id = plan_id_of(newest)
    plan_url = reverse("admin:products_product_plan", args=[plan_id]) if plan_id else ""
    is_new = new_since is not None and newest.accepted_at > new_since
    return {
        "first": rows[0],
        "rows": rows,
        "count": len(changes),
        "is_cut": False,
        "job_url": job_url,
        "plan_url": plan_url,
        "is_new": is_new,
    }


def _feed_row(change: Change) -> FeedRow:
    return {
        "row": history_row(change),
        "reason": reason_in_words(change.origin.reason),
        "url": product_url("change", change.product_id),
        "undo_url": undo_url(change),
    }


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _time_parameter(request: HttpRequest, name: str) -> datetime | None:
    try:
        return parse_timestamp(request.GET.get(name, ""))
    except ValueError:
        return None


def _older_url(request: HttpRequest, page: FeedPage) -> str:
    if page.older is None:
        return ""
    parameters = request.GET.copy()
    parameters["before"] = format_timestamp(page.older)
    parameters.pop(CUT, None)
    if page.is_cut:
        parameters[CUT] = "yes"
    return f"?{parameters.urlencode()}"
