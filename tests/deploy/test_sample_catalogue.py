"""The sample products of `make run`: complete, honest about their effects, never overwritten."""

import pytest

from deploy.local.engines import EngineFailed
from deploy.local.sample_catalogue import SampleCatalogue, read_sample_size, sample_product
from products import maintenance
from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.changes import Effect, Origin
from products.lists import ListQuery
from products.pipeline import Pipeline
from tests.plugin import search_address
from tests.support.delivery import deliver
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


@pytest.fixture
def samples(world: World) -> SampleCatalogue:
    return SampleCatalogue(world.table, search_address(), world.alias)


def test_sample_products_are_complete(
    samples: SampleCatalogue, world: World, catalogue: Catalogue
) -> None:
    assert samples.load(70) == 70
    world.opensearch.indices.refresh(index=world.alias)
    receipt = catalogue.receipt("b0000042", 1)
    assert receipt.after == catalogue.public("b0000042") == sample_product(42)
    assert receipt.status == "complete"
    assert {effect: receipt.state(effect) for effect in Effect} == {
        Effect.STORED: "done",
        Effect.SEARCHABLE: "done",
        Effect.AUDITED: "not configured",
        Effect.PURGED: "not configured",
    }
    assert "without audit record" in receipt.origin.reason
    listing = ListQuery(text="hosting studio 65", by_relevance=True)
    assert catalogue.search(listing, staff=True).products[0].product_id == "b0000065"
    (named,) = catalogue.by_names(["hosting mail 42"]).values()
    assert named == receipt.after
    batches = maintenance.verification().walk()
    assert [difference for batch in batches for difference in batch.differences] == []


def test_loading_again_adds_only_missing_products(
    samples: SampleCatalogue,
    catalogue: Catalogue,
    acceptance: Acceptance,
    pipeline: Pipeline,
    ann: Origin,
) -> None:
    samples.load(10)
    acceptance.update("b0000003", {"price": "7.00"}, ann)
    deliver(pipeline.store, "b0000003", 2)
    assert (samples.load(12), samples.load(12)) == (2, 0)
    assert [change.version for change in catalogue.history("b0000003")] == [2, 1]
    assert str(catalogue.public("b0000003").price) == "7.00"


def test_the_number_of_samples_must_be_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAMPLE_PRODUCTS", raising=False)
    assert read_sample_size() == 0
    monkeypatch.setenv("SAMPLE_PRODUCTS", "1000000")
    assert read_sample_size() == 1_000_000
    monkeypatch.setenv("SAMPLE_PRODUCTS", "many")
    with pytest.raises(EngineFailed, match="SAMPLE_PRODUCTS must be a number, not 'many'"):
        read_sample_size()
