"""The session remembers a user's saves for a minute, so that the list shows them immediately."""

import time

import pytest
from django.http import HttpRequest

from products.acceptance import Acceptance
from products.admin.recent_saves import (
    MAX_REMEMBERED,
    RETENTION_SECONDS,
    SESSION_KEY,
    recently_saved,
    remember_save,
)
from products.changes import Origin
from tests.support.admin_client import LIST, current_entries, page_url, sign_in
from tests.support.builders import fields
from tests.support.world import World


def test_only_few_saves_of_the_last_minute_are_remembered() -> None:
    now = time.time()
    saved_at = {"old": now - RETENTION_SECONDS - 1, "young": now}
    request = HttpRequest()
    request.session = {SESSION_KEY: saved_at}  # type: ignore[assignment] # a dict is enough
    assert recently_saved(request) == ("young",)
    remember_save(request, *(f"p{number}" for number in range(MAX_REMEMBERED)))
    assert recently_saved(request) == tuple(f"p{number}" for number in range(MAX_REMEMBERED))


@pytest.mark.django_db
def test_every_way_of_saving_is_remembered(
    world: World, acceptance: Acceptance, ann: Origin
) -> None:
    for product_id in ("a", "b", "d"):
        acceptance.create(product_id, fields(name=f"Hosting {product_id}"), ann)
    acceptance.deactivate("d", ann)
    staff = sign_in("eve")
    staff.post(page_url("a"), current_entries(staff, "a", price="2"))
    staff.post(page_url("b", "delete"), {"post": "yes"})
    staff.post(page_url("d", "restore"))
    assert set(staff.session[SESSION_KEY]) == {"a", "b", "d"}
    assert staff.get(LIST).status_code == 200
