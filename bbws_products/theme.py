"""How the admin looks: colours, and the sidebar with what each person may open."""

from collections.abc import Callable
from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy


def _holds(permission: str) -> Callable[[Any], bool]:
    return lambda request: bool(request.user.has_perm(permission))


def _item(title: str, icon: str, url: str, permission: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{url}"), "permission": _holds(permission)}


THEME: dict[str, Any] = {
    "SITE_TITLE": "BBWS products",
    "SITE_HEADER": "BBWS products",
    "SITE_SUBHEADER": "Product catalogue",
    "SITE_SYMBOL": "dns",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda request: static("products/colours.css"), lambda request: static("products/admin.css")],
    "SCRIPTS": [lambda request: static("products/policy.js"), lambda request: static("products/keyboard.js")],
    "COLORS": lambda request: {},  # they are in colours.css, and not in a <style> of every page
    # The palette may not search models: it would iterate them without bounds.
    "COMMAND": {"search_models": False},
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Catalogue",
                "items": [_item("Products", "deployed_code", "products_product_changelist", "products.view_product")],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    _item("API tokens", "key", "products_apitoken_changelist", "products.view_apitoken"),
                    _item("Users", "person", "auth_user_changelist", "auth.view_user"),
                    _item("Groups", "group", "auth_group_changelist", "auth.view_group"),
                ],
            },
        ],
    },
}
