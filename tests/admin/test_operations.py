"""The operations page: what it shows, what can be done on it, and by whom."""

from typing import Any

import pytest
from django.test import Client

from deploy.local.engines import free_port
from products import bootstrap
from products.catalogue import Catalogue
from products.changes import Effect, Failure, Origin
from tests.conftest import forget_wiring
from tests.support.admin_client import LIST, last_message, sign_in
from tests.support.builders import fields
from tests.support.world import World

pytestmark = pytest.mark.django_db
PAGE = f"{LIST}operations/"
NAMED = {"product": "p1", "version": "1", "effect": "searchable"}


@pytest.fixture
def olga(world: World, catalogue: Catalogue, ann: Origin) -> Client:
    catalogue.create("p1", fields(), ann)
    bootstrap.pipeline().store("p1", 1)
    failure = Failure(reason="Refused <for ever>", at=catalogue.clock(), attempts=3, permanent=True)
    bootstrap.table().fail(catalogue.receipt("p1", 1), Effect.SEARCHABLE, failure)
    return sign_in("olga", "Product operators")


def test_the_page_shows_what_is_stuck_and_why(olga: Client, world: World) -> None:
    text = olga.get(PAGE).text
    for shown in (
        "Refused &lt;for ever&gt;",
        "tried 3 times",
        "<b>1</b> ×",
        "bbws-product-change-test",
        "never",
    ):
        assert shown in text
    world.work()
    bootstrap.pipeline().index("p1", 1)
    assert "Nothing is stuck." in olga.get(PAGE).text


def test_an_operator_retries_and_discards(olga: Client, catalogue: Catalogue, world: World) -> None:
    world.empty_queues()
    assert (
        last_message(olga.post(f"{PAGE}retry_cause/", {"cause": "searchable: Refused <for ever>"}))
        == "1 rung for."
    )
    assert world.depth("bbws-product-search-test") == 1
    assert "was rung for" in last_message(olga.post(f"{PAGE}retry/", NAMED))
    assert world.depth("bbws-product-search-test") == 2
    assert "Say why" in last_message(olga.post(f"{PAGE}discard/", NAMED))
    assert "must be stored" in last_message(
        olga.post(f"{PAGE}discard/", NAMED | {"effect": "stored", "reason": "No need"})
    )
    answer = olga.post(f"{PAGE}discard/", NAMED | {"reason": "Not to be found"})
    assert last_message(answer) == "p1 v1 will not be searchable any more."
    assert catalogue.receipt("p1", 1).state(Effect.SEARCHABLE) == "discarded"
    assert "(Not to be found)" in olga.get(PAGE).text
    assert "is not waiting" in last_message(olga.post(f"{PAGE}retry/", NAMED))
    assert "has no version" in last_message(olga.post(f"{PAGE}retry/", NAMED | {"version": "9"}))


@pytest.mark.parametrize("group", ["Product viewers", "Product editors", None])
def test_the_page_is_for_operators_only(olga: Client, group: str | None) -> None:
    other = sign_in("other", group)
    assert other.get(PAGE).status_code == 403
    for doing in ("retry", "retry_cause", "discard"):
        assert other.post(f"{PAGE}{doing}/", NAMED | {"reason": "x" * 9}).status_code == 403
        assert olga.get(f"{PAGE}{doing}/").status_code == 405
    assert olga.post(f"{PAGE}retry/", NAMED | {"effect": "burnt"}).status_code == 403
    assert sign_in("ada", "Product admins").get(PAGE).status_code == 200


def test_while_an_engine_is_away_the_rest_is_shown(
    olga: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for engine, sentence in (
        ("SQS", "<td>?</td>"),
        ("DYNAMODB", "DynamoDB does not answer at the moment."),
    ):
        with monkeypatch.context() as patched:
            patched.setenv(f"AWS_ENDPOINT_URL_{engine}", f"http://127.0.0.1:{free_port()}")
            forget_wiring()
            answer: Any = olga.get(PAGE)
            assert answer.status_code == 200
            assert sentence in answer.text
    forget_wiring()
