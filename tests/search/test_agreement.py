"""The embedded engine answers every request of the product as a real OpenSearch node does."""

import ast
import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from opensearchpy import OpenSearch

from deploy.local.engines import ROOT, Engines
from products.adapters.opensearch import queries
from products.adapters.opensearch.faults import STATES
from products.adapters.opensearch.queries import ids_in
from products.lists import ListQuery
from tests.plugin import GIVEN
from tests.search import scenario
from tests.search.comparison import UNREAD, differences
from tests.search.recording import Recorded, call_sites, recorded_requests
from tests.support.world import World

pytestmark = pytest.mark.engines
real_node = pytest.mark.skipif("OPENSEARCH_URL" not in GIVEN, reason="needs a real OpenSearch node")


@pytest.fixture
def recorded(world: World, settings: Any) -> list[Recorded]:
    """Return the requests of a life of the index, on the index that the tests use."""
    settings.SEARCH_ALIAS = f"{world.alias}-recorded"
    with recorded_requests() as requests:
        scenario.live(world.opensearch, settings.SEARCH_ALIAS)
    return requests


def renamed(requests: list[Recorded], world: World) -> Iterator[Recorded]:
    """Yield the requests for an alias that no engine has yet."""
    for request in requests:
        text = json.dumps([request.path, request.params, request.body])
        path, params, body = json.loads(
            text.replace(f"{world.alias}-recorded", f"{world.alias}-replayed")
        )
        yield replace(request, path=path, params=params, body=body)


def test_every_call_to_search_is_recorded(recorded: list[Recorded]) -> None:
    sent = {request.site for request in recorded}
    assert sorted(map(str, call_sites() - sent)) == []
    assert len(call_sites()) >= 20


def test_every_part_of_a_list_is_recorded() -> None:
    """A search reads parts of a list; the recorded lists differ in each of them."""
    tree = ast.parse(Path(queries.__file__).read_text())
    read = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "listing"
    }
    names = {field.name for field in fields(ListQuery)}
    varied = {
        name
        for name in names
        if len({getattr(listing, name) for listing in scenario.LISTINGS.values()}) > 1
    }
    assert read <= names
    assert read - varied == {"text"}  # scenario.TEXTS


@real_node
def test_both_engines_answer_each_request_alike(
    recorded: list[Recorded], world: World, engines: Engines
) -> None:
    embedded = OpenSearch(engines.search_url)
    found: list[str] = []
    for request in renamed(recorded, world):
        answers = request.send(world.opensearch), request.send(embedded)
        found += [
            f"{request.site or 'a test'} ({request.method} {request.path}): {difference}"
            for difference in differences(request, *answers)
        ]
    embedded.indices.delete(index=f"{world.alias}-replayed-*", ignore=[404])
    assert found == []


def test_accepted_differences_are_documented() -> None:
    page = (ROOT / "docs" / "engines.md").read_text()
    for unread in UNREAD:
        assert f"| {unread.name} | {unread.reason} |" in page


def test_known_states_are_documented() -> None:
    page = (ROOT / "docs" / "engines.md").read_text()
    for state in STATES:
        error = state.error or "alias … missing"
        rebuild = "waits" if state.passes else "ends"
        assert f"| {state.name} | `{error}` | {state.sentence} | {rebuild} |" in page


def test_equal_scores_are_in_the_order_of_their_ids() -> None:
    def response(*hits: tuple[str, float | None]) -> dict[str, Any]:
        found = [{"_score": score, "fields": {"productId": [one]}} for one, score in hits]
        return {"hits": {"hits": found}}

    assert ids_in(response(("b", 2.0), ("d", 1.5), ("a", 1.5))) == ["b", "a", "d"]
    assert ids_in(response(("b", None), ("a", None))) == ["b", "a"]  # by price, for example
