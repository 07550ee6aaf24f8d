"""How a write is answered: with its receipt's address, with the product that was waited for, or what it would do."""

from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from products.api.queries import etag_of
from products.api.representation import change_url, dry_run_body, product_body, receipt_summary
from products.api.write_options import WriteOptions
from products.bootstrap import catalogue, sleep
from products.product import Product
from products.writes import Accepted

RETRY_SECONDS = 1
PRIVATE = "private, no-store"


def body_of(request: Request) -> dict[str, Any]:
    data: Any = request.data  # an object: the parser takes nothing else
    return dict(data)


def wait_and_respond(accepted: Accepted, terms: WriteOptions, reached: int) -> Response:
    """202 with the receipt's address, or ``reached`` with the product when the writer waited long enough."""
    headers = {"Cache-Control": PRIVATE}
    if terms.dry_run:
        return Response(dry_run_body(accepted), headers=headers)
    headers["ETag"] = etag_of(accepted.product.version)
    if accepted.replayed:
        headers["Idempotent-Replayed"] = "true"
    change = accepted.change
    if change is None:
        return _done(
            accepted.product, reached if reached == status.HTTP_204_NO_CONTENT else 200, headers
        )
    headers["Location"] = change_url(change)
    if terms.wait:
        change = catalogue().await_effect(
            change, terms.wait.until, seconds=terms.wait.seconds, sleep=sleep
        )
        if terms.wait.until not in change.open:
            return _done(
                accepted.product, reached, headers | {"Preference-Applied": terms.wait.applied}
            )
    headers["Retry-After"] = str(RETRY_SECONDS)  # when to look at the receipt
    return Response(receipt_summary(change), status=status.HTTP_202_ACCEPTED, headers=headers)


def _done(product: Product, code: int, headers: dict[str, str]) -> Response:
    body = None if code == status.HTTP_204_NO_CONTENT else product_body(product, staff=True)
    return Response(body, status=code, headers=headers)
