"""The management commands: what they do, what they refuse, and what they leave alone."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client

from products.access import tokens
from products.catalogue import Catalogue
from products.changes import Origin
from products.lists import ListQuery
from products.maintenance import index_records
from products.models import ApiToken
from products.pipeline import Pipeline
from tests.support.builders import fields
from tests.support.commands import output
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def test_a_token_carries_what_its_user_may_do_with_products_and_is_listed(world: World) -> None:
    user = User.objects.create(username="ed")
    user.groups.add(Group.objects.get(name="Product editors"))
    token = output("issue_token", "ed", days=2, label="portal")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["sub"] == "ed"
    assert claims["permissions"] == [
        f"products.{verb}_product" for verb in ("add", "change", "view")
    ]
    assert tokens.verify(token).get_username() == "ed"
    headers = {"Authorization": f"Bearer {token}"}
    assert (
        Client().get("/v1.0/products?active=all", headers=headers).status_code == 200
    )  # which only staff may ask
    listed = ApiToken.objects.get()
    assert (listed.pk, listed.label, listed.user) == (claims["jti"], "portal", user)
    assert timedelta() <= listed.expires_at - datetime.now(UTC) <= timedelta(days=2)


def test_a_token_lives_thirty_days_unless_told_otherwise(world: World) -> None:
    User.objects.create(username="ann")
    claims = jwt.decode(output("issue_token", "ann"), options={"verify_signature": False})
    assert (claims["exp"] - claims["iat"], claims["permissions"]) == (30 * 24 * 60 * 60, [])


@pytest.mark.parametrize("days", [0, -1, 367, float("nan"), float("inf"), 1e12])
def test_a_token_that_would_never_or_always_be_good_is_not_issued(days: float) -> None:
    User.objects.create(username="ann")
    with pytest.raises(CommandError, match="must be more than 0 and at most 366"):
        output("issue_token", "ann", days=days)
    assert not ApiToken.objects.exists()


def test_nobody_who_has_left_gets_a_token() -> None:
    User.objects.create(username="ann", is_active=False)
    for name in ("ann", "Ann", "nobody", ""):
        with pytest.raises(CommandError, match=f"no active user '{name}'"):
            output("issue_token", name)
    with pytest.raises(CommandError, match="--days"):
        call_command("issue_token", "ann", "--days", "soon")


def test_the_seed_goes_the_way_of_every_write(world: World, catalogue: Catalogue) -> None:
    assert output("seed_products") == "5 created, 0 there already"
    receipt = catalogue.receipt("PROD-ENTERPRISE", 1)
    assert (receipt.origin.actor, receipt.origin.source, receipt.status) == (
        "seed",
        "command",
        "accepted",
    )
    assert world.depth(world.queue("products.persist")) == 5
    assert output("seed_products") == "0 created, 5 there already"
    world.work()
    shown = Client().get("/v1.0/products?sortBy=price").json()["products"]
    assert [(product["productId"], product["price"], product["period"]) for product in shown] == [
        ("PROD-ENTRY", "95.00", "per domain/year"),
        ("PROD-BASIC", "1500.00", "once-off + R1000/year"),
        ("PROD-STANDARD", "2500.00", "once-off + R1500/year"),
        ("PROD-PREMIUM", "3500.00", "once-off + R2500/year"),
        ("PROD-ENTERPRISE", "5000.00", "once-off + R3500/year"),
    ]
    assert all(product["features"] for product in shown)


def test_the_seed_leaves_alone_what_staff_have_made_of_it(
    world: World, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("ours", fields(name="Basic"), ann)
    assert output("seed_products") == "4 created, 1 there already"
    catalogue.update("PROD-ENTRY", {"name": "Starter", "price": "99"}, ann)
    catalogue.deactivate("PROD-PREMIUM", ann)
    catalogue.create("theirs", fields(name="Entry"), ann)
    assert output("seed_products") == "0 created, 5 there already"
    assert catalogue.newest("PROD-ENTRY").name == "Starter"
    assert not catalogue.newest("PROD-PREMIUM").active
    assert catalogue.newest("ours").version == 1


def test_a_rebuilt_index_holds_each_record_as_it_is_now(
    world: World, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    for product_id, name in (
        ("p1", "Gold hosting"),
        ("p2", "Silver hosting"),
        ("p3", "Not stored yet"),
    ):
        catalogue.create(product_id, fields(name=name), ann)
    for product_id in ("p1", "p2"):
        pipeline.store(product_id, 1)
    assert output("rebuild_search_index") == "2 products in the new index"
    catalogue.update("p1", {"name": "Golden hosting"}, ann)
    catalogue.deactivate("p2", ann)
    for product_id in ("p1", "p2"):
        pipeline.store(product_id, 2)
    assert output("rebuild_search_index") == "2 products in the new index"
    documents = {product_id: world.document(product_id) for product_id in ("p1", "p2", "p3")}
    assert documents["p3"] is None
    assert documents["p1"]
    assert documents["p2"]
    assert (documents["p1"]["name"], documents["p1"]["version"]) == ("Golden hosting", 2)
    assert documents["p2"]["active"] is False
    found = catalogue.search(ListQuery(text="hosting", by_relevance=True), staff=False)
    assert [product.product_id for product in found.products] == ["p1"]


def test_an_index_that_is_gone_is_filled_from_the_records(
    world: World, catalogue: Catalogue
) -> None:
    output("seed_products")
    world.work()
    world.opensearch.indices.delete(index=f"{world.alias}-1")
    assert (index_records(), index_records()) == (5, 0)  # as `make run` does at its start
    world.opensearch.indices.delete(index=f"{world.alias}-1")
    assert output("rebuild_search_index") == "5 products in the new index"
    assert [
        p.product_id for p in catalogue.search(ListQuery(text="enterprise"), staff=False).products
    ] == ["PROD-ENTERPRISE"]


def test_open_changes_are_rung_for_on_demand(
    world: World, catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    world.empty_queues()
    assert output("requeue_open_changes", failed=True) == "requeued 1 changes"
    world.work()
    assert world.record("p1")
