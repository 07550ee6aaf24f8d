"""The OpenAPI contract, and Swagger UI to try it out; neither loads a file from another site."""

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

MAX_WRITTEN = 16
WRITTEN: dict[tuple[str, str], bytes] = {}
"""The contract as it is sent, by the address of the installation and the media type."""


class Schema(SpectacularAPIView):
    """Return the contract as YAML or JSON."""

    permission_classes = [AllowAny]
    throttle_classes = []
    schema = None  # the contract does not describe itself

    def get(self, request: Request, *args: object, **kwargs: object) -> HttpResponse:
        """Return the contract with the address of this installation.

        Writing it takes a quarter of a second, so each process does it once for each form.
        """
        origin = request.build_absolute_uri("/").removesuffix("/")
        renderer = request.accepted_renderer
        key = (origin, renderer.media_type)
        if key not in WRITTEN:
            response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
            response.data["servers"] = [{"url": origin, "description": "This installation."}]
            if len(WRITTEN) >= MAX_WRITTEN:
                WRITTEN.clear()
            WRITTEN[key] = renderer.render(response.data, renderer_context={"response": response})
        return HttpResponse(WRITTEN[key], content_type=renderer.media_type)


class Docs(SpectacularSwaggerSplitView):
    """Show the contract in Swagger UI."""

    permission_classes = [AllowAny]
    throttle_classes = []
    url_name = "schema"
    schema = None


urlpatterns = [
    path("schema", Schema.as_view(), name="schema"),
    path("docs", Docs.as_view(), name="docs"),
]
