"""The management commands, as an operator runs them."""

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from products.catalogue import Catalogue
from products.changes import Origin
from products.listing import Listing
from tests.builders import fields
from tests.conftest import forget_wiring
from tests.worlds import World

pytestmark = pytest.mark.django_db


def output(*arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue().strip()


def test_a_token_is_issued_to_a_user_and_works(world: World) -> None:
    User.objects.create_superuser("root")
    token = output("issue_token", "root", days=1)
    response = Client().get("/v1.0/products?active=all", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 200
    with pytest.raises(CommandError, match="no active user 'nobody'"):
        output("issue_token", "nobody")


def test_the_seed_is_written_once(world: World, catalogue: Catalogue) -> None:
    assert output("seed_products") == "5 created, 0 there already"
    assert output("seed_products") == "0 created, 5 there already"
    world.work()
    periods = {product.product_id: product.shown_period for product in catalogue.page(Listing()).products}
    assert periods == {
        "PROD-ENTRY": "per domain/year",
        "PROD-BASIC": "once-off + R1000/year",
        "PROD-STANDARD": "once-off + R1500/year",
        "PROD-PREMIUM": "once-off + R2500/year",
        "PROD-ENTERPRISE": "once-off + R3500/year",
    }


def test_the_search_index_is_filled_from_the_records(world: World, catalogue: Catalogue, settings: Any) -> None:
    output("seed_products")
    world.work()
    world.opensearch.indices.delete(index=f"{world.alias}-1")
    assert output("rebuild_search_index") == "5 indexed"
    assert output("rebuild_search_index") == "0 indexed"
    assert [p.product_id for p in catalogue.search(Listing(text="enterprise"), staff=False).products] == [
        "PROD-ENTERPRISE"
    ]
    settings.ENABLE_OPENSEARCH = False
    forget_wiring()
    with pytest.raises(CommandError, match="ENABLE_OPENSEARCH is off"):
        output("rebuild_search_index")


def test_open_changes_are_rung_for_on_demand(world: World, catalogue: Catalogue, ann: Origin) -> None:
    catalogue.create("p1", fields(), ann)
    world.empty_queues()
    assert output("ring_open_changes", failed=True) == "rung for 1 changes"
    world.work()
    assert world.record("p1")
