"""Files of products: export of the filtered list, and import by a job with a preview."""

import re
from collections.abc import Iterable, Sequence

from django.http import (
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.timezone import localtime
from django.utils.translation import gettext

from products.admin.base import ModelAdmin, page_response
from products.admin.changelist import filtered_list
from products.admin.entries import CODES
from products.admin.formatting import field_label
from products.admin.refusals import show_refusal
from products.admin.sentences.finding import refusal_text, sentences_in_words
from products.admin.staff_writes import StaffWrites
from products.amounts import DecimalMark
from products.bootstrap import catalogue, imports, jobs, now
from products.bulk.columns import FIELDS
from products.bulk.csv_files import COLUMNS, csv_lines, product_rows, refusal_rows
from products.bulk.files import EXTENSIONS, MAX_SIZE
from products.bulk.imports import ImportOptions
from products.bulk.job import Job, JobNotFound
from products.bulk.rows import RowState
from products.documents import FIELD_NAMES
from products.errors import CatalogueError, Invalid
from products.product import RULES, BillingCycle

MAX_EXPORTED = 1_000_000  # products
MAX_WORKBOOK_PRODUCTS = 20_000
"""A workbook is built in memory, so it has fewer products than a CSV file may have."""
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COLUMN = "column-"
"""The prefix of the parameters with the fields that the user chose."""
COLUMN_NAME = re.compile(rf"{COLUMN}[0-9]{{1,3}}")


def export_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponseBase:
    """Stream all products that match the filters of the list, in constant memory.

    With ``as=xlsx`` the answer is a workbook, of at most MAX_WORKBOOK_PRODUCTS. With
    ``as=template`` it is a CSV file with the names of the columns only.
    """
    name = f"products-{localtime(now()):%Y-%m-%d-%H%M}"
    if request.GET.get("as") == "template":
        return _csv_response("products-template.csv", [COLUMNS])
    if request.GET.get("as") == "xlsx":
        return _workbook_response(admin, request, f"{name}.xlsx")
    products = catalogue().walk(filtered_list(admin, request), MAX_EXPORTED)
    return _csv_response(f"{name}.csv", product_rows(products))


def _workbook_response(admin: ModelAdmin, request: HttpRequest, name: str) -> HttpResponse:
    from products.bulk.xlsx_export import NUMBER_COLUMNS, write_xlsx

    products = catalogue().walk(filtered_list(admin, request), MAX_WORKBOOK_PRODUCTS)
    return HttpResponse(
        write_xlsx(product_rows(products), NUMBER_COLUMNS),
        content_type=XLSX_TYPE,
        headers=_attachment(name),
    )


def import_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show the form; with a file, plan the job and go to its preview.

    With ``ask=columns`` the answer is JSON: what each column of the file seems to be.
    """
    asks_for_columns = request.POST.get("ask") == "columns"
    errors: list[str] = []
    if request.method == "POST":
        try:
            if asks_for_columns:
                return _columns_response(_uploaded_file(request))
            job = _plan_import(request)
            return redirect("admin:products_product_job", job.job_id)
        except CatalogueError as refusal:
            errors = _sentences_of(refusal)
    if asks_for_columns:
        return JsonResponse({"errors": errors}, status=400)
    context = {
        "title": gettext("Import products"),
        "errors": errors,
        "columns": [column_label(name) for name in FIELDS],
        "extensions": ",".join(EXTENSIONS),
        "marks": [(mark.name.lower(), gettext(mark.label)) for mark in DecimalMark],
        "currencies": CODES,
        "cycles": list(BillingCycle),
    }
    return page_response(admin, request, "import", context)


def column_label(name: str) -> str:
    """Return what the page calls a column, such as "Renewal price" for ``renewalPrice``."""
    return gettext("Version") if name == "version" else field_label(FIELD_NAMES[name])


def _plan_import(request: HttpRequest) -> Job:
    """Plan the job; raise Invalid when the file, the columns or the reason are wrong."""
    data = _uploaded_file(request)
    return StaffWrites(request).plan_import(
        data,
        _options_of(request),
        file_name=getattr(request.FILES["file"], "name", None) or gettext("a file"),
        reason=request.POST.get("reason", "").strip(),
    )


def _options_of(request: HttpRequest) -> ImportOptions:
    """Return what the user chose for the whole file. Raise Invalid for an unknown choice."""
    chosen = {
        int(name.removeprefix(COLUMN)): field
        for name, field in request.POST.items()
        if COLUMN_NAME.fullmatch(name)
    }
    mark, cycle = request.POST.get("decimal_mark", ""), request.POST.get("billing_cycle", "")
    currency = request.POST.get("currency", "")
    try:
        return ImportOptions(
            columns={number: str(field) for number, field in chosen.items()},
            mark=DecimalMark[mark.upper()] if mark else None,
            currency=RULES["currency"](currency) if currency else None,
            billing_cycle=RULES["billing_cycle"](cycle) if cycle else None,
        )
    except (KeyError, ValueError):
        raise Invalid({"file": [gettext("Choose the options from the lists.")]}) from None


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
        csv_lines(rows), content_type="text/csv; charset=utf-8", headers=_attachment(name)
    )


def _attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _sentences_of(refusal: CatalogueError) -> list[str]:
    if not isinstance(refusal, Invalid):
        return [refusal_text(refusal)]
    texts = [sentence for sentences in refusal.errors.values() for sentence in sentences]
    return sentences_in_words(texts)


def _uploaded_file(request: HttpRequest) -> bytes:
    """Return the file's content, at most one byte more than is allowed."""
    file = request.FILES.get("file")
    if file is None:
        raise Invalid({"file": [gettext("Choose a file.")]})
    return bytes(file.read(MAX_SIZE + 1))


def _columns_response(data: bytes) -> JsonResponse:
    """Return the file's columns and what each seems to be, for the user to confirm."""
    sheet, sampled = imports().columns(data)
    columns = [
        {"name": found.column.name, "field": found.column.field, "samples": found.samples}
        for found in sampled
    ]
    body = {
        "columns": columns,
        "rows": len(sheet.rows),
        "hasMore": sheet.has_more,
        "fields": FIELDS,
        "labels": {name: column_label(name) for name in FIELDS},
        "notes": sentences_in_words(sheet.notes),
    }
    return JsonResponse(body)
