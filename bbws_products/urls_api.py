"""The URLs of the API-only deployment, without the admin and the Swagger UI."""

from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

import products.api
from products.api.health import healthz, readyz

CONTRACT = Path(products.api.__file__).with_name("openapi.yaml")


def schema(request: HttpRequest) -> HttpResponse:
    """Return the OpenAPI file from the repository.

    Generating it takes a second and a large library; a test compares the file with the code.
    """
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
