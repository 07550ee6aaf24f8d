"""``POST /products:batch``: every item on its own, or all or none, with a result for each."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from products.catalogue import Catalogue
from tests.gameday.fault_proxy import PASS, Proxy
from tests.plugin import address
from tests.support.api_client import Api, error_of
from tests.support.builders import fields
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]
Item = dict[str, Any]


@pytest.fixture
def api(world: World) -> Api:
    return Api()


def create(number: int, **more: Any) -> Item:
    product = fields(name=f"Hosting no. {number}") | more
    return {"action": "create", "productId": f"p{number}", "product": product}


def update(number: int, **edits: Any) -> Item:
    return {"action": "update", "productId": f"p{number}", "product": edits}


def batch(api: Api, mode: str, *items: Any, query: str = "", **headers: str) -> Any:
    return api("post", f"/products:batch{query}", {"mode": mode, "items": list(items)}, **headers)


def codes(response: Any) -> list[int]:
    return [result["code"] for result in response.json()["results"]]


@pytest.mark.parametrize("mode", ["each", "all"])
def test_a_batch_returns_a_receipt_for_each_write(
    api: Api, mode: str, catalogue: Catalogue, world: World
) -> None:
    batch(api, "each", *(create(number) for number in range(4)))
    deactivated = batch(api, mode, {"action": "deactivate", "productId": "p3"})
    assert codes(deactivated) == [202]
    response = batch(
        api,
        mode,
        create(9),
        update(0, price="7.00", version=1),
        {"action": "deactivate", "productId": "p1"},
        {"action": "restore", "productId": "p3"},
        update(2, price="1500"),
    )
    body = response.json()
    assert (response.status_code, response["Retry-After"]) == (202, "1")
    assert codes(response) == [202, 202, 202, 202, 200]
    assert [body[count] for count in ("accepted", "unchanged", "refused")] == [4, 1, 0]
    receipt = api("get", body["results"][1]["statusUrl"].removeprefix("/v1.0"))
    assert receipt.json()["changed"] == {"price": {"before": "1500.00", "after": "7.00"}}
    active = [catalogue.newest(f"p{number}").active for number in (9, 0, 1, 3)]
    assert active == [True, True, False, True]
    world.work()
    assert codes(batch(api, mode, update(0, price="8"), Prefer="wait=0")) == [202]


def test_mode_each_reports_the_result_of_each_item(api: Api, catalogue: Catalogue) -> None:
    response = batch(
        api,
        "each",
        create(1),
        create(1),
        update(2, price="1"),
        update(1, price="x", color="red"),
        update(1, name="Hosting, renamed") | {"ifVersion": 5},
        update(1, price="2"),
    )
    body = response.json()
    assert (response.status_code, codes(response)) == (207, [202, 409, 404, 400, 412, 202])
    assert [body[count] for count in ("accepted", "unchanged", "refused")] == [2, 0, 4]
    assert body["results"][3]["errors"].keys() == {"price", "color"}
    assert [result["productId"] for result in body["results"]] == ["p1", "p1", "p2", *["p1"] * 3]
    assert (body["results"][4]["error"], body["results"][4]["version"]) == (
        "Precondition Failed",
        1,
    )
    assert catalogue.newest("p1").version == 2


def test_mode_all_writes_nothing_and_names_all_refused_items(
    api: Api, catalogue: Catalogue
) -> None:
    batch(api, "each", create(1), create(2))
    with_taken_name = update(2, name="hosting NO.1")
    response = batch(
        api,
        "all",
        update(1, price="2"),
        with_taken_name,
        create(3, price="x"),
        update(4, price="1"),
    )
    body = error_of(response)
    # The name is taken too, but only the transaction finds that, and it was not tried.
    assert (response.status_code, codes(response)) == (400, [424, 424, 400, 404])
    assert body["errors"].keys() == {"items[2].price", "items[3]"}
    assert [result["productId"] for result in body["results"]] == ["p1", "p2", "p3", "p4"]
    assert catalogue.newest("p1").version == 1


def test_the_transaction_finds_names_that_are_taken(api: Api, catalogue: Catalogue) -> None:
    batch(api, "each", create(1), create(2), create(3))
    response = batch(
        api,
        "all",
        update(1, price="2"),
        update(2, name="Hosting no. 1"),
        create(5, name="Hosting no. 3"),
    )
    assert (response.status_code, codes(response)) == (409, [424, 409, 409])
    assert error_of(response)["errors"].keys() == {"items[1].name", "items[2].name"}
    assert catalogue.newest("p1").version == 1


def test_mode_all_refuses_duplicate_products_and_names(api: Api) -> None:
    batch(api, "each", create(1), create(2))
    response = batch(api, "all", update(1, price="2"), update(1, price="3"))
    assert (response.status_code, codes(response)) == (409, [424, 409])
    response = batch(api, "all", create(7, name="The same"), create(8, name="the  SAME"))
    assert (response.status_code, codes(response)) == (409, [424, 409])
    unnamed = [{"action": "create", "product": fields(name="Twin")} for _ in range(2)]
    twins = batch(api, "all", *unnamed)
    assert error_of(twins)["errors"] == {
        "items[1].name": ["The name 'Twin' is in this batch twice."]
    }
    assert not any("productId" in result for result in twins.json()["results"])
    swapped = batch(api, "all", update(1, name="Hosting no. 2"), update(2, name="Hosting no. 1"))
    assert swapped.status_code == 409
    assert codes(batch(api, "each", update(1, price="2"), update(1, price="3"))) == [202, 202]


def test_mode_all_holds_a_hundred_updates_or_fifty_creations(
    api: Api, catalogue: Catalogue
) -> None:
    response = batch(api, "all", *(create(number) for number in range(51)))
    assert response.status_code == 400
    assert "too many writes for one transaction" in error_of(response)["errors"]["items"][0]
    assert batch(api, "all", *(create(number) for number in range(50))).status_code == 202
    assert batch(api, "each", *(create(number) for number in range(50, 100))).status_code == 202
    updates = [
        update(number, price="1.00", description="A longer text. " * 30) for number in range(100)
    ]
    assert batch(api, "all", *updates).status_code == 202
    response = batch(
        api, "all", *(update(number, price="2") for number in range(100)), Idempotency_Key="k"
    )
    assert response.status_code == 400
    assert catalogue.newest("p99").version == 2


@pytest.mark.parametrize("mode", ["each", "all"])
def test_a_repeated_batch_takes_effect_once(api: Api, mode: str, catalogue: Catalogue) -> None:
    items = [create(1), create(2)]
    first = batch(api, mode, *items, Idempotency_Key="k")
    again = batch(api, mode, *items, Idempotency_Key="k")
    assert [result.get("replayed") for result in first.json()["results"]] == [None, None]
    assert [result.get("replayed") for result in again.json()["results"]] == [True, True]
    assert [r["changeId"] for r in again.json()["results"]] == [
        r["changeId"] for r in first.json()["results"]
    ]
    other = batch(api, mode, *items, create(3), Idempotency_Key="k")
    if mode == "each":
        assert codes(other)[:1] == [422]
    else:
        assert other.status_code == 422
    assert catalogue.newest("p1").version == 1


def test_a_repeated_batch_retries_only_the_refused_items(api: Api, catalogue: Catalogue) -> None:
    items = [create(1), update(2, price="5")]
    assert codes(batch(api, "each", *items, Idempotency_Key="k")) == [202, 404]
    batch(api, "each", create(2))
    again = batch(api, "each", *items, Idempotency_Key="k")
    assert [(r["code"], r.get("replayed")) for r in again.json()["results"]] == [
        (202, True),
        (202, None),
    ]
    assert [catalogue.newest(i).version for i in ("p1", "p2")] == [1, 2]


@pytest.mark.parametrize("mode", ["each", "all"])
def test_a_dry_run_checks_everything_and_writes_nothing(
    api: Api, mode: str, catalogue: Catalogue
) -> None:
    batch(api, "each", create(1))
    response = batch(api, mode, update(1, price="9"), create(2), query="?dryRun=true")
    assert (response.status_code, codes(response)) == (200, [200, 200])
    assert response.json()["results"][0]["changed"] == {
        "price": {"before": "1500.00", "after": "9.00"}
    }
    refused = batch(api, mode, create(1), create(3, name="Hosting no. 1"), query="?dryRun=true")
    assert codes(refused) == [409 if mode == "each" else 424, 409]
    taken = batch(api, mode, create(3, name="Hosting no. 1"), create(4), query="?dryRun=true")
    assert codes(taken) == [409, 200 if mode == "each" else 424]
    assert len(catalogue.history("p1")) == 1


def test_a_batch_that_was_waited_for_returns_its_products(api: Api, world: World) -> None:
    batch(api, "each", create(1), create(2))
    world.work()
    items = [create(3), update(1, price="3"), {"action": "deactivate", "productId": "p2"}]
    with ThreadPoolExecutor() as pool:
        pending = pool.submit(batch, api, "each", *items, Prefer="wait=10, until=stored")
        while not pending.done():
            world.work()
    response = pending.result()
    assert (response.status_code, codes(response)) == (200, [201, 200, 204])
    assert response["Preference-Applied"] == "wait=10, until=stored"
    assert response.json()["results"][1]["product"]["price"] == "3.00"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "mode"),
        ({"mode": "some", "items": [create(1)]}, "mode"),
        ({"mode": "each", "items": []}, "items"),
        ({"mode": "each", "items": [create(number) for number in range(101)]}, "items"),
        ({"mode": "each", "items": "p1"}, "items"),
        ({"mode": "each", "items": [create(1)], "color": 1}, "color"),
        ({"mode": "each", "items": ["p1"]}, "items[0]"),
        (
            {"mode": "each", "items": [create(1), {"action": "drop", "productId": "p1"}]},
            "items[1].action",
        ),
        ({"mode": ["each"], "items": [create(1)]}, "mode"),
        (
            {"mode": "each", "items": [{"action": ["create"], "product": fields()}]},
            "items[0].action",
        ),
        ({"mode": "each", "items": [create(1) | {"some_thing": 1}]}, "items[0].some_thing"),
        ({"mode": "each", "items": [{"action": "update", "product": {}}]}, "items[0].productId"),
        (
            {"mode": "each", "items": [{"action": "update", "productId": "p1", "product": []}]},
            "items[0].product",
        ),
        ({"mode": "each", "items": [update(1) | {"action": "restore"}]}, "items[0].product"),
        ({"mode": "each", "items": [create(1) | {"ifVersion": 1}]}, "items[0].ifVersion"),
        ({"mode": "each", "items": [update(1) | {"ifVersion": True}]}, "items[0].ifVersion"),
        ({"mode": "each", "items": [update(1, version="1")]}, "items[0].version"),
        ({"mode": "each", "items": [create(1, productId="p2")]}, "items[0].productId"),
        ({"mode": "each", "items": [update(1, renewal_price="1")]}, "items[0].renewalPrice"),
    ],
)
def test_invalid_batches_name_the_wrong_field(api: Api, body: Any, field: str) -> None:
    response = api("post", "/products:batch", body)
    assert response.status_code == 400
    assert field in error_of(response)["errors"]


def test_a_batch_holds_a_hundred_large_products(api: Api) -> None:
    items = [create(n, description="x" * 500, features=["y" * 200] * 20) for n in range(100)]
    assert codes(batch(api, "each", *items)) == [202] * 100
    response = api(
        "post", "/products:batch", {"mode": "each", "items": [create(1, name="x" * 5_000_000)]}
    )
    assert (response.status_code, error_of(response)["error"]) == (413, "Request Entity Too Large")


def test_each_action_needs_its_own_permission(api: Api) -> None:
    batch(api, "each", create(1))
    viewer, editor = Api("Product viewers", name="vic"), Api("Product editors", name="eve")
    deactivations = [{"action": "deactivate", "productId": "p1"}, update(1, active=False)]
    assert batch(Api(anonymous=True), "each", create(2)).status_code == 401
    assert batch(viewer, "each", update(1, price="2")).status_code == 403
    for item in deactivations:
        refused = batch(editor, "each", create(2), item)
        assert (refused.status_code, codes(refused)[1]) == (207, 403)
        together = batch(editor, "all", update(2, price="2"), item)
        assert (together.status_code, codes(together)) == (403, [424, 403])
    assert batch(editor, "each", update(1, price="2"), create(3)).status_code == 202
    assert batch(api, "each", deactivations[0]).status_code == 202
    assert batch(api, "each", create(4), If_Match='"v1"').status_code == 400


def test_a_batch_stops_when_dynamodb_is_unavailable(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch(api, "each", create(1))
    proxy = Proxy(address("dynamodb"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
    forget_wiring()
    proxy.fault = lambda request: (
        500 if request.operation in {"Query", "TransactWriteItems"} else PASS
    )
    response = batch(api, "each", *(update(1, price="2") for _ in range(50)))
    assert (response.status_code, codes(response)) == (207, [503] * 50)
    assert len(proxy.seen) < 10
    assert batch(api, "all", update(1, price="2"), update(2, price="2")).status_code == 503
    proxy.close()
