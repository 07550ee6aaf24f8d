"""Saved views of the product list: filters, order and columns under a name.

The list's address names the view that is open. The filters are in the address, too, so they can be
changed without changing the view.
"""

from dataclasses import dataclass
from typing import TypedDict

from django.contrib import messages
from django.contrib.admin.options import ModelAdmin
from django.core.exceptions import BadRequest
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_lazy

from products.access.profiles import COLUMNS_KEY, profile_of
from products.admin.base import user_of
from products.admin.columns import (
    columns_text,
    own_columns,
    parse_columns,
)
from products.identifiers import parse_key
from products.models import SavedView

VIEW = "view"
"""The parameter of the list's address; NO_VIEW is the list without any."""
NO_VIEW = "0"
MAX_NAME = 60
MAX_VIEWS = 30
MAX_QUERY = 2000
SHARE = "products.share_savedview"
NAME_NEEDED = gettext_lazy("A view needs a name of 60 characters at most.")
TOO_MANY = gettext_lazy("You have 30 views already. Please delete one first.")


class Tab(TypedDict):
    """A view as a link above the list."""

    name: str
    address: str
    is_open: bool
    is_shared: bool


@dataclass(frozen=True)
class ListViews:
    """The views that a user sees above the list, and the one that is open."""

    tabs: list[Tab]
    opened: SavedView | None
    is_own: bool
    is_default: bool
    may_share: bool
    columns: tuple[str, ...]


def visible_views(request: HttpRequest) -> QuerySet[SavedView]:
    """Return the user's own views, and those that are shared."""
    mine = Q(user=user_of(request))
    return SavedView.objects.filter(mine | Q(is_shared=True)).select_related("user")


def columns_of(request: HttpRequest) -> tuple[str, ...]:
    """Return the columns of the view that the address names, else the user's own."""
    key = parse_key(request.GET.get(VIEW, ""))
    if not key:
        return own_columns(request)
    found = visible_views(request).filter(pk=key).values_list("columns", flat=True).first()
    return own_columns(request) if found is None else parse_columns(found)


def list_views(request: HttpRequest) -> ListViews:
    """Return what the list shows of views. It takes one query."""
    views = list(visible_views(request))
    key = request.GET.get(VIEW, "")
    opened = next((view for view in views if str(view.pk) == key), None)
    user = user_of(request)
    return ListViews(
        tabs=[_tab(view, opened) for view in views],
        opened=opened,
        is_own=opened is not None and opened.user == user,
        is_default=opened is not None and profile_of(user).default_view == opened,
        may_share=user.has_perm(SHARE),
        columns=parse_columns(opened.columns) if opened else own_columns(request),
    )


def _tab(view: SavedView, opened: SavedView | None) -> Tab:
    is_open = opened is not None and opened.pk == view.pk
    address = address_of(view)
    return {
        "name": view.name,
        "address": address,
        "is_open": is_open,
        "is_shared": bool(view.is_shared),
    }


def address_of(view: SavedView) -> str:
    """Return the address of the list in this view."""
    parameters = urlencode({VIEW: view.pk})
    start = reverse("admin:products_product_changelist")
    return f"{start}?{view.query}&{parameters}" if view.query else f"{start}?{parameters}"


def default_address(request: HttpRequest) -> str | None:
    """Return the address of the user's default view, for a list that is opened without filters."""
    if request.GET or request.headers.get("X-Requested-With") == "fetch":
        return None
    view = profile_of(user_of(request)).default_view
    is_visible = view and (view.is_shared or view.user == user_of(request))
    return address_of(view) if view and is_visible else None


def save_view(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Save the filters of the list under a name. The same name replaces an own view."""
    name = request.POST.get("name", "").strip()
    if not name or len(name) > MAX_NAME:
        messages.error(request, NAME_NEEDED)
        return _back(request.POST.get("filters", ""))
    user = user_of(request)
    own = SavedView.objects.filter(user=user)
    if not own.filter(name=name).exists() and own.count() >= MAX_VIEWS:
        messages.error(request, TOO_MANY)
        return _back(request.POST.get("filters", ""))
    shared = request.POST.get("shared") == "on" and user.has_perm(SHARE)
    columns = columns_text(parse_columns(request.POST.get("columns", "")))
    values = {"query": _filters_in(request), "columns": columns, "is_shared": shared}
    view, _ = SavedView.objects.update_or_create(user=user, name=name, defaults=values)
    _set_default(request, view, wanted=request.POST.get("default") == "on")
    messages.success(request, gettext("The view “{name}” is saved.").format(name=name))
    return HttpResponseRedirect(address_of(view))


def delete_view(admin: ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Delete one of the user's own views."""
    view = SavedView.objects.filter(user=user_of(request), pk=pk).first()
    if view is None:
        raise BadRequest(gettext("This is not one of your views."))
    view.delete()
    messages.success(request, gettext("The view “{name}” is deleted.").format(name=view.name))
    return _back("")


def save_columns(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Save the user's columns and their order, for the list without a view or for an own view."""
    text = columns_text(parse_columns(request.POST.get("columns", "")))
    filters = request.POST.get("filters", "")
    key = parse_key(QueryDict(filters).get(VIEW, ""))
    own = SavedView.objects.filter(user=user_of(request))
    if key and own.filter(pk=key).update(columns=text):
        return _back(filters)
    profile = profile_of(user_of(request))
    profile.columns = text
    profile.save(update_fields=["columns"])
    request.session[COLUMNS_KEY] = text
    return _back(filters)


def _set_default(request: HttpRequest, view: SavedView, *, wanted: bool) -> None:
    profile = profile_of(user_of(request))
    if wanted or profile.default_view == view:
        profile.default_view = view if wanted else None
        profile.save(update_fields=["default_view"])


def _filters_in(request: HttpRequest) -> str:
    """Return the filters of the list, without the view they were changed from."""
    filters = QueryDict(request.POST.get("filters", "")[:MAX_QUERY], mutable=True)
    filters.pop(VIEW, None)
    return filters.urlencode()


def _back(filters: str) -> HttpResponseRedirect:
    """Return to the list with these filters."""
    query = QueryDict(filters[:MAX_QUERY]).urlencode() or f"{VIEW}={NO_VIEW}"
    return HttpResponseRedirect(f"{reverse('admin:products_product_changelist')}?{query}")
