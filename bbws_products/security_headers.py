"""Middlewares for the Content-Security-Policy and the other headers that restrict browsers."""

from collections.abc import Callable

from csp.constants import UNSAFE_EVAL
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

NO_DEVICES = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


def is_admin_page(request: HttpRequest) -> bool:
    return bool(request.resolver_match and request.resolver_match.route.startswith("admin/"))


class ContentSecurityPolicy(CSPMiddleware):
    """Send the policy of the settings; admin pages also get ``unsafe-eval``.

    The admin theme uses Alpine, which compiles attributes such as ``x-on:click="…"`` to functions.
    On admin pages an attribute injected past the templates' escaping would therefore run. No
    template of ours or of the theme writes user input into such an attribute.
    """

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if is_admin_page(request):
            parts.update = {**(parts.update or {}), "script-src": [UNSAFE_EVAL]}
        return parts


class PageHeadersMiddleware:
    """Add the security headers that Django and django-csp do not send."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Stops other sites from embedding our responses; it does not affect API clients.
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Permissions-Policy"] = NO_DEVICES
        if response.cookies and "public" in response.get("Cache-Control", ""):
            # A shared cache must not store cookies, such as the browsable API's CSRF token.
            response["Cache-Control"] = "private, no-store"
        if is_admin_page(request):
            # The theme allows framing by the same origin, which we never use.
            response["X-Frame-Options"] = "DENY"
            if request.resolver_match and request.resolver_match.url_name != "jsi18n":
                # Django's never_cache misses refusals. After logout, Back must not show a page.
                response["Cache-Control"] = "private, no-store"
        return response
