"""The addresses of the product pages that are neither the list nor the form."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from products.access.confirmation import confirmed
from products.admin import (
    bulk,
    csv_files,
    feed,
    history,
    images,
    inline_edit,
    job_list,
    jobs,
    operations,
    preview,
    receipt,
    saved_views,
    synonyms,
)
from products.admin.base import ModelAdmin
from products.admin.plans import actions, calendar_page, coming, listing, making, plan_page
from products.admin.refusals import with_refusal_pages

type View = Callable[..., HttpResponseBase]

READ, WRITE = require_safe, require_POST
FORM = require_http_methods(["GET", "HEAD", "POST"])
JOB = "jobs/<str:job_id>/"
PLAN = "plans/<str:plan_id>/"
PRODUCT = "<path:object_id>/"


class Page(NamedTuple):
    """One address. ``needs`` is the permission to open it, as in ``has_view_permission``.

    What a write needs is decided by the core.
    """

    route: str
    name: str
    view: View
    methods: Callable[[View], View]
    needs: str = "view"


PAGES = (
    Page("bulk/", "bulk", bulk.bulk_view, FORM, "change"),
    Page("export/", "export", csv_files.export_view, READ),
    Page("import/", "import", csv_files.import_view, FORM, "change"),
    Page("changes/", "changes", feed.feed_view, READ),
    Page("jobs/", "jobs", job_list.jobs_view, READ),
    Page("jobs/discard/", "jobs_discard", job_list.discard_old_view, WRITE),
    Page(JOB, "job", jobs.job_view, READ),
    Page(f"{JOB}progress/", "job_progress", jobs.progress_view, READ),
    Page(f"{JOB}errors/", "job_errors", csv_files.errors_view, READ),
    Page(f"{JOB}clashes/", "job_clashes", jobs.clashes_view, WRITE),
    Page(f"{JOB}clashes/<int:number>/", "job_clash", jobs.clash_view, WRITE),
    Page(f"{JOB}rows/<int:number>/", "job_choose", jobs.choose_view, WRITE),
    Page(f"{JOB}start/", "job_start", jobs.start_view, WRITE),
    Page(f"{JOB}discard/", "job_discard", jobs.discard_view, WRITE),
    Page(f"{JOB}cancel/", "job_cancel", jobs.cancel_view, WRITE),
    Page(f"{JOB}undo/", "job_undo", jobs.undo_view, WRITE),
    Page("plans/", "plans", listing.plans_view, READ),
    Page("plans/calendar/", "plans_calendar", calendar_page.calendar_view, READ),
    Page("plans/catalogue/", "plans_catalogue", coming.catalogue_view, READ),
    Page("plans/new/", "plan_new", making.new_view, FORM, "plan"),
    Page(PLAN, "plan", plan_page.plan_view, READ),
    Page(f"{PLAN}edit/", "plan_edit", actions.edit_view, FORM, "plan"),
    Page(f"{PLAN}postpone/", "plan_postpone", actions.postpone_view, WRITE, "plan"),
    Page(f"{PLAN}end/", "plan_end", actions.end_view, WRITE, "plan"),
    Page(f"{PLAN}cancel/", "plan_cancel", actions.cancel_view, WRITE, "plan"),
    Page(f"{PLAN}undo/", "plan_undo", actions.undo_view, WRITE, "plan"),
    Page("views/", "save_view", saved_views.save_view, WRITE),
    Page("views/columns/", "save_columns", saved_views.save_columns, WRITE),
    Page("views/<int:pk>/delete/", "delete_view", saved_views.delete_view, WRITE),
    Page("synonyms/", "synonyms", synonyms.synonyms_view, FORM),
    Page("operations/", "operations", operations.operations_view, READ, "operate"),
    Page("operations/retry/", "retry", operations.retry_view, WRITE),
    Page("operations/retry_cause/", "retry_cause", operations.retry_cause_view, WRITE),
    Page("operations/discard/", "discard", confirmed(operations.discard_view), WRITE),
    Page("operations/redrive/", "redrive", operations.redrive_view, WRITE),
    Page("add/preview/", "add_preview", preview.preview_view, WRITE, "add"),
    Page(f"{PRODUCT}preview/", "preview", preview.preview_view, WRITE, "change"),
    Page(f"{PRODUCT}cell/", "cell", inline_edit.cell_view, WRITE),
    Page(f"{PRODUCT}image/", "image", images.image_view, WRITE),
    Page(f"{PRODUCT}receipt/<int:version>/", "receipt", receipt.receipt_view, READ),
    Page(f"{PRODUCT}history/", "history", history.history_view, FORM),
    Page(f"{PRODUCT}restore/", "restore", history.restore_view, WRITE),
    Page(
        f"{PRODUCT}restore/<int:version>/",
        "restore_version",
        history.restore_version_view,
        WRITE,
    ),
    Page(f"{PRODUCT}undo/<int:version>/", "undo", history.undo_view, WRITE),
)


def product_urls(admin: ModelAdmin) -> list[URLPattern]:
    """Return the patterns of all pages; their names are ``products_product_<name>``."""
    return [
        path(page.route, _protected(admin, page), name=f"products_product_{page.name}")
        for page in PAGES
    ]


def _protected(admin: ModelAdmin, page: Page) -> View:
    """Return the page's view for signed-in staff with its permission and by its methods."""
    is_allowed = getattr(admin, f"has_{page.needs}_permission")
    guarded = partial(with_refusal_pages(page.view), admin)

    def view(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        if not is_allowed(request):
            raise PermissionDenied
        return guarded(request, **arguments)

    return admin.admin_site.admin_view(page.methods(view))
