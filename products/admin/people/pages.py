"""What the pages of accounts share: the frame of the admin, or that of the login page."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


class AdminPage:
    """A page of django-allauth in the frame of the admin."""

    request: HttpRequest
    title: "_StrOrPromise" = ""

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Return the page's context with that of every page of the admin."""
        own: dict[str, Any] = super().get_context_data(**context)  # type: ignore[misc] # a mixin
        return {**admin.site.each_context(self.request), "title": self.title, **own}
