"""Where everything is mounted."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.generic import RedirectView

from products.api.health import healthz, readyz

# The browsable API's own names, but there is one place only to log in: the admin's, which counts failures.
browsable_api = [
    path(
        "login/", RedirectView.as_view(pattern_name="admin:login", query_string=True), name="login"
    ),
    path("logout/", LogoutView.as_view(next_page="admin:login"), name="logout"),
]
urlpatterns = [
    path("v1.0/", include("products.api.urls")),  # the first, as what is asked for most
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", healthz),
    path("readyz", readyz),
    path("v1.0/", include("products.api.docs")),
    path("api-auth/", include((browsable_api, "rest_framework"))),
    path("admin/", admin.site.urls),
]
handler400 = "products.api.errors.bad_request"
handler403 = "products.admin.refusals.permission_denied"
handler404 = "products.api.errors.not_found"
handler500 = "products.api.errors.server_error"
