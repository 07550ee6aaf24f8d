"""The management commands: their effects and their refusals."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client

from products import scheduling
from products.acceptance import Acceptance
from products.access import tokens
from products.catalogue import Catalogue
from products.changes import Origin
from products.lists import ListQuery
from products.maintenance import index_records
from products.models import ApiToken
from products.pipeline import Pipeline
from products.plans.drafts import Draft, DraftRow
from tests.support.builders import fields
from tests.support.commands import output
from tests.support.delivery import deliver
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def test_token_carries_the_permissions_of_its_user_and_is_listed(world: World) -> None:
    user = User.objects.create(username="ed")
    user.groups.add(Group.objects.get(name="Product editors"))
    token = output("issue_token", "ed", days=2, label="portal")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["sub"] == "ed"
    assert claims["permissions"] == [
        f"products.{verb}_product" for verb in ("add", "change", "plan", "view")
    ]
    assert tokens.verify(token).get_username() == "ed"
    headers = {"Authorization": f"Bearer {token}"}
    staff_only = Client().get("/v1.0/products?active=all", headers=headers)
    assert staff_only.status_code == 200
    listed = ApiToken.objects.get()
    assert (listed.pk, listed.label, listed.user) == (claims["jti"], "portal", user)
    assert timedelta() <= listed.expires_at - datetime.now(UTC) <= timedelta(days=2)


def test_token_lives_thirty_days_by_default(world: World) -> None:
    User.objects.create(username="ann")
    claims = jwt.decode(output("issue_token", "ann"), options={"verify_signature": False})
    assert (claims["exp"] - claims["iat"], claims["permissions"]) == (30 * 24 * 60 * 60, [])


@pytest.mark.parametrize("days", [0, -1, 367, float("nan"), float("inf"), 1e12])
def test_token_with_an_invalid_lifetime_is_not_issued(days: float) -> None:
    User.objects.create(username="ann")
    with pytest.raises(CommandError, match="must be more than 0 and at most 366"):
        output("issue_token", "ann", days=days)
    assert not ApiToken.objects.exists()


def test_only_active_users_get_a_token() -> None:
    User.objects.create(username="ann", is_active=False)
    for name in ("ann", "Ann", "nobody", ""):
        with pytest.raises(CommandError, match=f"no active user '{name}'"):
            output("issue_token", name)
    with pytest.raises(CommandError, match="--days"):
        call_command("issue_token", "ann", "--days", "soon")


def test_seed_products_are_ordinary_writes(world: World, catalogue: Catalogue) -> None:
    assert output("seed_products") == "5 created, 0 already exist"
    receipt = catalogue.receipt("PROD-ENTERPRISE", 1)
    assert (receipt.origin.actor, receipt.origin.source) == ("seed", "command")
    assert receipt.status == "accepted"
    assert world.depth(world.queue("products.persist")) == 5
    assert output("seed_products") == "0 created, 5 already exist"
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


def test_seed_keeps_the_changes_of_staff(
    world: World, acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    acceptance.create("ours", fields(name="Basic"), ann)
    assert output("seed_products") == "4 created, 1 already exist"
    acceptance.update("PROD-ENTRY", {"name": "Starter", "price": "99"}, ann)
    acceptance.deactivate("PROD-PREMIUM", ann)
    acceptance.create("theirs", fields(name="Entry"), ann)
    assert output("seed_products") == "0 created, 5 already exist"
    assert catalogue.newest("PROD-ENTRY").name == "Starter"
    assert not catalogue.newest("PROD-PREMIUM").active
    assert catalogue.newest("ours").version == 1


def test_rebuilt_index_holds_the_current_records(
    world: World, acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    names = {"p1": "Gold hosting", "p2": "Silver hosting", "p3": "Not stored yet"}
    for product_id, name in names.items():
        acceptance.create(product_id, fields(name=name), ann)
    for product_id in ("p1", "p2"):
        deliver(pipeline.store, product_id, 1)
    assert output("rebuild_search_index") == "2 products in the new index"
    acceptance.update("p1", {"name": "Golden hosting"}, ann)
    acceptance.deactivate("p2", ann)
    for product_id in ("p1", "p2"):
        deliver(pipeline.store, product_id, 2)
    assert output("rebuild_search_index") == "2 products in the new index"
    documents = {product_id: world.document(product_id) for product_id in ("p1", "p2", "p3")}
    assert documents["p3"] is None
    assert documents["p1"]
    assert documents["p2"]
    assert (documents["p1"]["name"], documents["p1"]["version"]) == ("Golden hosting", 2)
    assert documents["p2"]["active"] is False
    found = catalogue.search(ListQuery(text="hosting", by_relevance=True), staff=False)
    assert [product.product_id for product in found.products] == ["p1"]


def test_missing_index_is_filled_from_the_records(world: World, catalogue: Catalogue) -> None:
    output("seed_products")
    world.work()
    world.opensearch.indices.delete(index=f"{world.alias}-1")
    assert (index_records(), index_records()) == (5, 0)  # as `make run` does when it starts
    world.opensearch.indices.delete(index=f"{world.alias}-1")
    assert output("rebuild_search_index") == "5 products in the new index"
    found = catalogue.search(ListQuery(text="enterprise"), staff=False)
    assert [product.product_id for product in found.products] == ["PROD-ENTERPRISE"]


def test_open_changes_are_requeued_on_demand(
    world: World, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    world.empty_queues()
    assert output("requeue_open_changes", failed=True) == "requeued 1 changes"
    world.work()
    assert world.record("p1")


def test_due_plans_are_listed_and_made_on_demand(
    world: World, acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    acceptance.create("p1", fields(price="100"), ann)
    assert output("switch_plans") == "none"
    rows = [DraftRow(product_id="p1", edits={"price": "80"})]
    for name, start in (("Sale", None), ("Later", datetime.now(UTC) + timedelta(hours=1))):
        draft = Draft(name=name, rows=rows, starts_at=start, ends_at=None, zone="UTC")
        scheduling.plans().create(draft, ann)
    first, second = output("switch_plans").splitlines()
    assert "1 products  Sale (ann)  OVERDUE by" in first
    assert second.endswith("Later (ann)")
    assert "Sale: 1 applied; late by" in output("switch_plans", "--due")
    assert catalogue.newest("p1").price == 80
    assert output("switch_plans", "--due") == "nothing was due"
