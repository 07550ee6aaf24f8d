"""How the admin looks: colours, and the sidebar with what each person may open."""

from collections.abc import Callable
from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy


def _holds(permission: str) -> Callable[[Any], bool]:
    return lambda request: bool(request.user.has_perm(permission))


def _item(title: str, icon: str, url: str, permission: str, *others: str) -> dict[str, Any]:
    """An entry of the sidebar; ``others`` are the beginnings of addresses below its own that are entries themselves."""

    def active(request: Any) -> bool:
        rest = request.path.removeprefix(str(link))
        return str(request.path).startswith(str(link)) and not rest.startswith(others)

    link = reverse_lazy(f"admin:{url}")
    return {
        "title": title,
        "icon": icon,
        "link": link,
        "permission": _holds(permission),
        "active": active,
    }


OTHERS = ("jobs/", "operations/")
THEME: dict[str, Any] = {
    "SITE_TITLE": "BBWS products",
    "SITE_HEADER": "BBWS products",
    "SITE_SUBHEADER": "Product catalogue",
    "SITE_SYMBOL": "dns",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("products/favicon.svg"),
        }
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [
        lambda request: static("products/colours.css"),
        lambda request: static("products/admin.css"),
    ],
    "SCRIPTS": [
        lambda request: static("products/policy.js"),
        lambda request: static("products/keyboard.js"),
    ],
    "COLORS": lambda request: {},  # they are in colours.css, and not in a <style> of every page
    # The palette may not search models: it would iterate them without bounds.
    "COMMAND": {"search_models": False},
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Catalogue",
                "items": [
                    _item(
                        "Products",
                        "deployed_code",
                        "products_product_changelist",
                        "products.view_product",
                        *OTHERS,
                    ),
                    _item(
                        "Bulk edits and imports",
                        "checklist",
                        "products_product_jobs",
                        "products.view_product",
                    ),
                    _item(
                        "Operations",
                        "monitor_heart",
                        "products_product_operations",
                        "products.operate_product",
                    ),
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    _item(
                        "API tokens",
                        "key",
                        "products_apitoken_changelist",
                        "products.view_apitoken",
                    ),
                    _item("Users", "person", "auth_user_changelist", "auth.view_user"),
                    _item("Groups", "group", "auth_group_changelist", "auth.view_group"),
                ],
            },
        ],
    },
}
