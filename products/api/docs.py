"""The OpenAPI contract, and Swagger UI to try it out; neither loads a file from another site."""

from typing import cast

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response


class Schema(SpectacularAPIView):
    """Return the contract as YAML or JSON."""

    permission_classes = [AllowAny]
    throttle_classes = []
    schema = None  # the contract does not describe itself

    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Return the contract with the address of this installation."""
        response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        origin = request.build_absolute_uri("/").removesuffix("/")
        response.data["servers"] = [{"url": origin, "description": "This installation."}]
        return cast("Response", response)


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
