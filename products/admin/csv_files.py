"""Products to and from CSV: the list's filter as a file, and a file as a job that is looked at before it runs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from products.admin.base import ModelAdmin
from products.admin.bulk import filtered
from products.admin.unavailable import with_unavailable_page
from products.bootstrap import catalogue, jobs, now
from products.bulk.jobs import Job, JobKind, JobNotFound
from products.bulk.rows import Row, RowState
from products.bulk.spreadsheet import (
    COLUMNS,
    MAX_SIZE,
    Sheet,
    csv_lines,
    guess_mapping,
    lookup_keys,
    parse_sheet,
    plan_rows,
    product_rows,
    refusal_rows,
)
from products.errors import CatalogueError, Invalid

MAX_EXPORTED = 1_000_000


class ProductCsvFiles(ModelAdmin):
    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("export/", wrap(require_safe(self.export_view)), name="products_product_export"),
            path("import/", wrap(self.import_view), name="products_product_import"),
            path(
                "jobs/<str:job_id>/errors/",
                wrap(require_safe(self.errors_view)),
                name="products_product_job_errors",
            ),
            *super().get_urls(),
        ]

    @with_unavailable_page
    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """All that match the list's filter, as they are read, so that any number costs the same memory."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = catalogue().walk(filtered(self, request), MAX_EXPORTED)
        return _download(f"products-{now():%Y-%m-%d-%H%M}.csv", product_rows(found))

    @with_unavailable_page
    def import_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        errors: list[str] = []
        if request.method == "POST":
            try:
                sheet = parse_sheet(_uploaded(request))
                if request.POST.get("ask") == "columns":
                    return _columns(sheet)
                job = self._planned_import(request, sheet)
                return HttpResponseRedirect(
                    reverse("admin:products_product_job", args=[job.job_id])
                )
            except Invalid as refusal:
                errors = [
                    sentence for sentences in refusal.errors.values() for sentence in sentences
                ]
            except CatalogueError as refusal:
                errors = [str(refusal)]
            if request.POST.get("ask") == "columns":
                return JsonResponse({"errors": errors}, status=400)
        context = {**self.admin_site.each_context(request), "title": "Import products from CSV"}
        return TemplateResponse(
            request, "admin/products/import.html", context | {"errors": errors, "columns": COLUMNS}
        )

    def _planned_import(self, request: HttpRequest, sheet: Sheet) -> Job:
        mapping = _mapping(request, sheet)
        ids, names = lookup_keys(sheet, mapping)
        rows = plan_rows(sheet, mapping, catalogue().by_ids(ids), catalogue().by_names(names))
        return jobs().plan(
            JobKind.CSV,
            f"Import of {getattr(request.FILES['file'], 'name', 'a file')}"[:120],
            [self._allowed(request, row) for row in rows],
            actor=request.user.get_username(),
            reason=request.POST.get("reason", "").strip(),
        )

    def _allowed(self, request: HttpRequest, row: Row) -> Row:
        """The row, refused where it would do what its importer may not do."""
        if row.state != RowState.WAITING:
            return row
        if row.creates and not self.has_add_permission(request):
            return replace(row, state=RowState.REFUSED, message="You may not add products.")
        if (
            not row.creates
            and row.edits.get("active") is False
            and not self.has_delete_permission(request)
        ):
            return replace(row, state=RowState.REFUSED, message="You may not deactivate products.")
        return row

    def errors_view(self, request: HttpRequest, job_id: str) -> HttpResponseBase:
        """What was refused, with the reasons, to be mended and imported again."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            job = jobs().job(job_id)
        except JobNotFound as gone:
            self.message_user(request, str(gone), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:products_product_jobs"))
        refused = (row for row in jobs().rows(job) if row.state == RowState.REFUSED)
        return _download(f"refused-{job_id}.csv", refusal_rows(refused))


def _download(name: str, rows: Any) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(
        csv_lines(rows), content_type="text/csv; charset=utf-8", headers=headers
    )


def _uploaded(request: HttpRequest) -> bytes:
    file: Any = request.FILES.get("file")
    if file is None:
        raise Invalid({"file": ["Choose a file."]})
    return bytes(file.read(MAX_SIZE + 1))


def _columns(sheet: Sheet) -> JsonResponse:
    """The file's columns, and what each seems to be, for the person to confirm."""
    guesses = guess_mapping(sheet.header)
    columns = [
        {"name": name, "field": field} for name, field in zip(sheet.header, guesses, strict=True)
    ]
    return JsonResponse({"columns": columns, "rows": len(sheet.rows), "fields": COLUMNS})


def _mapping(request: HttpRequest, sheet: Sheet) -> Sequence[str]:
    """What each column is: as the person chose, else as it seems."""
    guesses = guess_mapping(sheet.header)
    mapping = [request.POST.get(f"column-{number}", guess) for number, guess in enumerate(guesses)]
    chosen = [field for field in mapping if field]
    if set(chosen) - set(COLUMNS) or len(chosen) != len(set(chosen)):
        raise Invalid({"file": ["Each field may be one column only."]})
    if not {"productId", "name"} & set(chosen):
        raise Invalid({"file": ["One column must be the product's ID or its name."]})
    return mapping
