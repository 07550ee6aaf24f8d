"""The pages of the list, and of what has changed in it."""

from rest_framework.request import Request
from rest_framework.response import Response

from products.api.cache_control import FOLLOW_TIMES, public_cache
from products.api.cursors import cursor_of
from products.api.json_types import JsonObject
from products.api.parameters import own_query
from products.api.representation import listed_product, plain
from products.api.write_responses import PRIVATE
from products.bootstrap import now, table
from products.documents import format_timestamp
from products.following import Following, FollowQuery
from products.lists import ListQuery, Page

VARY = "Authorization, Cookie"  # a shared cache must not give staff what it gave the public


def page_body(
    query: ListQuery, page: Page, products: list[JsonObject], cursor: str | None
) -> JsonObject:
    """Return the body of a page of the list.

    It has a total if this costs nothing: when the first page is the last one, too.
    """
    body: JsonObject = _page(products, cursor)
    if query.after is None and page.after is None:
        body["total"] = len(products)
    if query.currency:
        body["currency"] = query.currency
    if page.freshness:
        source = "index" if page.freshness.from_index else "table"
        body["search"] = {"source": source, "completeUpTo": plain(page.freshness.complete_up_to)}
    return body


def follow_response(
    request: Request, query: FollowQuery, fields: frozenset[str] | None, *, staff: bool
) -> Response:
    """Return one page of what has changed since a time."""
    cache = PRIVATE if staff else public_cache(FOLLOW_TIMES)
    page = Following(table=table(), clock=now).page(query, staff=staff)
    next_since = format_timestamp(page.next_since)
    cursor = cursor_of(query, f"{page.after} {next_since}") if page.after else None
    headers = {"Cache-Control": cache, "Vary": VARY}
    if cursor:
        headers["Link"] = next_link(request, cursor)
    products = [listed_product(product, fields, staff=staff) for product in page.products]
    body = _page(products, cursor) | {"removed": page.removed, "nextUpdatedSince": next_since}
    return Response(body, headers=headers)


def _page(products: list[JsonObject], cursor: str | None) -> JsonObject:
    return {
        "products": products,
        "count": len(products),
        "moreAvailable": cursor is not None,
        "nextStartAt": cursor,
    }


def next_link(request: Request, cursor: str) -> str:
    """Return the ``Link`` header of the next page (RFC 8288)."""
    parameters = own_query(request.query_params)
    parameters["startAt"] = cursor
    return f'<{request.path}?{parameters.urlencode()}>; rel="next"'
