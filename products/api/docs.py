"""The OpenAPI contract, and Swagger UI to try it out; neither loads a file from another site."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

import products.api.schema  # noqa: F401 # registers the description of each view


class Schema(SpectacularAPIView):
    """Return the contract as YAML or JSON."""

    permission_classes = [AllowAny]
    throttle_classes = []


class Docs(SpectacularSwaggerSplitView):
    """Show the contract in Swagger UI."""

    permission_classes = [AllowAny]
    throttle_classes = []
    url_name = "schema"


urlpatterns = [
    path("schema", Schema.as_view(), name="schema"),
    path("docs", Docs.as_view(), name="docs"),
]
