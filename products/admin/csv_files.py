"""Products as CSV: export of the filtered list, and import by a job with a preview."""

from collections.abc import Iterable, Sequence

from django.http import (
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from products.admin.base import ModelAdmin, page_response
from products.admin.changelist import filtered_list
from products.admin.refusals import show_refusal
from products.admin.staff_writes import StaffWrites
from products.bootstrap import catalogue, jobs, now
from products.bulk.csv_files import (
    COLUMNS,
    MAX_SIZE,
    Sheet,
    csv_lines,
    parse_sheet,
    product_rows,
    refusal_rows,
)
from products.bulk.imports import column_mapping, guess_mapping, plan_import
from products.bulk.job import Job, JobKind, JobNotFound
from products.bulk.rows import RowState
from products.errors import CatalogueError, Invalid

MAX_EXPORTED = 1_000_000  # products
MAX_TITLE_LENGTH = 120


def export_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponseBase:
    """Stream all products that match the filters of the list, in constant memory."""
    products = catalogue().walk(filtered_list(admin, request), MAX_EXPORTED)
    return _csv_response(f"products-{now():%Y-%m-%d-%H%M}.csv", product_rows(products))


def import_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show the form; with a file, plan the job and go to its preview.

    With ``ask=columns`` the answer is JSON: what each column of the file seems to be.
    """
    asks_for_columns = request.POST.get("ask") == "columns"
    errors: list[str] = []
    if request.method == "POST":
        try:
            sheet = parse_sheet(_uploaded_file(request))
            if asks_for_columns:
                return _columns_response(sheet)
            job = _plan_import(request, sheet)
            return redirect("admin:products_product_job", job.job_id)
        except CatalogueError as refusal:
            errors = _sentences_of(refusal)
    if asks_for_columns:
        return JsonResponse({"errors": errors}, status=400)
    context = {"title": "Import products from CSV", "errors": errors, "columns": COLUMNS}
    return page_response(admin, request, "import", context)


def _plan_import(request: HttpRequest, sheet: Sheet) -> Job:
    """Plan the job; raise Invalid when the columns or the reason are wrong."""
    mapping = column_mapping(sheet.header, _chosen_columns(request, sheet))
    file_name = getattr(request.FILES["file"], "name", "a file")
    return StaffWrites(request).plan_job(
        JobKind.CSV,
        f"Import of {file_name}"[:MAX_TITLE_LENGTH],
        plan_import(sheet, mapping, catalogue()),
        reason=request.POST.get("reason", "").strip(),
    )


def errors_view(admin: ModelAdmin, request: HttpRequest, job_id: str) -> HttpResponseBase:
    """Return the refused rows with their reasons, to be corrected and imported again."""
    try:
        job = jobs().job(job_id)
    except JobNotFound as refusal:
        show_refusal(admin, request, refusal)
        return redirect("admin:products_product_jobs")
    refused = (row for row in jobs().rows(job) if row.state == RowState.REFUSED)
    return _csv_response(f"refused-{job_id}.csv", refusal_rows(refused))


def _csv_response(name: str, rows: Iterable[Sequence[str]]) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        csv_lines(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _sentences_of(refusal: CatalogueError) -> list[str]:
    if not isinstance(refusal, Invalid):
        return [str(refusal)]
    return [sentence for sentences in refusal.errors.values() for sentence in sentences]


def _uploaded_file(request: HttpRequest) -> bytes:
    """Return the file's content, at most one byte more than is allowed."""
    file = request.FILES.get("file")
    if file is None:
        raise Invalid({"file": ["Choose a file."]})
    return bytes(file.read(MAX_SIZE + 1))


def _columns_response(sheet: Sheet) -> JsonResponse:
    """Return the file's columns and what each seems to be, for the user to confirm."""
    fields = guess_mapping(sheet.header)
    columns = [
        {"name": name, "field": field} for name, field in zip(sheet.header, fields, strict=True)
    ]
    return JsonResponse({"columns": columns, "rows": len(sheet.rows), "fields": COLUMNS})


def _chosen_columns(request: HttpRequest, sheet: Sheet) -> dict[int, str]:
    """Return the fields that the user chose, by the number of the column."""
    parameters = {number: f"column-{number}" for number in range(len(sheet.header))}
    return {
        number: request.POST.get(name, "")
        for number, name in parameters.items()
        if name in request.POST
    }
