"""A list shows one's own saves before any index knows of them: the session remembers them for a minute."""

import time
from types import SimpleNamespace

import pytest

from products.admin.recent_saves import KEY, MOST, SECONDS, recent, remember
from products.catalogue import Catalogue
from products.changes import Origin
from tests.support.admin_client import LIST, current_entries, page_url, sign_in
from tests.support.builders import fields
from tests.support.world import World


def test_only_the_last_minute_and_the_last_few_are_remembered() -> None:
    request = SimpleNamespace(
        session={KEY: {"old": time.time() - SECONDS - 1, "young": time.time()}}
    )
    assert recent(request) == ("young",)
    remember(request, *(f"p{number}" for number in range(MOST)))
    assert recent(request) == tuple(f"p{number}" for number in range(MOST))


@pytest.mark.django_db
def test_every_way_of_saving_is_remembered(world: World, catalogue: Catalogue, ann: Origin) -> None:
    for product_id in ("a", "b", "c", "d"):
        catalogue.create(product_id, fields(name=f"Hosting {product_id}"), ann)
    catalogue.deactivate("d", ann)
    staff = sign_in("eve")
    staff.post(page_url("a"), current_entries(staff, "a", price="2"))
    staff.post(page_url("b", "delete"), {"post": "yes"})
    staff.post(LIST, {"action": "deactivate", "_selected_action": ["c"]})
    staff.post(page_url("d", "restore"))
    assert set(staff.session[KEY]) == {"a", "b", "c", "d"}
    assert staff.get(LIST).status_code == 200
