"""The look of the admin: its colours, and the sidebar with what each user may open."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from products.access.language import texts_script

type Item = dict[str, object]

SEPARATE_ITEMS = ("changes/", "jobs/", "operations/", "plans/", "synonyms/")
"""Pages below the product list that have their own items in the sidebar."""


def _has_permission(permission: str) -> Callable[[HttpRequest], bool]:
    def check(request: Any) -> bool:  # its user is not typed before Django's apps are loaded
        return bool(request.user.has_perm(permission))

    return check


def _item(title: Promise, icon: str, url_name: str, permission: str, *separate: str) -> Item:
    """Return an item of the sidebar.

    It is active on its own page and on the pages below it, except those in ``separate``.
    """
    link = reverse_lazy(f"admin:{url_name}")

    def is_active(request: HttpRequest) -> bool:
        path, start = request.path, str(link)
        return path.startswith(start) and not path.removeprefix(start).startswith(separate)

    return {
        "title": title,
        "icon": icon,
        "link": link,
        "permission": _has_permission(permission),
        "active": is_active,
    }


CATALOGUE_ITEMS = [
    _item(
        _("Products"),
        "deployed_code",
        "products_product_changelist",
        "products.view_product",
        *SEPARATE_ITEMS,
    ),
    _item(_("Changes"), "history", "products_product_changes", "products.view_product"),
    _item(
        _("Bulk edits and imports"),
        "checklist",
        "products_product_jobs",
        "products.view_product",
    ),
    _item(_("Plans"), "event_upcoming", "products_product_plans", "products.view_product"),
    _item(_("Search synonyms"), "join", "products_product_synonyms", "products.view_product"),
    _item(
        _("Operations"),
        "monitor_heart",
        "products_product_operations",
        "products.operate_product",
    ),
]
ACCESS_ITEMS = [
    _item(_("API tokens"), "key", "products_apitoken_changelist", "products.view_apitoken"),
    _item(_("Users"), "person", "auth_user_changelist", "auth.view_user"),
    _item(_("Groups"), "group", "auth_group_changelist", "auth.view_group"),
]
FAVICON = {
    "rel": "icon",
    "type": "image/svg+xml",
    "href": lambda request: static("products/favicon.svg"),
}
THEME: dict[str, Any] = {
    "SITE_TITLE": "BBWS products",
    "SITE_HEADER": "BBWS products",
    "SITE_SUBHEADER": _("Product catalogue"),
    "SITE_SYMBOL": "dns",
    "SITE_URL": None,
    "SITE_FAVICONS": [FAVICON],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [
        lambda request: static("products/theme_colours.css"),
        lambda request: static("products/admin.css"),
    ],
    "SCRIPTS": [
        lambda request: static(texts_script()),  # first: the others use its texts
        lambda request: static("products/htmx_policy.js"),
        lambda request: static("products/pressing.js"),
        lambda request: static("products/session.js"),
        lambda request: static("products/keyboard.js"),
    ],
    "DASHBOARD_CALLBACK": "products.admin.front_page.complete_context",
    "ACCOUNT": {
        "navigation": [
            {"title": _("Your profile"), "link": reverse_lazy("profile")},
            {"title": _("Security"), "link": reverse_lazy("mfa_index")},
            {"title": _("API documentation"), "link": reverse_lazy("docs")},
        ]
    },
    "COLORS": lambda request: {},  # in theme_colours.css instead of a <style> in every page
    # The command palette may not search models: it would read them without a limit.
    "COMMAND": {"search_models": False},
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {"title": _("Catalogue"), "items": CATALOGUE_ITEMS},
            {"title": _("Access"), "items": ACCESS_ITEMS},
        ],
    },
}
