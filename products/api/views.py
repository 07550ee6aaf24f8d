"""The API under ``/v1.0``: each view reads a request, makes one call, and writes the answer."""

from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from products.acceptance import Accepted
from products.api.permissions import is_staff
from products.api.queries import (
    PARAMETERS,
    Wait,
    cursor_of,
    etag_of,
    is_not_modified,
    listing_of,
    only_if_version,
    read_parameters,
    wait_of,
)
from products.api.representation import change_body, change_url, edits_of, product_body, receipt_summary
from products.api.requests import request_id
from products.bootstrap import catalogue, sleep
from products.changes import Origin
from products.listing import Listing, Page
from products.product import Invalid, Product

PRIVATE = "private, no-store"
PRODUCT_CACHE = "public, max-age=10, s-maxage=600, stale-while-revalidate=60"
LIST_CACHE = "public, max-age=10, s-maxage=300, stale-while-revalidate=60"


class Products(APIView):
    """The catalogue: list it, or add to it."""

    def get(self, request: Request) -> Response:
        listing, staff = listing_of(request), is_staff(request)
        page = _page(listing, staff=staff)
        body: dict[str, Any] = {
            "products": [product_body(product, staff=staff) for product in page.products],
            "count": len(page.products),
            "moreAvailable": page.after is not None,
            "nextStartAt": cursor_of(listing, page.after) if page.after else None,
        }
        response = Response(body, headers={"Cache-Control": PRIVATE if staff else LIST_CACHE})
        if page.after:
            query = request.query_params.copy()
            query["startAt"] = body["nextStartAt"]
            response["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
        return response

    def post(self, request: Request) -> Response:
        wait, edits = wait_of(request), edits_of(_body(request))
        product_id = edits.pop("product_id", None)
        accepted = catalogue().create(product_id, edits, _origin(request))
        return _written(accepted, wait, status.HTTP_201_CREATED)


class OneProduct(APIView):
    """One product: read it, change it (PUT and PATCH both merge), or take it out of the catalogue."""

    def get(self, request: Request, product_id: str) -> Response:
        staff = is_staff(request)
        product = catalogue().newest(product_id) if staff else catalogue().public(product_id)
        headers = {"ETag": etag_of(product.version), "Cache-Control": PRIVATE if staff else PRODUCT_CACHE}
        if is_not_modified(request, product.version):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers=headers)
        return Response(product_body(product, staff=staff), headers=headers)

    def patch(self, request: Request, product_id: str) -> Response:
        wait, edits = wait_of(request), edits_of(_body(request))
        base = _base(edits.pop("version", None))
        accepted = catalogue().update(product_id, edits, _origin(request), base=base, only_if=only_if_version(request))
        return _written(accepted, wait, status.HTTP_200_OK)

    put = patch

    def delete(self, request: Request, product_id: str) -> Response:
        wait, only_if = wait_of(request), only_if_version(request)
        accepted = catalogue().deactivate(product_id, _origin(request), only_if=only_if)
        return _written(accepted, wait, status.HTTP_204_NO_CONTENT)


class Changes(APIView):
    """A product's history, newest first."""

    staff_only = True

    def get(self, request: Request, product_id: str) -> Response:
        known = {"limit": PARAMETERS["limit"], "before": ("before", _version)}
        values = read_parameters(request.query_params, known)
        limit = values.get("limit", 25)
        changes = catalogue().history(product_id, before=values.get("before"), limit=limit + 1)
        shown = changes[:limit]
        body = {
            "changes": [change_body(change) for change in shown],
            "count": len(shown),
            "moreAvailable": len(changes) > limit,
            "nextBefore": shown[-1].version if len(changes) > limit else None,
        }
        return Response(body, headers={"Cache-Control": PRIVATE})


class Receipt(APIView):
    """One change: who, when, what, and the state of each of its effects."""

    staff_only = True

    def get(self, request: Request, product_id: str, version: int) -> Response:
        return Response(change_body(catalogue().receipt(product_id, version)), headers={"Cache-Control": PRIVATE})


def _page(listing: Listing, *, staff: bool) -> Page:
    if listing.text:
        return catalogue().search(listing, staff=staff)
    return catalogue().staff_page(listing) if staff else catalogue().page(listing)


def _body(request: Request) -> dict[str, Any]:
    data: Any = request.data  # an object: the parser takes nothing else
    return dict(data)


def _origin(request: Request) -> Origin:
    return Origin(actor=request.user.get_username(), source="api", request_id=request_id(request))


def _version(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= len(text) <= 12:
        raise ValueError("Must be a version, a whole number from 1.")
    return int(text)


def _base(version: Any) -> int | None:
    """A ``version`` in the body is the one the client started from: what was changed since is merged with it."""
    if version is None:
        return None
    if isinstance(version, bool) or not isinstance(version, int) or not 0 < version < 10**12:
        raise Invalid({"version": ["Must be the version you started from, a whole number from 1."]})
    return version


def _written(accepted: Accepted, wait: Wait | None, reached: int) -> Response:
    """202 with the receipt's address, or ``reached`` with the product when the writer waited long enough."""
    headers = {"Cache-Control": PRIVATE, "ETag": etag_of(accepted.product.version)}
    if accepted.change is None:
        return _done(accepted.product, status.HTTP_204_NO_CONTENT if reached == 204 else 200, headers)
    change = accepted.change
    headers["Location"] = change_url(change)
    if wait:
        change = catalogue().await_effect(change, wait.until, seconds=wait.seconds, sleep=sleep)
        if wait.until not in change.open:
            return _done(accepted.product, reached, headers | {"Preference-Applied": wait.applied})
    return Response(receipt_summary(change), status=status.HTTP_202_ACCEPTED, headers=headers)


def _done(product: Product, code: int, headers: dict[str, str]) -> Response:
    body = None if code == status.HTTP_204_NO_CONTENT else product_body(product, staff=True)
    return Response(body, status=code, headers=headers)
