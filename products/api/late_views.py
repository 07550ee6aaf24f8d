"""Views that a function imports at their first request, because most functions never serve them."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

type View = Callable[..., HttpResponseBase]

LATE_MODULES = ("future", "imports", "jobs", "plans")
"""The modules of products.api that take a quarter of the API's import time."""


def late_view(name: str) -> View:
    """Return the view with this name, such as ``jobs.JobList``.

    With LATE_VIEWS it is imported at its first request. Without it, as in a web process, which
    serves everything, it is imported now.
    """
    if not settings.LATE_VIEWS:
        return _view(name)

    def view(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        return _view(name)(request, **arguments)

    view.csrf_exempt = True  # type: ignore[attr-defined] # as each view of the API is
    return view


def load_late_views() -> None:
    """Import the modules of all late views."""
    for module in LATE_MODULES:
        import_module(f"products.api.{module}")


@cache
def _view(name: str) -> View:
    module, _, class_name = name.partition(".")
    view: View = getattr(import_module(f"products.api.{module}"), class_name).as_view()
    return view
