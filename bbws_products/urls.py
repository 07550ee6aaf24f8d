"""The URLs of the whole product: API, admin, documentation and health checks."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.generic import RedirectView

from products.access.ended_sessions import session_view
from products.admin.palette import palette_view
from products.admin.profile import profile_view
from products.api.health import healthz, readyz

# DRF's browsable API links to these names. Both lead to the admin, which counts failed logins.
to_admin_login = RedirectView.as_view(pattern_name="admin:login", query_string=True)
browsable_api = [
    path("login/", to_admin_login, name="login"),
    path("logout/", LogoutView.as_view(next_page="admin:login"), name="logout"),
]
urlpatterns = [
    path("v1.0/", include("products.api.urls")),  # first, because it gets the most requests
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", healthz),
    path("readyz", readyz),
    path("v1.0/", include("products.api.docs")),
    path("api-auth/", include((browsable_api, "rest_framework"))),
    path("admin/profile/", admin.site.admin_view(profile_view), name="profile"),
    # Instead of the theme's search, which reads models and keeps its results for minutes.
    path("admin/search/", admin.site.admin_view(palette_view)),
    path("admin/session/", admin.site.admin_view(session_view), name="session"),
    path("admin/", include("products.admin.people.urls")),
    path("admin/", admin.site.urls),
]
handler400 = "bbws_products.error_handlers.bad_request"
handler403 = "products.admin.error_pages.permission_denied"
handler404 = "bbws_products.error_handlers.not_found"
handler500 = "bbws_products.error_handlers.server_error"
