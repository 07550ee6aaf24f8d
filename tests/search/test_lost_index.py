"""An index that is missing, empty or of another's making: nobody is served from it unnoticed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError

from deploy.local.engines import exit_on_engine_failure
from products import bootstrap, maintenance
from products.acceptance import Acceptance
from products.adapters.opensearch import queries
from products.adapters.opensearch.documents import INDEX_BODY
from products.adapters.opensearch.index import OpenSearchIndex
from products.catalogue import Catalogue
from products.changes import Effect, Origin
from products.errors import DependencyNeedsOperator, DependencyUnavailable
from products.lists import ListQuery
from products.pipeline import Pipeline
from products.reconciliation.differences import Kind
from tests.plugin import GIVEN
from tests.search.rebuilding import HOSTING, found_count
from tests.support.admin_client import sign_in
from tests.support.builders import fields
from tests.support.commands import output
from tests.support.delivery import deliver
from tests.support.tampering import NO_GRACE, complete_effects
from tests.support.world import World

pytestmark = [pytest.mark.engines, pytest.mark.django_db]


def lose_index(world: World) -> None:
    world.opensearch.indices.delete(index=f"{world.alias}-1")


def lose_documents(world: World) -> None:
    lose_index(world)
    OpenSearchIndex(world.opensearch, world.alias).ensure()


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("lose", "sentence"),
    [
        (lose_index, "no index has the alias of the search; run rebuild_search_index"),
        (lose_documents, "has an empty search index; if there are products, run rebuild"),
    ],
)
def test_a_search_of_a_lost_index_reads_the_table(
    catalogue: Catalogue,
    world: World,
    caplog: pytest.LogCaptureFixture,
    lose: Callable[[World], None],
    sentence: str,
) -> None:
    lose(world)
    found = catalogue.search(HOSTING, staff=False)
    assert len(found.products) == 12
    assert found.freshness
    assert not found.freshness.from_index
    (record,) = [record for record in caplog.records if record.msg == "search without the index"]
    assert (record.levelname, sentence in vars(record)["fault"]) == ("WARNING", True)
    assert output("rebuild_search_index") == "12 products in the new index"
    assert found_count() == 12


def test_a_search_without_matches_is_answered_by_the_index(
    shelf: None, catalogue: Catalogue
) -> None:
    found = catalogue.search(ListQuery(text="nothing", by_relevance=True), staff=False)
    assert found.products == []
    assert found.freshness
    assert found.freshness.from_index


@pytest.mark.django_db
def test_a_missing_index_is_reported_by_readiness_and_the_drift_scan(
    shelf: None, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    lose_index(world)
    body = sign_in("vera", "Product viewers").get("/readyz").json()
    assert (body["status"], body["dependencies"]["opensearch"]) == ("degraded", "away")
    (record,) = [record for record in caplog.records if record.msg == "dependency unavailable"]
    assert "no index has the alias" in vars(record)["fault"]
    running = maintenance.drift_scan().step().running
    assert running
    assert "no index has the alias" in running.interrupted


def test_an_empty_index_is_reported_by_the_drift_scan(
    shelf: None, pipeline: Pipeline, world: World
) -> None:
    for number in range(12):
        complete_effects(pipeline, f"p{number:02}", 1)
    lose_documents(world)
    scan = replace(maintenance.drift_scan(), verification=maintenance.verification(NO_GRACE))
    last = scan.step().last
    assert last
    assert last.difference_count == 12
    assert {difference.kind for difference in last.kept_differences} == {Kind.DOCUMENT_MISSING}


def test_an_alias_on_two_indexes_is_reported_by_readiness(world: World) -> None:
    body: dict[str, Any] = {"aliases": {world.alias: {}}}
    world.opensearch.indices.create(index=f"{world.alias}-2", body=body)
    with pytest.raises(DependencyNeedsOperator, match="on several indexes; run rebuild_search"):
        OpenSearchIndex(world.opensearch, world.alias).ping()


def test_a_refused_query_is_logged_and_the_table_is_read(
    shelf: None,
    catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(queries, "NAME_BEGINS_WEIGHT", "much")
    assert len(catalogue.search(HOSTING, staff=False).products) == 12
    (record,) = [record for record in caplog.records if record.msg == "search without the index"]
    assert record.levelname == "ERROR"
    assert "much" in vars(record)["fault"]


# An index of an earlier version


@pytest.fixture
def old_index(shelf: None, world: World) -> None:
    """Replace the index by one without the words that searches compare."""
    mappings: dict[str, Any] = INDEX_BODY["mappings"]
    fields = {name: field for name, field in mappings["properties"].items() if name != "words"}
    body = INDEX_BODY | {"mappings": mappings | {"properties": fields}}
    world.opensearch.indices.delete(index=f"{world.alias}-1")
    world.opensearch.indices.create(
        index=f"{world.alias}-1", body=body | {"aliases": {world.alias: {}}}
    )
    world.opensearch.index(index=world.alias, body={"productId": "old"}, params={"refresh": "true"})


def test_changes_wait_for_the_rebuild_of_an_older_index(old_index: None) -> None:
    with pytest.raises(DependencyUnavailable, match="lacks fields of this version"):
        deliver(bootstrap.pipeline().index, "p00", 1)
    assert bootstrap.catalogue().receipt("p00", 1).state(Effect.SEARCHABLE) != "failed"
    assert "12 products in the new index" in output("rebuild_search_index", "--if-needed")
    deliver(bootstrap.pipeline().index, "p00", 1)
    assert bootstrap.catalogue().receipt("p00", 1).state(Effect.SEARCHABLE) == "done"
    assert "has products and all fields" in output("rebuild_search_index", "--if-needed")


def test_a_search_of_an_older_index_reads_the_table(old_index: None, catalogue: Catalogue) -> None:
    page = catalogue.search(HOSTING, staff=False)
    assert len(page.products) == 12
    assert page.freshness
    assert not page.freshness.from_index


# A name that is taken


@pytest.fixture(params=["index", "data stream"])
def taken(request: pytest.FixtureRequest, world: World) -> Any:
    """Give the alias's name to something else, as another tool's first write does."""
    if request.param == "data stream" and "OPENSEARCH_URL" not in GIVEN:
        pytest.skip("the embedded engine has no data streams")
    lose_index(world)
    indices = world.opensearch.indices
    if request.param == "index":
        indices.create(index=world.alias)
        yield world
        indices.delete(index=world.alias)
        return
    template = {"index_patterns": [world.alias], "data_stream": {}}
    indices.put_index_template(name=world.alias, body=template)
    indices.create_data_stream(name=world.alias)
    yield world
    indices.delete_data_stream(name=world.alias)
    indices.delete_index_template(name=world.alias)


def test_a_taken_name_ends_commands_with_a_sentence(
    taken: World, quiet: Acceptance, pipeline: Pipeline, ann: Origin
) -> None:
    sentence = (
        f"OpenSearch has an index or a data stream named {taken.alias}, which must be the name of"
        f" the alias. If nobody needs it, delete it: DELETE /{taken.alias}, or"
        f" DELETE /_data_stream/{taken.alias}. Then run rebuild_search_index."
    )
    with pytest.raises(CommandError) as ended:
        output("rebuild_search_index")
    assert str(ended.value) == f"{sentence} Nothing is lost."
    with pytest.raises(DependencyUnavailable) as refused:
        OpenSearchIndex(taken.opensearch, taken.alias).ensure()
    assert str(refused.value) == sentence
    with pytest.raises(SystemExit) as exited, exit_on_engine_failure():
        maintenance.index_records()  # as `make run` does
    assert str(exited.value).strip() == sentence
    quiet.create("p1", fields(), ann)
    with pytest.raises(DependencyUnavailable, match="no index has the alias"):
        deliver(pipeline.index, "p1", 1)
    assert bootstrap.catalogue().receipt("p1", 1).state(Effect.SEARCHABLE) == "retrying"
