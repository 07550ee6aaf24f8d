"""A rebuild waits while OpenSearch is unavailable, and gives way to a later rebuild."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from products import bootstrap, maintenance, reindex
from products.acceptance import Acceptance
from products.adapters.opensearch import documents
from products.adapters.opensearch.index import OpenSearchIndex, connect
from products.changes import Origin
from products.errors import DependencyNeedsOperator, DependencyUnavailable
from products.retries import PAUSES
from tests.gameday.fault_proxy import LOSE, PASS, RESET, Action, Proxy, Replace, Request
from tests.plugin import address, search_address
from tests.search.rebuilding import Pauses, found_count, indexes, no_progress, rebuild_at
from tests.support.builders import fields
from tests.support.commands import output
from tests.support.delivery import deliver
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = [pytest.mark.engines, pytest.mark.usefixtures("shelf")]


def once_each(action: Action) -> Callable[[Request], Action]:
    """Return a fault of the first request to each address."""
    seen: set[tuple[str, str]] = set()

    def fault(request: Request) -> Action:
        address = request.method, request.path.partition("?")[0]
        is_new = address not in seen
        seen.add(address)
        return action if is_new else PASS

    return fault


@pytest.mark.parametrize("action", [429, 503, 403, RESET, LOSE])
def test_a_rebuild_survives_a_fault_of_each_request(
    world: World, search: Proxy, action: Action
) -> None:
    search.fault = once_each(action)
    pauses = Pauses()
    assert rebuild_at(search.url, world, pauses).run("2", no_progress) == 12
    assert len(pauses.seconds) >= 8
    assert set(pauses.seconds) <= set(PAUSES[:3])
    assert found_count() == 12
    search.fault = lambda request: PASS
    rebuild_at(search.url, world, pauses).run("3", no_progress)
    assert indexes(world) == {f"{world.alias}-3": [world.alias]}


def test_a_rebuild_gives_up_after_ten_minutes_and_changes_nothing(
    world: World, search: Proxy
) -> None:
    search.fault = lambda request: 503 if request.path.startswith("/_bulk") else PASS
    pauses = Pauses()
    with pytest.raises(DependencyUnavailable, match="OpenSearch does not serve us: injected fault"):
        rebuild_at(search.url, world, pauses).run("2", no_progress)
    assert pauses.seconds == list(PAUSES)
    assert sum(pauses.seconds) == pytest.approx(600, abs=5)
    assert max(pauses.seconds) == 30
    assert found_count() == 12
    assert output("rebuild_search_index") == "12 products in the new index"
    assert list(indexes(world).values()) == [[world.alias]]


def test_a_fill_may_take_longer_than_a_single_write(
    world: World, search: Proxy, settings: Any
) -> None:
    """A merge of segments can make a bulk request last longer than the five seconds of a write."""
    search.fault = lambda request: 5.5 if request.path.startswith("/_bulk") else PASS
    settings.OPENSEARCH_URL = search.url
    forget_wiring()
    seeded: list[int] = []
    thread = threading.Thread(target=lambda: seeded.append(maintenance.index_records()))
    thread.start()
    rebuild = maintenance.reindex()
    assert rebuild
    assert rebuild.run("2", no_progress) == 12
    thread.join()
    assert seeded == [0]


def test_requests_of_a_rebuild_have_a_largest_size(
    world: World, search: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MAX_BULK_BYTES", 4_000)
    assert rebuild_at(search.url, world, Pauses()).run("2", no_progress) == 12
    sizes = [len(request.body) for request in search.seen if request.path.startswith("/_bulk")]
    assert 2_000 < max(sizes) < 4_100
    monkeypatch.setattr(documents, "MAX_BULK_BYTES", 10)
    assert rebuild_at(search.url, world, Pauses()).run("3", no_progress) == 12


def test_a_seeding_waits_for_the_index(
    world: World, search: Proxy, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    search.fault = lambda request: once(request) if request.path.startswith("/_bulk") else PASS
    once = once_each(429)
    settings.OPENSEARCH_URL = search.url
    forget_wiring()
    pauses = Pauses()
    monkeypatch.setattr(maintenance, "sleep", pauses)
    assert maintenance.index_records() == 0
    assert pauses.seconds == [PAUSES[0]]


# The table


@pytest.fixture
def table(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Start a proxy in front of DynamoDB, which injects faults."""
    proxy = Proxy(address("dynamodb"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
    forget_wiring()
    yield proxy
    proxy.close()


@pytest.mark.parametrize("action", [500, RESET])
def test_a_rebuild_survives_faults_of_the_table(
    world: World,
    table: Proxy,
    quiet: Acceptance,
    ann: Origin,
    monkeypatch: pytest.MonkeyPatch,
    action: Action,
) -> None:
    """In the middle of the walk, calls of each kind fail until the rebuild has waited."""
    quiet.create("only-indexed", fields(name="Hosting without a record"), ann)
    deliver(bootstrap.pipeline().index, "only-indexed", 1)
    monkeypatch.setattr(reindex, "PAGE_SIZE", 5)
    monkeypatch.setattr(reindex, "BATCH_SIZE", 5)
    first_to_fail = {"Query": 2, "BatchGetItem": 2, "GetItem": 1}
    counts: Counter[str] = Counter()

    def fault(request: Request) -> Action:
        counts[request.operation] += 1
        is_failing = counts[request.operation] >= first_to_fail.get(request.operation, 100)
        return action if is_failing else PASS

    def end_faults() -> None:
        for operation in [one for one in first_to_fail if counts[one] >= first_to_fail[one]]:
            del first_to_fail[operation]

    table.fault = fault
    pauses = Pauses(end_faults)
    rebuild = rebuild_at(search_address(world.engines), world, pauses)
    assert rebuild.run("2", no_progress) == 13
    assert (pauses.seconds, first_to_fail) == ([PAUSES[0]] * 3, {})
    assert found_count() == 13


# Two rebuilds


def run_together(
    world: World, number: str, barrier: threading.Barrier, outcomes: list[int | str]
) -> None:
    """Run a rebuild as soon as all others can; append its count or the sentence of its end."""
    rebuild = rebuild_at(search_address(world.engines), world, Pauses())
    barrier.wait()
    try:
        outcomes.append(rebuild.run(number, no_progress))
    except DependencyNeedsOperator as fault:
        outcomes.append(str(fault))


def test_two_rebuilds_at_once_leave_one_complete_index(world: World) -> None:
    for round_number in range(1, 6):
        barrier = threading.Barrier(2)
        outcomes: list[int | str] = []

        threads = [
            threading.Thread(target=run_together, args=(world, number, barrier, outcomes))
            for number in (f"{round_number}0", f"{round_number}1")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 12 in outcomes
        sentences = {str(outcome) for outcome in outcomes if outcome != 12}
        assert all("belongs to no rebuild any more" in sentence for sentence in sentences)
        assert found_count() == 12
        assert [aliases for aliases in indexes(world).values() if aliases] == [[world.alias]]
    output("rebuild_search_index")
    assert list(indexes(world).values()) == [[world.alias]]


def test_a_rebuild_that_begins_during_a_switch_never_loses_the_index(
    world: World, search: Proxy
) -> None:
    second = rebuild_at(search_address(world.engines), world, Pauses()).index

    def begin_second(request: Request) -> Action:
        if request.path == "/_aliases":
            search.fault = lambda request: PASS
            second.begin("3")
        return PASS

    search.fault = begin_second
    with pytest.raises(DependencyNeedsOperator, match="belongs to no rebuild any more"):
        rebuild_at(search.url, world, Pauses()).run("2", no_progress)
    assert found_count() == 12
    assert indexes(world) == {
        f"{world.alias}-1": [world.alias],
        f"{world.alias}-3": [f"{world.alias}-next"],
    }


def test_an_overtaken_rebuild_ends_at_its_next_batch(world: World) -> None:
    first = rebuild_at(search_address(world.engines), world, Pauses()).index
    first.begin("2")
    rebuild_at(search_address(world.engines), world, Pauses()).index.begin("3")
    records = bootstrap.table().records(["p00"]).values()
    with pytest.raises(DependencyNeedsOperator, match="belongs to no rebuild any more"):
        first.fill("2", records)


def test_a_write_is_sent_again_when_its_index_was_replaced(world: World, search: Proxy) -> None:
    """A rebuild may delete the index after OpenSearch has resolved the alias of a write."""
    gone = {"type": "index_not_found_exception", "reason": f"no such index [{world.alias}-1]"}
    items = [{"index": {"_id": "p00", "status": 404, "error": gone}}] * 2
    answers = [Replace((), json.dumps({"items": items}).encode())]
    search.fault = lambda request: answers.pop() if answers else PASS
    newer = replace(bootstrap.table().records(["p00"])["p00"], version=2)
    OpenSearchIndex(connect(search.url), world.alias).put([newer])
    assert world.opensearch.get(index=world.alias, id="p00")["_version"] == 2


# States that an operator ends


def test_a_rebuild_ends_the_states_of_a_wrong_alias(world: World) -> None:
    world.opensearch.indices.create(index=f"{world.alias}-2", body={"aliases": {world.alias: {}}})
    rebuild_at(search_address(world.engines), world, Pauses()).run("3", no_progress)
    assert indexes(world) == {f"{world.alias}-3": [world.alias]}
    world.opensearch.indices.delete_alias(index=f"{world.alias}-3", name=world.alias)
    rebuild_at(search_address(world.engines), world, Pauses()).run("4", no_progress)
    assert indexes(world) == {f"{world.alias}-4": [world.alias]}
    assert found_count() == 12
