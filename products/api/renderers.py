"""Response bodies in compact JSON, and a fast path for content negotiation."""

from collections.abc import Mapping, Sequence

import orjson
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request


class ExactJSONRenderer(JSONRenderer):
    """Render compact JSON in UTF-8 with orjson.

    Amounts are already text ("1500.00") here, because many clients read JSON numbers as floats.
    """

    charset = None

    def render(
        self,
        data: object,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, object] | None = None,
    ) -> bytes:
        """Return the body as bytes.

        DRF's renderer does the rest: indented JSON, empty bodies, and types unknown to orjson.
        """
        indent = self.get_indent(accepted_media_type or "", renderer_context or {})
        if data is not None and indent is None:
            try:
                return orjson.dumps(data)
            except TypeError:
                pass
        return bytes(super().render(data, accepted_media_type, renderer_context))


class FastNegotiation(DefaultContentNegotiation):
    """Skip parsing for the two Accept headers that nearly all clients send."""

    def select_renderer(
        self,
        request: Request,
        renderers: Sequence[BaseRenderer],  # type: ignore[override] # DRF always passes a list
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """Return the renderer and its media type. Raise NotAcceptable when none fits."""
        first = renderers[0]
        if request.META.get("HTTP_ACCEPT", "*/*") in ("*/*", first.media_type):
            return first, first.media_type
        chosen: tuple[BaseRenderer, str]
        chosen = super().select_renderer(request, renderers, format_suffix)
        return chosen
