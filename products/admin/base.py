"""What all admin pages share: the theme's base class, addresses, and small parsers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse

from products.identifiers import parse_version

# The theme has no type hints. The pages are written against the stock hooks that it inherits.
if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
else:
    from unfold.admin import ModelAdmin

__all__ = [
    "Context",
    "ModelAdmin",
    "page_response",
    "product_url",
    "user_of",
    "version_parameter",
]

type Context = dict[str, object]
"""What a template is rendered with."""


def user_of(request: HttpRequest) -> User:
    """Return the signed-in user. The admin's views are reached by no other visitors."""
    return cast(User, request.user)


def version_parameter(request: HttpRequest, name: str) -> int | None:
    """Return the version that a parameter of the request names, or None."""
    return parse_version((request.POST or request.GET).get(name, ""))


def product_url(page: str, product_id: str, *version: int) -> str:
    """Return the address of one of the product's pages."""
    return reverse(f"admin:products_product_{page}", args=[quote(product_id), *version])


def page_response(
    admin: ModelAdmin, request: HttpRequest, template: str, context: Mapping[str, object]
) -> TemplateResponse:
    """Return a page of products; the context is completed by what every page shows."""
    complete = {**admin.admin_site.each_context(request), **context}
    return TemplateResponse(request, f"admin/products/{template}.html", complete)
