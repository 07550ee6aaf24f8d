"""The view of ``POST /products:batch``: up to a hundred writes in one request."""

from collections.abc import Sequence

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from products.api.batch_items import NEEDED_FOR, read_batch
from products.api.batch_responses import Result, refused_batch_response, results_response
from products.api.parsers import BatchJSONParser
from products.api.permissions import DEACTIVATE, NEEDED, require_permission
from products.api.write_options import WriteOptions, read_write_options
from products.api.write_responses import body_of
from products.bootstrap import catalogue, sleep
from products.errors import Invalid
from products.writes import Accepted, Write, WritesRefused


class ProductBatch(APIView):
    """Write up to a hundred products.

    With the mode ``each``, every item is written on its own; with ``all``, all or none are.
    """

    parser_classes = (BatchJSONParser,)
    needed = NEEDED["PATCH"]  # the least that any item needs; the items are checked one by one

    def post(self, request: Request) -> Response:
        """Write the items in their order."""
        options = read_write_options(request)
        mode, items = read_batch(body_of(request))
        if options.expected_version is not None:
            raise Invalid(
                {"If-Match": ["A batch has many versions: give each item its own ifVersion."]}
            )
        _check_permissions(request, items)
        writes = [write for _, write in items]
        results: Sequence[Result]
        if mode == "each":
            results = catalogue().write_each(writes, options.origin, dry_run=options.dry_run)
        else:
            try:
                results = catalogue().write_all(writes, options.origin, dry_run=options.dry_run)
            except WritesRefused as refused:
                return refused_batch_response(refused, len(writes), request)
        results = _wait_for_effects(options, results)
        actions = [action for action, _ in items]
        return results_response(request, options, actions, results)


def _check_permissions(request: Request, items: Sequence[tuple[str, Write]]) -> None:
    """Raise PermissionDenied unless the caller has the permissions that all items need."""
    needed = {NEEDED_FOR[action] for action, _ in items}
    if any(_deactivates(write) for _, write in items):
        needed.add(DEACTIVATE)
    for permission in sorted(needed):
        require_permission(request, permission)


def _deactivates(write: Write) -> bool:
    return not write.creates and write.edits.get("active") is False


def _wait_for_effects(options: WriteOptions, results: Sequence[Result]) -> Sequence[Result]:
    """Wait as long as the caller asked. Return the results with the newest state of each change."""
    wait = options.wait
    if not wait or options.dry_run:
        return results
    accepted = [result for result in results if isinstance(result, Accepted)]
    changes = [result.change for result in accepted if result.change]
    awaited = catalogue().await_effects(changes, wait.until, seconds=wait.seconds, sleep=sleep)
    newest = {change.change_id: change for change in awaited}
    updated: list[Result] = []
    for result in results:
        if isinstance(result, Accepted) and result.change:
            change = newest[result.change.change_id]
            updated.append(Accepted(result.product, change, result.replayed))
        else:
            updated.append(result)
    return updated
