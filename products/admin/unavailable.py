"""What a person sees while DynamoDB is away."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.response import TemplateResponse

from products.errors import Unavailable

RETRY_SECONDS = 5


def with_unavailable_page(view: Callable[..., HttpResponseBase]) -> Callable[..., Any]:
    """A read while DynamoDB is away gets a page that says so and can be reloaded, never an error page."""

    @wraps(view)
    def guarded(
        self: ModelAdmin, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        try:
            response = view(self, request, *args, **kwargs)
            return response.render() if isinstance(response, TemplateResponse) else response
        except Unavailable as away:
            context = {
                **self.admin_site.each_context(request),
                "title": "Not just now",
                "reason": str(away),
            }
            response = render(request, "admin/products/away.html", context, status=503)
            response["Retry-After"] = str(RETRY_SECONDS)
            return response

    return guarded
