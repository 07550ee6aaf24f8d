"""The contract, and a page to try it out on; both without any file from elsewhere."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

import products.api.schema  # noqa: F401 # registers what the contract says of each view


class Schema(SpectacularAPIView):
    permission_classes = [AllowAny]
    throttle_classes = []


class Docs(SpectacularSwaggerSplitView):
    permission_classes = [AllowAny]
    throttle_classes = []
    url_name = "schema"


urlpatterns = [
    path("schema", Schema.as_view(), name="schema"),
    path("docs", Docs.as_view(), name="docs"),
]
