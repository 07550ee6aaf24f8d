"""The page that staff see while DynamoDB is unavailable."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Concatenate

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.response import TemplateResponse

from products.errors import Unavailable

RETRY_AFTER_SECONDS = 5


def with_unavailable_page[Admin: ModelAdmin, **P, R: HttpResponseBase](
    view: Callable[Concatenate[Admin, HttpRequest, P], R],
) -> Callable[Concatenate[Admin, HttpRequest, P], R | HttpResponse]:
    """Make the view answer 503 with a page to reload when the catalogue is unavailable.

    A template response is rendered here, because its lazy reads can fail too.
    """

    @wraps(view)
    def guarded(
        self: Admin, request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> R | HttpResponse:
        try:
            response = view(self, request, *args, **kwargs)
            return response.render() if isinstance(response, TemplateResponse) else response
        except Unavailable as error:
            return _render_unavailable(self, request, error)

    return guarded


def _render_unavailable(
    admin: ModelAdmin, request: HttpRequest, error: Unavailable
) -> HttpResponse:
    context = {
        **admin.admin_site.each_context(request),
        "title": "The catalogue can't be reached",
        "reason": str(error),
    }
    response = render(
        request,
        "admin/products/unavailable.html",
        context,
        status=HTTPStatus.SERVICE_UNAVAILABLE,
    )
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
