"""What a browser may do with our pages."""

from collections.abc import Callable
from functools import cached_property

from csp.constants import HEADER, UNSAFE_EVAL
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

NO_DEVICES = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


def is_admin_page(request: HttpRequest) -> bool:
    return bool(request.resolver_match and "admin" in request.resolver_match.namespaces)


class ContentSecurityPolicy(CSPMiddleware):
    """The policy of the settings; on pages of the admin alone, scripts may evaluate texts.

    The theme's Alpine makes functions of its attributes' texts (``x-on:click="…"``). So on these pages an attribute
    that got past the templates' escaping would be run; no template, of ours or of the theme, puts what somebody typed
    there.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Where nobody has touched the policy it is always the same, and need not be built again."""
        touched = any(name.startswith("_csp") for name in (*vars(request), *vars(response)))
        if touched or settings.DEBUG or is_admin_page(request) or HEADER in response:
            return super().process_response(request, response)
        response[HEADER] = self._untouched
        return response

    @cached_property
    def _untouched(self) -> str:
        return build_policy()

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if is_admin_page(request):
            parts.update = {**(parts.update or {}), "script-src": [UNSAFE_EVAL]}
        return parts


class PageHeadersMiddleware:
    """The headers that neither Django nor the policy sends."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Callers of the API are not concerned: this is about images, scripts and frames that others might embed.
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Permissions-Policy"] = NO_DEVICES
        if response.cookies and "public" in response.get("Cache-Control", ""):
            # The browsable API's token against forgery, or a session that has ended: no cache may hand these on.
            response["Cache-Control"] = "private, no-store"
        if is_admin_page(request):
            # The theme lets its pages be framed by each other, which we never do.
            response["X-Frame-Options"] = "DENY"
            if request.resolver_match and request.resolver_match.url_name != "jsi18n":
                # Refusals too, which Django's own never_cache misses: after signing out, Back shows nothing.
                response["Cache-Control"] = "private, no-store"
        return response
