"""Waits for effects that hold no thread: the server waits, and completes the response afterwards.

A server that can do so puts an empty list into the WSGI environment under ``DEFERRED_WAITS``. The
view answers 202 immediately, and adds to the list what it waits for. Without the list the view
waits in its thread.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rest_framework.request import Request
from rest_framework.response import Response

from products.api.write_options import Wait
from products.changes import Change, ChangeKey
from products.effects import key_of

DEFERRED_WAITS = "products.deferred_waits"

type Respond = Callable[[Mapping[ChangeKey, Change]], Response]


@dataclass(frozen=True, slots=True)
class DeferredWait:
    """A wait for the same effect of some changes. ``respond`` takes their newest states."""

    keys: Sequence[ChangeKey]
    wait: Wait
    respond: Respond


def defer(request: Request, changes: Sequence[Change], wait: Wait, respond: Respond) -> bool:
    """Leave the wait to the server. Return False if it can't wait, or there is nothing to do."""
    waits = request.META.get(DEFERRED_WAITS)
    if waits is None or not changes or not wait.seconds:
        return False

    def rendered(newest: Mapping[ChangeKey, Change]) -> Response:
        view = request.parser_context["view"]
        response: Response = view.finalize_response(request, respond(newest))
        response.render()
        return response

    waits.append(DeferredWait([key_of(change) for change in changes], wait, rendered))
    return True
