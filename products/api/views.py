"""The views of products: each reads a request, makes one call, and returns the response."""

from datetime import datetime

from django.http import HttpResponseNotModified
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from products.api.cache_control import LIST_TIMES, PRODUCT_TIMES, public_cache
from products.api.cursors import cursor_of
from products.api.etags import base_version, etag_of, etag_of_page, is_not_modified
from products.api.pages import VARY, follow_response, next_link, page_body
from products.api.parsers import MergePatchParser, StrictJSONParser
from products.api.permissions import is_staff
from products.api.product_fields import edits_of
from products.api.queries import as_of, future_time, list_request_of
from products.api.representation import listed_product, product_body
from products.api.write_options import read_write_options
from products.api.write_responses import PRIVATE, body_of, wait_and_respond
from products.bootstrap import acceptance, catalogue
from products.errors import Invalid
from products.following import FollowQuery
from products.lists import ListQuery, Page
from products.product import Product


class ProductList(APIView):
    """List the products, or create one."""

    def get(self, request: Request) -> Response | HttpResponseNotModified:
        """Return one page of the list."""
        asked, staff = list_request_of(request), is_staff(request)
        query, fields = asked.query, asked.fields
        if isinstance(query, FollowQuery):
            return follow_response(request, query, fields, staff=staff)
        if asked.moment:
            from products.api.future import future_list_response  # noqa: PLC0415 # rare

            return future_list_response(request, query, fields, asked.moment)
        # The switches are read first: one that is made meanwhile cuts the time all the same.
        cache = PRIVATE if staff else public_cache(LIST_TIMES)
        page = _page(query, staff=staff)
        headers = {"Cache-Control": cache, "Vary": VARY}
        # A search result contains the time, so every response is different.
        if not page.freshness:
            headers["ETag"] = etag_of_page(page)
            if is_not_modified(request, headers["ETag"]):
                return HttpResponseNotModified(headers=headers)
        cursor = cursor_of(query, page.after) if page.after else None
        if cursor:
            headers["Link"] = next_link(request, cursor)
        products = [listed_product(product, fields, staff=staff) for product in page.products]
        return Response(page_body(query, page, products, cursor), headers=headers)

    def post(self, request: Request) -> Response:
        """Create a product."""
        options = read_write_options(request)
        edits = edits_of(body_of(request))
        if options.expected_version is not None:
            raise Invalid({"If-Match": ["A product that does not exist yet has no version."]})
        product_id = edits.pop("product_id", None)
        accepted = acceptance().create(product_id, edits, options.origin, dry_run=options.dry_run)
        return wait_and_respond(request, accepted, options, status.HTTP_201_CREATED)


class ProductDetail(APIView):
    """Read, change or deactivate one product. PUT and PATCH both merge the given fields."""

    parser_classes = (StrictJSONParser, MergePatchParser)

    def get(self, request: Request, product_id: str) -> Response | HttpResponseNotModified:
        """Return the product, for staff also as of a version or a time, past or future."""
        staff = is_staff(request)
        if staff and (moment := future_time(request)):
            from products.api.future import future_product_response  # noqa: PLC0415 # rare

            return future_product_response(product_id, moment)
        cache = PRIVATE if staff else public_cache(PRODUCT_TIMES, product_id)
        product = _read(request, product_id, staff=staff)
        headers = {"ETag": etag_of(product.version), "Cache-Control": cache, "Vary": VARY}
        if is_not_modified(request, headers["ETag"]):
            return HttpResponseNotModified(headers=headers)
        return Response(product_body(product, staff=staff), headers=headers)

    def patch(self, request: Request, product_id: str) -> Response:
        """Change the given fields."""
        options = read_write_options(request)
        edits = edits_of(body_of(request))
        base = base_version(edits.pop("version", None))
        accepted = acceptance().update(
            product_id,
            edits,
            options.origin,
            base=base,
            expected_version=options.expected_version,
            dry_run=options.dry_run,
        )
        return wait_and_respond(request, accepted, options, status.HTTP_200_OK)

    put = patch

    def delete(self, request: Request, product_id: str) -> Response:
        """Deactivate the product. Its record and history are kept."""
        options = read_write_options(request)
        accepted = acceptance().deactivate(
            product_id,
            options.origin,
            expected_version=options.expected_version,
            dry_run=options.dry_run,
        )
        return wait_and_respond(request, accepted, options, status.HTTP_204_NO_CONTENT)


def _page(query: ListQuery, *, staff: bool) -> Page:
    if query.text:
        return catalogue().search(query, staff=staff)
    return catalogue().staff_page(query) if staff else catalogue().page(query)


def _read(request: Request, product_id: str, *, staff: bool) -> Product:
    wanted = as_of(request)
    if wanted is None:
        return catalogue().newest(product_id) if staff else catalogue().public(product_id)
    if not staff:
        raise Invalid({"asOf": ["Only staff may read past versions."]})
    if isinstance(wanted, datetime):
        return catalogue().as_of(product_id, wanted)
    return catalogue().version(product_id, wanted)
