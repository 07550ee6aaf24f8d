"""Responses to writes: the receipt's URL, the product that was waited for, or a dry run."""

from collections.abc import Mapping
from dataclasses import replace

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from products.api.deferred_waits import defer
from products.api.etags import etag_of
from products.api.json_types import UncheckedJson
from products.api.representation import change_url, dry_run_response, product_body, receipt_summary
from products.api.write_options import WriteOptions
from products.bootstrap import catalogue, sleep
from products.changes import Change, ChangeKey
from products.effects import key_of
from products.product import Product
from products.writes import Accepted

RETRY_SECONDS = 1
PRIVATE = "private, no-store"


def body_of(request: Request) -> UncheckedJson:
    """Return the request's JSON object; the parser refuses any other body."""
    return dict(request.data)


def wait_and_respond(
    request: Request, accepted: Accepted, options: WriteOptions, done_status: int
) -> Response:
    """Wait as long as the caller asked, at most MAX_WAIT_SECONDS, and return the response.

    It is ``done_status`` with the product once the effect is done, else 202 with the receipt's URL.
    If the server waits itself, the response is that before the wait.
    """
    change, wait = accepted.change, options.wait
    if change is None or wait is None or options.dry_run:
        return write_response(accepted, options, done_status)

    def respond(newest: Mapping[ChangeKey, Change]) -> Response:
        updated = replace(accepted, change=newest.get(key_of(change), change))
        return write_response(updated, options, done_status)

    if defer(request, [change], wait, respond):
        return write_response(accepted, options, done_status)
    awaited = catalogue().await_effect(change, wait.until, seconds=wait.seconds, sleep=sleep)
    return respond({key_of(change): awaited})


def write_response(accepted: Accepted, options: WriteOptions, done_status: int) -> Response:
    """Return the response to a write, for the state in which its change is."""
    headers = {"Cache-Control": PRIVATE}
    if options.dry_run:
        return Response(dry_run_response(accepted), headers=headers)
    headers["ETag"] = etag_of(accepted.product.version)
    if accepted.replayed:
        headers["Idempotent-Replayed"] = "true"
    change = accepted.change
    if change is None:
        is_delete = done_status == status.HTTP_204_NO_CONTENT
        unchanged_status = done_status if is_delete else status.HTTP_200_OK
        return _done(accepted.product, unchanged_status, headers)
    headers["Location"] = change_url(change)
    wait = options.wait
    if wait and wait.until not in change.open:
        headers["Preference-Applied"] = wait.applied
        return _done(accepted.product, done_status, headers)
    headers["Retry-After"] = str(RETRY_SECONDS)  # until the receipt may have news
    return Response(receipt_summary(change), status=status.HTTP_202_ACCEPTED, headers=headers)


def _done(product: Product, code: int, headers: dict[str, str]) -> Response:
    body = None if code == status.HTTP_204_NO_CONTENT else product_body(product, staff=True)
    return Response(body, status=code, headers=headers)
