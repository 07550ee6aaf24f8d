"""Response bodies in compact JSON."""

from collections.abc import Mapping

import orjson
from rest_framework.renderers import JSONRenderer


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
