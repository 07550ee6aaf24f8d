"""A product's history: its changes, the receipt of each, and going back to one."""

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from products.api.permissions import DEACTIVATE, require_permission
from products.api.queries import DEFAULT_LIMIT, PARAMETERS, cursor_of, position_of, read_parameters
from products.api.representation import change_body
from products.api.write_options import read_write_options
from products.api.write_responses import PRIVATE, RETRY_SECONDS, body_of, wait_and_respond
from products.bootstrap import catalogue
from products.errors import Invalid


class ChangeList(APIView):
    """A product's history, newest first."""

    staff_only = True

    def get(self, request: Request, product_id: str) -> Response:
        values = read_parameters(
            request.query_params, {name: PARAMETERS[name] for name in ("limit", "startAt")}
        )
        limit, cursor = values.get("limit", DEFAULT_LIMIT), values.get("after")
        before = None if cursor is None else int(position_of(cursor, product_id))
        changes = catalogue().history(product_id, before=before, limit=limit + 1)
        shown = changes[:limit]
        more = len(changes) > limit
        body = {
            "changes": [change_body(change) for change in shown],
            "count": len(shown),
            "moreAvailable": more,
            "nextStartAt": cursor_of(product_id, str(shown[-1].version)) if more else None,
        }
        return Response(body, headers={"Cache-Control": PRIVATE})


class ChangeReceipt(APIView):
    """One change: who, when, what, and the state of each of its effects."""

    staff_only = True

    def get(self, request: Request, product_id: str, version: int) -> Response:
        read_parameters(request.query_params, {})
        change = catalogue().receipt(product_id, version)
        headers = {"Cache-Control": PRIVATE} | (
            {"Retry-After": str(RETRY_SECONDS)} if change.open else {}
        )
        return Response(change_body(change), headers=headers)


class RestoreVersion(APIView):
    """Make the product as it was after this version, by a new change."""

    needed = "products.change_product"  # although it is a POST

    def post(self, request: Request, product_id: str, version: int) -> Response:
        terms = read_write_options(request)
        if request.content_type == "application/json" and (unknown := body_of(request)):
            raise Invalid(
                {
                    name: ["There is no such field: a version is restored as it is."]
                    for name in unknown
                }
            )
        would = catalogue().version(product_id, version)
        if not would.active:
            require_permission(request, DEACTIVATE)
        accepted = catalogue().restore_version(
            product_id,
            version,
            terms.origin,
            expected_version=terms.expected_version,
            dry_run=terms.dry_run,
        )
        return wait_and_respond(accepted, terms, status.HTTP_200_OK)
