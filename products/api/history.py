"""The views of a product's history: its changes, their receipts, and restoring a version."""

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from products.api.cursors import cursor_of, position_of
from products.api.parameters import DEFAULT_LIMIT, PAGE_PARAMETERS, read_parameters
from products.api.representation import change_body
from products.api.write_options import read_write_options
from products.api.write_responses import PRIVATE, RETRY_SECONDS, body_of, wait_and_respond
from products.bootstrap import acceptance, catalogue
from products.errors import Invalid


class ChangeList(APIView):
    """List the changes of a product, newest first."""

    staff_only = True

    def get(self, request: Request, product_id: str) -> Response:
        """Return one page of the history."""
        parameters = read_parameters(request.query_params, PAGE_PARAMETERS)
        limit, cursor = parameters.get("limit", DEFAULT_LIMIT), parameters.get("after")
        before = None if cursor is None else int(position_of(cursor, product_id))
        # One more than asked for shows whether there is a next page.
        changes = catalogue().history(product_id, before=before, limit=limit + 1)
        shown = changes[:limit]
        has_more = len(changes) > limit
        body = {
            "changes": [change_body(change) for change in shown],
            "count": len(shown),
            "moreAvailable": has_more,
            "nextStartAt": cursor_of(product_id, str(shown[-1].version)) if has_more else None,
        }
        return Response(body, headers={"Cache-Control": PRIVATE})


class ChangeReceipt(APIView):
    """Read one change: who made it, when, what it changed, and the state of each effect."""

    staff_only = True

    def get(self, request: Request, product_id: str, version: int) -> Response:
        """Return the receipt."""
        read_parameters(request.query_params, {})
        change = catalogue().receipt(product_id, version)
        headers = {"Cache-Control": PRIVATE}
        if change.open:
            headers["Retry-After"] = str(RETRY_SECONDS)
        return Response(change_body(change), headers=headers)


class RestoreVersion(APIView):
    """Set the product back to its state in a version, with a new change."""

    def post(self, request: Request, product_id: str, version: int) -> Response:
        """Restore the version."""
        options = read_write_options(request)
        _refuse_fields(request)
        accepted = acceptance().restore_version(
            product_id,
            version,
            options.origin,
            expected_version=options.expected_version,
            dry_run=options.dry_run,
        )
        return wait_and_respond(request, accepted, options, status.HTTP_200_OK)


def _refuse_fields(request: Request) -> None:
    if request.content_type != "application/json":
        return
    sentence = "There is no such field: a version is restored as it is."
    errors = {name: [sentence] for name in body_of(request)}
    if errors:
        raise Invalid(errors)
