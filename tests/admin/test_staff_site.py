"""The frame of staff pages is the theme's, although most of it is made only once."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.test import RequestFactory

from products.access.staff_site import StaffSite
from tests.support.admin_client import LIST

pytestmark = pytest.mark.django_db
MADE_BY_US = {"available_apps", "log_entries", "sidebar_navigation"}
SHOWN = ("title", "link", "icon", "has_permission", "active")


def request_of(group: str, path: str) -> HttpRequest:
    user = User.objects.create(username=group, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    request = RequestFactory().get(path)
    request.user = user
    return request


def items_of(groups: list[dict[str, Any]]) -> list[list[object]]:
    return [[item[name] for name in SHOWN] for group in groups for item in group["items"]]


def test_every_page_has_the_context_of_the_theme() -> None:
    site = admin.site
    theme: Any = super(StaffSite, site)
    paths = {"Product admins": LIST, "Product editors": f"{LIST}operations/"}
    for request in [request_of(group, path) for group, path in paths.items()]:
        ours, theirs = site.each_context(request), theme.each_context(request)
        assert ours.keys() == theirs.keys()
        own = {name for name in ours if ours[name] != theirs[name]}
        assert own <= MADE_BY_US | {"site_favicons"}
        groups = theme.get_sidebar_list(request)
        assert items_of(ours["sidebar_navigation"]) == items_of(groups)


def test_a_visitor_without_access_has_no_sidebar() -> None:
    request = request_of("Product admins", LIST)
    request.user = User.objects.create(username="visitor")
    assert admin.site.each_context(request)["sidebar_navigation"] == []
