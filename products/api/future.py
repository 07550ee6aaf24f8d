"""Products as plans will make them, for staff: one product, and the list."""

from datetime import datetime

from rest_framework.request import Request
from rest_framework.response import Response

from products import scheduling
from products.api.cursors import cursor_of
from products.api.json_types import JsonObject
from products.api.pages import VARY, next_link, page_body
from products.api.plan_representation import plan_names
from products.api.representation import listed_product, product_body
from products.api.write_responses import PRIVATE
from products.lists import ListQuery
from products.plans.future import FuturePage
from products.product import Product

HEADERS = {"Cache-Control": PRIVATE, "Vary": VARY}


def future_product_response(product_id: str, moment: datetime) -> Response:
    """Return the product as it will be, and the plans that it rests on.

    It has no ETag: its version is that of today, and its content is not.
    """
    found = scheduling.future().product(product_id, moment)
    body = product_body(found.product, staff=True) | {"plans": plan_names(found.plans)}
    return Response(body, headers=HEADERS)


def future_list_response(
    request: Request, query: ListQuery, fields: frozenset[str] | None, moment: datetime
) -> Response:
    """Return one page of the list as it will be. Each product names the plans it rests on."""
    found = scheduling.future().page(query, moment)
    after = found.page.after
    cursor = cursor_of(query, after) if after else None
    headers = HEADERS | ({"Link": next_link(request, cursor)} if cursor else {})
    products = [_future_product(found, product, fields) for product in found.page.products]
    return Response(page_body(query, found.page, products, cursor), headers=headers)


def _future_product(
    found: FuturePage, product: Product, fields: frozenset[str] | None
) -> JsonObject:
    plans = plan_names(found.plans.get(product.product_id, ()))
    return listed_product(product, fields, staff=True) | {"plans": plans}
