"""The API's products: each view reads a request, makes one call, and writes the answer."""

from datetime import datetime
from typing import Any

from django.http import HttpResponseNotModified
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from products.api.permissions import DEACTIVATE, is_staff, require_permission
from products.api.queries import (
    as_of,
    base_version,
    cursor_of,
    etag_of,
    etag_of_page,
    is_not_modified,
    listing_of,
)
from products.api.representation import edits_of, plain, product_body
from products.api.write_options import read_write_options
from products.api.write_responses import PRIVATE, body_of, wait_and_respond
from products.bootstrap import catalogue
from products.errors import Invalid
from products.lists import ListQuery, Page
from products.product import Product

VARY = "Authorization, Cookie"  # so that no cache gives staff what the public got a moment ago
PRODUCT_CACHE = "public, max-age=10, s-maxage=600, stale-while-revalidate=60"
LIST_CACHE = "public, max-age=10, s-maxage=300, stale-while-revalidate=60"


class ProductList(APIView):
    """The catalogue: list it, or add to it."""

    def get(self, request: Request) -> Response | HttpResponseNotModified:
        listing, staff = listing_of(request), is_staff(request)
        page = _page(listing, staff=staff)
        headers = {"Cache-Control": PRIVATE if staff else LIST_CACHE, "Vary": VARY}
        if not page.freshness:  # a search tells the time, so no two answers are the same
            headers["ETag"] = etag_of_page(page)
            if is_not_modified(request, headers["ETag"]):
                return HttpResponseNotModified(headers=headers)
        cursor = cursor_of(listing, page.after) if page.after else None
        if cursor:
            query = request.query_params.copy()
            query["startAt"] = cursor
            headers["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
        return Response(_page_body(page, cursor, staff=staff), headers=headers)

    def post(self, request: Request) -> Response:
        terms, edits = read_write_options(request), edits_of(body_of(request))
        if terms.expected_version is not None:
            raise Invalid({"If-Match": ["A product that is yet to be created has no version."]})
        product_id = edits.pop("product_id", None)
        accepted = catalogue().create(product_id, edits, terms.origin, dry_run=terms.dry_run)
        return wait_and_respond(accepted, terms, status.HTTP_201_CREATED)


class ProductDetail(APIView):
    """One product: read it, change it (PUT and PATCH both merge), or take it out of the catalogue."""

    def get(self, request: Request, product_id: str) -> Response | HttpResponseNotModified:
        staff = is_staff(request)
        product = _read(request, product_id, staff=staff)
        headers = {
            "ETag": etag_of(product.version),
            "Cache-Control": PRIVATE if staff else PRODUCT_CACHE,
            "Vary": VARY,
        }
        if is_not_modified(request, headers["ETag"]):
            return HttpResponseNotModified(headers=headers)
        return Response(product_body(product, staff=staff), headers=headers)

    def patch(self, request: Request, product_id: str) -> Response:
        terms, edits = read_write_options(request), edits_of(body_of(request))
        base = base_version(edits.pop("version", None))
        if edits.get("active") is False:
            require_permission(request, DEACTIVATE)
        accepted = catalogue().update(
            product_id,
            edits,
            terms.origin,
            base=base,
            expected_version=terms.expected_version,
            dry_run=terms.dry_run,
        )
        return wait_and_respond(accepted, terms, status.HTTP_200_OK)

    put = patch

    def delete(self, request: Request, product_id: str) -> Response:
        terms = read_write_options(request)
        accepted = catalogue().deactivate(
            product_id, terms.origin, expected_version=terms.expected_version, dry_run=terms.dry_run
        )
        return wait_and_respond(accepted, terms, status.HTTP_204_NO_CONTENT)


def _page(listing: ListQuery, *, staff: bool) -> Page:
    if listing.text:
        return catalogue().search(listing, staff=staff)
    return catalogue().staff_page(listing) if staff else catalogue().page(listing)


def _page_body(page: Page, cursor: str | None, *, staff: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "products": [product_body(product, staff=staff) for product in page.products],
        "count": len(page.products),
        "moreAvailable": page.after is not None,
        "nextStartAt": cursor,
    }
    if page.freshness:
        source = "index" if page.freshness.from_index else "table"
        body["search"] = {"source": source, "completeUpTo": plain(page.freshness.complete_up_to)}
    return body


def _read(request: Request, product_id: str, *, staff: bool) -> Product:
    wanted = as_of(request)
    if wanted is None:
        return catalogue().newest(product_id) if staff else catalogue().public(product_id)
    if not staff:
        raise Invalid({"asOf": ["Only staff may look back."]})
    if isinstance(wanted, datetime):
        return catalogue().as_of(product_id, wanted)
    return catalogue().version(product_id, wanted)
