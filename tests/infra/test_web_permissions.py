"""The web role has the permissions that every page and every address of the API uses."""

from typing import Any

import pytest

from products import bootstrap
from tests.infra.used_permissions import Permission, allowed
from tests.security.test_every_url import ids, methods_of, new_session, outcome
from tests.support.admin_client import sign_in
from tests.support.url_table import TABLE
from tests.support.world import World

pytestmark = pytest.mark.django_db
__all__ = ["ids"]  # a fixture
OTHER_STATEMENTS = ("Cache", "Buckets", "Images", "WhatOperatorsDo")


def test_web_has_the_permissions_that_its_addresses_use(
    ids: dict[str, Any], world: World, used: set[Permission]
) -> None:
    client = sign_in("root", None, superuser=True)
    permissions = allowed("web", *OTHER_STATEMENTS)
    outside: dict[str, set[Permission]] = {}
    for route in TABLE:
        for method in methods_of(TABLE[route]):
            if method not in TABLE[route].needs:
                continue
            used.clear()
            outcome(new_session(client), route, method, ids)
            if used - permissions:
                outside[f"{method} {route}"] = used - permissions
    assert outside == {}
    assert bootstrap.table().change("p1", 1)


def test_web_uses_all_indexes_it_may_query(
    ids: dict[str, Any], world: World, used: set[Permission]
) -> None:
    client = sign_in("root", None, superuser=True)
    used.clear()
    for address in ("/readyz", "/v1.0/products?sortBy=name", "/admin/products/product/changes/"):
        client.get(address)
    indexes = {index for _, index in used if index}
    assert indexes == {index for _, index in allowed("web") if index}
