"""The command palette: pages, actions and products by a few letters."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_safe

from products.admin.base import product_url, user_of
from products.admin.formatting import grouped_money
from products.bootstrap import catalogue
from products.errors import CatalogueError
from products.lists import ListQuery
from products.permissions import Permission
from products.product import Product

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise, _StrPromise

MAX_PRODUCTS = 8
MAX_LETTERS = 100


class Entry(NamedTuple):
    """A page or an action. ``words`` are other names under which people look for it."""

    title: "_StrPromise"
    url_name: str
    permission: str
    icon: str
    words: "_StrOrPromise" = ""


class Result(NamedTuple):
    """A line of the palette."""

    title: str
    description: str
    link: str
    icon: str


ENTRIES = (
    Entry(gettext_lazy("Front page"), "admin:index", "", "home", gettext_lazy("start dashboard")),
    Entry(
        gettext_lazy("Products"),
        "admin:products_product_changelist",
        Permission.VIEW,
        "deployed_code",
        gettext_lazy("list"),
    ),
    Entry(
        gettext_lazy("Add a product"),
        "admin:products_product_add",
        Permission.ADD,
        "add",
        gettext_lazy("new create"),
    ),
    Entry(
        gettext_lazy("Changes"),
        "admin:products_product_changes",
        Permission.VIEW,
        "history",
        gettext_lazy("feed log who"),
    ),
    Entry(
        gettext_lazy("Bulk edits and imports"),
        "admin:products_product_jobs",
        Permission.VIEW,
        "checklist",
        gettext_lazy("jobs progress"),
    ),
    Entry(
        gettext_lazy("Change many prices"),
        "admin:products_product_bulk",
        Permission.CHANGE,
        "percent",
        gettext_lazy("bulk raise lower increase"),
    ),
    Entry(
        gettext_lazy("Import a file"),
        "admin:products_product_import",
        Permission.CHANGE,
        "upload",
        gettext_lazy("csv excel upload"),
    ),
    Entry(
        gettext_lazy("Export all products"),
        "admin:products_product_export",
        Permission.VIEW,
        "download",
        gettext_lazy("csv download"),
    ),
    Entry(
        gettext_lazy("Plans"),
        "admin:products_product_plans",
        Permission.VIEW,
        "event_upcoming",
        gettext_lazy("planned changes campaigns schedule later sale"),
    ),
    Entry(
        gettext_lazy("Calendar of plans"),
        "admin:products_product_plans_calendar",
        Permission.VIEW,
        "calendar_month",
        gettext_lazy("month campaigns schedule"),
    ),
    Entry(
        gettext_lazy("Catalogue on another day"),
        "admin:products_product_plans_catalogue",
        Permission.VIEW,
        "update",
        gettext_lazy("future preview prices then"),
    ),
    Entry(
        gettext_lazy("Operations"),
        "admin:products_product_operations",
        Permission.OPERATE,
        "monitor_heart",
        gettext_lazy("queues stuck health"),
    ),
    Entry(
        gettext_lazy("API tokens"),
        "admin:products_apitoken_changelist",
        "products.view_apitoken",
        "key",
        gettext_lazy("keys"),
    ),
    Entry(
        gettext_lazy("Users"),
        "admin:auth_user_changelist",
        "auth.view_user",
        "person",
        gettext_lazy("people accounts"),
    ),
    Entry(
        gettext_lazy("Groups"),
        "admin:auth_group_changelist",
        "auth.view_group",
        "group",
        gettext_lazy("roles"),
    ),
    Entry(
        gettext_lazy("Your profile"),
        "profile",
        "",
        "account_circle",
        gettext_lazy("time zone name email"),
    ),
    Entry(gettext_lazy("Change password"), "admin:password_change", "", "lock", ""),
    Entry(gettext_lazy("API documentation"), "docs", "", "api", gettext_lazy("swagger openapi")),
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
            yield Result(str(entry.title), gettext("page"), reverse(entry.url_name), entry.icon)


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
    hidden = gettext("{price}, not visible to customers").format(price=price)
    description = price if product.active else hidden
    url = product_url("change", product.product_id)
    return Result(product.name, description, url, "deployed_code")
