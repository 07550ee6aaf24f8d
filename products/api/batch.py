"""The view of ``POST /products:batch``: up to a hundred writes in one request."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from products.api.batch_items import read_batch
from products.api.batch_responses import Result, refused_batch_response, results_response
from products.api.deferred_waits import defer
from products.api.parsers import BatchJSONParser
from products.api.throttling import charge_items
from products.api.write_options import read_write_options
from products.api.write_responses import body_of
from products.bootstrap import acceptance, catalogue, sleep
from products.changes import Change, ChangeKey
from products.effects import key_of
from products.errors import Invalid
from products.writes import Accepted, WritesRefused


class ProductBatch(APIView):
    """Write up to a hundred products.

    With the mode ``each``, every item is written on its own; with ``all``, all or none are.
    """

    parser_classes = (BatchJSONParser,)

    def post(self, request: Request) -> Response:
        """Write the items in their order."""
        options = read_write_options(request)
        mode, items = read_batch(body_of(request))
        charge_items(request, len(items))
        if options.expected_version is not None:
            raise Invalid(
                {"If-Match": ["A batch has many versions: give each item its own ifVersion."]}
            )
        writes = [write for _, write in items]
        results: Sequence[Result]
        if mode == "each":
            results = acceptance().write_each(writes, options.origin, dry_run=options.dry_run)
        else:
            try:
                results = acceptance().write_all(writes, options.origin, dry_run=options.dry_run)
            except WritesRefused as refused:
                return refused_batch_response(refused, writes, request)

        def respond(newest: Mapping[ChangeKey, Change]) -> Response:
            return results_response(request, options, items, _updated(results, newest))

        wait = options.wait
        changes = [r.change for r in results if isinstance(r, Accepted) and r.change]
        if wait is None or options.dry_run or defer(request, changes, wait, respond):
            return respond({})
        awaited = catalogue().await_effects(changes, wait.until, seconds=wait.seconds, sleep=sleep)
        return respond({key_of(change): change for change in awaited})


def _updated(results: Sequence[Result], newest: Mapping[ChangeKey, Change]) -> Sequence[Result]:
    """Return the results with the newest state of each change."""
    updated: list[Result] = []
    for result in results:
        if isinstance(result, Accepted) and result.change:
            change = newest.get(key_of(result.change), result.change)
            updated.append(replace(result, change=change))
        else:
            updated.append(result)
    return updated
