"""A product's history: who changed what and why, comparing two versions, and restoring one."""

import pytest
from django.test import Client

from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.changes import Origin
from products.permissions import ALL_PERMISSIONS
from tests.support.admin_client import last_message, page_url, sign_in
from tests.support.builders import fields
from tests.support.world import World

pytestmark = pytest.mark.django_db
HISTORY = page_url("p1", "history")


@pytest.fixture
def eve(world: World, acceptance: Acceptance, ann: Origin, ben: Origin) -> Client:
    """Three versions: created by ann, price and description by ben, features by ann."""
    acceptance.create("p1", fields(features=["Mail", "Web"]), ann)
    acceptance.update("p1", {"price": "1600", "description": "Hosting for a second site."}, ben)
    reason = Origin(
        actor="ann",
        source="bulk",
        request_id="request-3",
        reason="Autumn <sale>",
        permissions=ALL_PERMISSIONS,
    )
    acceptance.update("p1", {"features": ["Web", "<b>Shop</b>"]}, reason)
    return sign_in("eve")


def test_each_version_shows_author_change_reason_and_effects(eve: Client, world: World) -> None:
    text = eve.get(HISTORY).text
    for shown in (
        "created by <b>ann</b>, test",
        "changed by <b>ben</b>, test",
        "Reason: Autumn &lt;sale&gt;",
        "Request request-3",
        "<del>R1\u00a0500</del> → <ins>R1\u00a0600</ins>",
        "Hosting for a <del>first</del><ins>second</ins> site.",
        "<del>Mail</del><br>Web<br><ins>&lt;b&gt;Shop&lt;/b&gt;</ins>",
        'data-step="pending" title="Saved: not yet"',
    ):
        assert shown in text
    world.work()
    assert 'data-step="done" title="Saved: done ' in eve.get(HISTORY).text


def test_every_change_can_be_undone_and_its_old_values_restored(
    eve: Client, catalogue: Catalogue
) -> None:
    text = eve.get(HISTORY).text
    assert "Restore R1\u00a0500" in text
    eve.post(page_url("p1", "restore/1"), {"field": "price", "seen": "3"})
    assert catalogue.newest("p1").price == 1500
    for version in (2, 3):
        assert f'/undo/{version}/"' in text
    assert '/undo/1/"' not in text
    eve.post(page_url("p1", "undo/3"), {"next": HISTORY})
    assert catalogue.newest("p1").features == ("Mail", "Web")


def test_any_two_versions_can_be_compared(eve: Client) -> None:
    text = eve.get(f"{HISTORY}?from=3&to=1").text
    assert "Version 1 compared with version 3" in text
    for shown in (
        "Restore price from v1",
        "7 fields are the same",
        "Restore version 1",
    ):
        assert shown in text
    assert "They do not differ." in eve.get(f"{HISTORY}?from=2&to=2").text
    for nonsense in ("from=1&to=99", "from=x&to=1", "from=1", "from=-1&to=2", "from=0&to=2"):
        assert "compared with version" not in eve.get(f"{HISTORY}?{nonsense}").text


def test_one_field_or_the_whole_product_is_restored(eve: Client, catalogue: Catalogue) -> None:
    answer = eve.post(page_url("p1", "restore/1"), {"field": "price", "seen": "3"})
    assert (answer["Location"], last_message(answer)) == (
        HISTORY,
        "Price is as in version 1 again, saved as version 4.",
    )
    product = catalogue.newest("p1")
    assert (str(product.price), product.features) == ("1500.00", ("Web", "<b>Shop</b>"))
    assert catalogue.receipt("p1", 4).origin.reason == "Price restored from version 1"
    answer = eve.post(page_url("p1", "restore/1"), {"seen": "4", "reason": "A mistake"})
    assert last_message(answer) == "Everything is as in version 1 again, saved as version 5."
    assert catalogue.newest("p1").features == ("Mail", "Web")
    assert catalogue.receipt("p1", 5).origin.reason == "A mistake"
    assert (
        last_message(eve.post(page_url("p1", "restore/1"), {"seen": "5"}))
        == "Nothing was different, so nothing was saved."
    )


def test_restoring_from_an_outdated_page_is_refused(
    eve: Client, acceptance: Acceptance, catalogue: Catalogue, ben: Origin
) -> None:
    acceptance.update("p1", {"price": "7"}, ben)
    answer = eve.post(page_url("p1", "restore/1"), {"seen": "3"})
    assert last_message(answer) == "ben saved version 4 meanwhile; look at it first."
    assert catalogue.newest("p1").version == 4
    assert last_message(eve.post(page_url("p1", "restore/99"))) == "This product has no version 99."


def test_restoring_needs_the_permissions_of_its_changes(
    eve: Client, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.deactivate("p1", ann)
    acceptance.restore("p1", ann)
    editor, viewer = sign_in("ed", "Product editors"), sign_in("vic", "Product viewers")
    assert viewer.post(page_url("p1", "restore/1")).status_code == 403
    assert editor.post(page_url("p1", "restore/4")).status_code == 403  # it was inactive then
    assert editor.post(page_url("p1", "restore/1"), {"field": "version"}).status_code == 403
    assert editor.post(page_url("p1", "restore/4"), {"field": "price"}).status_code == 302
    assert eve.get(page_url("p1", "restore/1")).status_code == 405
    text = viewer.get(f"{HISTORY}?from=1&to=3").text
    assert "Version 1 compared with version 3" in text
    assert ">Restore price" not in text


def test_a_deactivated_product_has_a_history(
    eve: Client, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.deactivate("p1", ann)
    assert "deactivated by <b>ann</b>" in eve.get(HISTORY).text
    assert last_message(eve.post(page_url("p1", "restore"))).endswith(
        "was restored, saved as version 5."
    )


def test_a_long_history_has_pages(eve: Client, acceptance: Acceptance, ann: Origin) -> None:
    for price in range(1, 26):
        acceptance.update("p1", {"price": str(price)}, ann)
    text = eve.get(HISTORY).text
    assert '<a href="?before=4">Older versions</a>' in text
    assert 'id="v28"' in text
    older = eve.get(f"{HISTORY}?before=4").text
    assert 'id="v1"' in older
    assert "Older versions" not in older
    assert 'id="v28"' in eve.get(f"{HISTORY}?before=x").text
