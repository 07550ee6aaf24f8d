"""The operations page: what it shows, its actions, and who may use them."""

from typing import Any

import pytest
from django.test import Client

from deploy.local.engines import free_port
from products import bootstrap
from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.changes import Effect, Failure, Origin
from tests.plugin import ENV
from tests.support.admin_client import LIST, last_message, sign_in
from tests.support.builders import fields
from tests.support.delivery import deliver
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]
PAGE = f"{LIST}operations/"
EFFECT = {"product": "p1", "version": "1", "effect": "searchable"}


@pytest.fixture
def olga(world: World, acceptance: Acceptance, catalogue: Catalogue, ann: Origin) -> Client:
    acceptance.create("p1", fields(), ann)
    deliver(bootstrap.pipeline().store, "p1", 1)
    failure = Failure(reason="Refused <for ever>", at=catalogue.clock(), attempts=3, permanent=True)
    bootstrap.table().fail(catalogue.receipt("p1", 1), Effect.SEARCHABLE, failure)
    return sign_in("olga", "Product operators")


def test_the_page_shows_stuck_changes_with_their_errors(olga: Client, world: World) -> None:
    text = olga.get(PAGE).text
    for shown in (
        "Refused &lt;for ever&gt;",
        "tried 3 times",
        "<b>1</b> ×",
        f"Saved <code>bbws-product-change-{ENV}</code>",
        "never checked",
    ):
        assert shown in text
    world.work()
    deliver(bootstrap.pipeline().index, "p1", 1)
    assert "Nothing is stuck." in olga.get(PAGE).text


def test_the_front_page_counts_changes_not_effects(
    olga: Client, catalogue: Catalogue, world: World
) -> None:
    failure = Failure(reason="Refused", at=catalogue.clock(), attempts=3, permanent=True)
    bootstrap.table().fail(catalogue.receipt("p1", 1), Effect.AUDITED, failure)
    assert "1 change is not published everywhere" in olga.get("/admin/").text


def test_an_operator_retries_and_discards(olga: Client, catalogue: Catalogue, world: World) -> None:
    world.empty_queues()
    assert (
        last_message(olga.post(f"{PAGE}retry_cause/", {"cause": "searchable: Refused <for ever>"}))
        == "1 retried."
    )
    assert world.depth(f"bbws-product-search-{ENV}") == 1
    assert "is retried" in last_message(olga.post(f"{PAGE}retry/", EFFECT))
    assert world.depth(f"bbws-product-search-{ENV}") == 2
    assert "Say why" in last_message(olga.post(f"{PAGE}discard/", EFFECT))
    assert "must be saved" in last_message(
        olga.post(f"{PAGE}discard/", EFFECT | {"effect": "stored", "reason": "No need"})
    )
    answer = olga.post(f"{PAGE}discard/", EFFECT | {"reason": "Not to be found"})
    assert last_message(answer) == "Version 1 of p1 will not be retried any more: In search."
    assert catalogue.receipt("p1", 1).state(Effect.SEARCHABLE) == "discarded"
    assert "(Not to be found)" in olga.get(PAGE).text
    assert "is not waiting" in last_message(olga.post(f"{PAGE}retry/", EFFECT))
    assert "has no version" in last_message(olga.post(f"{PAGE}retry/", EFFECT | {"version": "9"}))


@pytest.mark.parametrize("group", ["Product viewers", "Product editors", None])
def test_the_page_is_for_operators_only(olga: Client, group: str | None) -> None:
    other = sign_in("other", group)
    assert other.get(PAGE).status_code == 403
    for action in ("retry", "retry_cause", "discard"):
        assert other.post(f"{PAGE}{action}/", EFFECT | {"reason": "x" * 9}).status_code == 403
        assert olga.get(f"{PAGE}{action}/").status_code == 405
    assert olga.post(f"{PAGE}retry/", EFFECT | {"effect": "burnt"}).status_code == 403
    assert sign_in("ada", "Product admins").get(PAGE).status_code == 200


def test_the_other_parts_are_shown_while_a_service_is_down(
    olga: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for service, sentence in (
        ("SQS", "<td>?</td>"),
        ("DYNAMODB", "The catalogue can&#x27;t be reached just now."),
    ):
        with monkeypatch.context() as patched:
            patched.setenv(f"AWS_ENDPOINT_URL_{service}", f"http://127.0.0.1:{free_port()}")
            forget_wiring()
            answer: Any = olga.get(PAGE)
            assert answer.status_code == 200
            assert sentence in answer.text
    forget_wiring()
