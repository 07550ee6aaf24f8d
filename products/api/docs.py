"""The OpenAPI contract, and Swagger UI to try it out; neither loads a file from another site."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny


class Schema(SpectacularAPIView):
    """Return the contract as YAML or JSON."""

    permission_classes = [AllowAny]
    throttle_classes = []
    schema = None  # the contract does not describe itself


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
