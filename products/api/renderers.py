"""Response bodies: compact JSON, and a shortcut for content negotiation."""

from typing import Any

import orjson
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer


class ExactJSONRenderer(JSONRenderer):
    """Compact JSON in UTF-8; amounts are texts ("1500.00"), because a JSON number is read as a float by many."""

    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        """Whoever wants it indented, or answers with something only DRF can write, gets it from DRF."""
        if (
            data is None
            or self.get_indent(accepted_media_type or "", renderer_context or {}) is not None
        ):
            return bytes(super().render(data, accepted_media_type, renderer_context))
        try:
            return orjson.dumps(data)
        except TypeError:
            return bytes(super().render(data, accepted_media_type, renderer_context))


class FastNegotiation(DefaultContentNegotiation):
    """For the two headers that nearly every client sends, the answer is known without reading them."""

    def select_renderer(
        self, request: Any, renderers: Any, format_suffix: Any = None
    ) -> tuple[Any, str]:
        if request.META.get("HTTP_ACCEPT", "*/*") in ("*/*", renderers[0].media_type):
            return renderers[0], renderers[0].media_type
        chosen: tuple[Any, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen
