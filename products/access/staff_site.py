"""The admin site: the theme's, with a frame whose constant parts are made once."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

# The theme has no type hints.
if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
else:
    from unfold.sites import UnfoldAdminSite as AdminSite


class StaffSite(AdminSite):
    """The site of all staff pages.

    The theme merges its settings thirty times a page, copies the sidebar, and lists all models
    with their addresses, which takes two milliseconds.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._constants: dict[str | None, dict[str, Any]] = {}

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return the context of every page: the constants of a language, and the request's own."""
        language = get_language()
        if language not in self._constants:
            self._constants[language] = super().each_context(request)
        return self._constants[language] | {
            "has_permission": self.has_permission(request),
            "available_apps": [],  # the sidebar has its own items
            "log_entries": (),
            "sidebar_navigation": self.get_sidebar_list(request),
        }

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return the groups of the sidebar, with what the user may open and what is open."""
        if not self.has_permission(request):
            return []
        return [
            group | {"items": [_item_for(request, item) for item in group["items"]]}
            for group in settings.UNFOLD["SIDEBAR"]["navigation"]
        ]


def _item_for(request: HttpRequest, item: dict[str, Any]) -> dict[str, Any]:
    may_open, is_open = item["permission"], item["active"]
    return item | {"has_permission": may_open(request), "active": is_open(request)}
