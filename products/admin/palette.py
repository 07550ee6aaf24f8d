"""The command palette: pages, actions and products by a few letters."""

from collections.abc import Iterator
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from products.admin.base import product_url, user_of
from products.admin.formatting import grouped_money
from products.bootstrap import catalogue
from products.errors import CatalogueError
from products.lists import ListQuery
from products.permissions import Permission
from products.product import Product

MAX_PRODUCTS = 8
MAX_LETTERS = 100


class Entry(NamedTuple):
    """A page or an action. ``words`` are other names under which people look for it."""

    title: str
    url_name: str
    permission: str
    icon: str
    words: str = ""


class Result(NamedTuple):
    """A line of the palette."""

    title: str
    description: str
    link: str
    icon: str


ENTRIES = (
    Entry("Front page", "admin:index", "", "home", "start dashboard"),
    Entry(
        "Products", "admin:products_product_changelist", Permission.VIEW, "deployed_code", "list"
    ),
    Entry("Add a product", "admin:products_product_add", Permission.ADD, "add", "new create"),
    Entry("Changes", "admin:products_product_changes", Permission.VIEW, "history", "feed log who"),
    Entry(
        "Bulk edits and imports",
        "admin:products_product_jobs",
        Permission.VIEW,
        "checklist",
        "jobs progress",
    ),
    Entry(
        "Change many prices",
        "admin:products_product_bulk",
        Permission.CHANGE,
        "percent",
        "bulk raise lower increase",
    ),
    Entry(
        "Import a file",
        "admin:products_product_import",
        Permission.CHANGE,
        "upload",
        "csv excel upload",
    ),
    Entry(
        "Export all products",
        "admin:products_product_export",
        Permission.VIEW,
        "download",
        "csv download",
    ),
    Entry(
        "Plans",
        "admin:products_product_plans",
        Permission.VIEW,
        "event_upcoming",
        "planned changes campaigns schedule later sale",
    ),
    Entry(
        "Calendar of plans",
        "admin:products_product_plans_calendar",
        Permission.VIEW,
        "calendar_month",
        "month campaigns schedule",
    ),
    Entry(
        "Catalogue on another day",
        "admin:products_product_plans_catalogue",
        Permission.VIEW,
        "update",
        "future preview prices then",
    ),
    Entry(
        "Operations",
        "admin:products_product_operations",
        Permission.OPERATE,
        "monitor_heart",
        "queues stuck health",
    ),
    Entry(
        "API tokens", "admin:products_apitoken_changelist", "products.view_apitoken", "key", "keys"
    ),
    Entry("Users", "admin:auth_user_changelist", "auth.view_user", "person", "people accounts"),
    Entry("Groups", "admin:auth_group_changelist", "auth.view_group", "group", "roles"),
    Entry("Your profile", "profile", "", "account_circle", "time zone name email"),
    Entry("Change password", "admin:password_change", "", "lock", ""),
    Entry("API documentation", "docs", "", "api", "swagger openapi"),
)


@require_safe
def palette_view(request: HttpRequest) -> HttpResponse:
    """Return the lines that match ``s``, as the theme's palette expects them."""
    text = request.GET.get("s", "")[:MAX_LETTERS].strip()
    if not text:
        return HttpResponse()
    results = [*_pages(request, text), *_products(request, text)]
    context = {"results": results, "text": text}
    return TemplateResponse(request, "unfold/helpers/command_results.html", context)


def _pages(request: HttpRequest, text: str) -> Iterator[Result]:
    """Yield the pages whose title or other names have all words of the text."""
    user = user_of(request)
    words = text.casefold().split()
    for entry in ENTRIES:
        names = f"{entry.title} {entry.words}".casefold()
        is_allowed = not entry.permission or user.has_perm(entry.permission)
        if is_allowed and all(word in names for word in words):
            yield Result(entry.title, "page", reverse(entry.url_name), entry.icon)


def _products(request: HttpRequest, text: str) -> list[Result]:
    """Return the products that the search finds; none while it can't be asked."""
    if not user_of(request).has_perm(Permission.VIEW):
        return []
    listing = ListQuery(text=text, active=None, limit=MAX_PRODUCTS)
    try:
        found = catalogue().search(listing, staff=True).products
    except CatalogueError:
        return []
    return [_product_result(product) for product in found]


def _product_result(product: Product) -> Result:
    price = grouped_money(product.price, product.currency)
    description = price if product.active else f"{price}, not visible to customers"
    url = product_url("change", product.product_id)
    return Result(product.name, description, url, "deployed_code")
