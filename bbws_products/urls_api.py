"""Where the API is mounted when it stands alone: without the admin, and without the page to try it out on."""

from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

import products.api
from products.api.health import healthz, readyz

CONTRACT = Path(products.api.__file__).with_name("openapi.yaml")


def schema(request: HttpRequest) -> HttpResponse:
    """The contract as it was written from the code; to make it anew would take a second and a large library."""
    return HttpResponse(CONTRACT.read_bytes(), content_type="application/vnd.oai.openapi")


urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("v1.0/", include("products.api.urls")),
    path("v1.0/schema", schema),
]
handler400 = "products.api.errors.bad_request"
handler404 = "products.api.errors.not_found"
handler500 = "products.api.errors.server_error"
