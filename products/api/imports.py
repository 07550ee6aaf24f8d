"""Files of products: ``POST /imports`` plans an import, ``GET /products.csv`` exports."""

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework import status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from products.amounts import DecimalMark
from products.api.job_origin import origin_of
from products.api.job_representation import job_response
from products.api.json_schema import TEXT, choice_of, ref
from products.api.parameters import LIST_PARAMETERS, Parameter, Parameters, read_parameters
from products.api.parsers import BodyTooLarge, ByteStream
from products.api.queries import list_query
from products.api.renderers import ExactJSONRenderer
from products.api.write_responses import PRIVATE
from products.bootstrap import catalogue, imports
from products.bulk.columns import FIELDS
from products.bulk.csv_files import csv_lines, product_rows
from products.bulk.files import MAX_SIZE
from products.bulk.imports import ImportOptions
from products.bulk.job import JobState
from products.bulk.sheets import MAX_COLUMNS
from products.currency import DEFAULT_CURRENCY
from products.errors import Invalid
from products.product import RULES, BillingCycle

FILE = "file"
MAX_EXPORTED = 1_000_000  # products
MAX_NAME_LENGTH = 100
MAX_REASON_LENGTH = 200
MARKS = {mark.name.lower(): mark for mark in DecimalMark}
PAGE_ONLY = ("limit", "startAt")
EXPORT_PARAMETERS: Parameters = {
    name: parameter for name, parameter in LIST_PARAMETERS.items() if name not in PAGE_ONLY
}


def _mark(text: str) -> DecimalMark:
    if text not in MARKS:
        raise ValueError(f"Must be one of {', '.join(MARKS)}.")
    return MARKS[text]


def _columns(text: str) -> dict[int, str]:
    fields = [field.strip() for field in text.split(",")]
    unknown = sorted(set(fields) - {*FIELDS, ""})
    if unknown or len(fields) > MAX_COLUMNS:
        raise ValueError(f"Must be fields between commas: {', '.join(FIELDS)}.")
    return dict(enumerate(fields))


def _name(text: str) -> str:
    if not 1 <= len(text.strip()) <= MAX_NAME_LENGTH:
        raise ValueError(f"Must have 1 to {MAX_NAME_LENGTH} characters.")
    return text.strip()


def _reason(text: str) -> str:
    if len(text) > MAX_REASON_LENGTH:
        raise ValueError(f"Must have at most {MAX_REASON_LENGTH} characters.")
    return text.strip()


IMPORT_PARAMETERS: Parameters = {
    "columns": Parameter(
        "columns",
        _columns,
        TEXT,
        "The field of each column, between commas, in the order of the file; blank to ignore one."
        " Recognised when omitted.",
        "productId,name,,price",
    ),
    "decimalMark": Parameter(
        "mark",
        _mark,
        choice_of(MARKS),
        "How amounts are written. Needed only where an amount such as 1.500 is ambiguous.",
        "comma",
    ),
    "currency": Parameter(
        "currency",
        RULES["currency"],
        ref("CurrencyEnum"),
        "For rows that name no currency.",
        DEFAULT_CURRENCY,
    ),
    "billingCycle": Parameter(
        "billing_cycle",
        RULES["billing_cycle"],
        ref("BillingCycleEnum"),
        "For rows that name no billing cycle.",
        str(BillingCycle.MONTHLY),
    ),
    "fileName": Parameter("file_name", _name, TEXT, "Shown in the title of the job.", "prices.csv"),
    "reason": Parameter(
        "reason", _reason, TEXT, "Kept with each change in the history.", "New prices"
    ),
}


class FileParser(BaseParser):
    """Read the body as a file of any type: its content says which format it has."""

    media_type = "*/*"

    def parse(
        self, stream: ByteStream, media_type: str | None = None, parser_context: object = None
    ) -> dict[str, object]:
        """Return the body under the name that it has in a form with a file."""
        return {FILE: io.BytesIO(stream.read(MAX_SIZE + 1))}


class ImportList(APIView):
    """Plan imports."""

    parser_classes = (MultiPartParser, FileParser)

    def post(self, request: Request) -> Response:
        """Plan the import of the file in the body. Nothing is written before the job starts.

        A small file is planned immediately (201). A worker plans a large one (202): its job is
        `planning` until its state is `planned`, or `cancelled` with the reason in `message`.

        The file is CSV, an Excel workbook (.xlsx) or an OpenDocument sheet (.ods).
        """
        values = read_parameters(request.query_params, IMPORT_PARAMETERS)
        file_name, reason = values.pop("file_name", "a file"), values.pop("reason", "")
        data = _file_of(request)
        origin = origin_of(request, reason=reason)
        job = imports().plan(data, ImportOptions(**values), origin, file_name=file_name)
        is_planned = job.state == JobState.PLANNED
        return job_response(
            job, status.HTTP_201_CREATED if is_planned else status.HTTP_202_ACCEPTED
        )


def _file_of(request: Request) -> bytes:
    """Return the file: the body, or the field ``file`` of a form. Raises: Invalid, BodyTooLarge."""
    file = request.data.get(FILE)
    data = bytes(file.read(MAX_SIZE + 1)) if file is not None and hasattr(file, "read") else b""
    if len(data) > MAX_SIZE:
        raise BodyTooLarge(MAX_SIZE)
    if not data:
        raise Invalid({FILE: ["Send the file as the body."]})
    return data


class JsonErrors(BaseContentNegotiation):
    """Answer errors in JSON to every caller, also to those who accept only CSV."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the parser for the body, which this view does not read."""
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """Return the renderer of errors."""
        return ExactJSONRenderer(), ExactJSONRenderer.media_type


class ProductExport(APIView):
    """Export products."""

    staff_only = True
    content_negotiation_class = JsonErrors

    def get(self, request: Request) -> StreamingHttpResponse:
        """Return all products that match the filters as CSV, which can be imported again."""
        values: Mapping[str, Any] = read_parameters(request.query_params, EXPORT_PARAMETERS)
        listing = list_query(values)
        if "active" not in values:
            listing = replace(listing, active=None)
        products = catalogue().walk(listing, MAX_EXPORTED)
        return StreamingHttpResponse(
            csv_lines(product_rows(products)),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": 'attachment; filename="products.csv"',
                "Cache-Control": PRIVATE,
            },
        )
