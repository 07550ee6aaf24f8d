"""A node of our own that is killed, full, or comes back empty: changes wait, rebuilds go on."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from opensearchpy import OpenSearch, exceptions

from deploy.local.engines import kill_group
from deploy.local.java_engines import OpenSearchNode
from products import bootstrap, maintenance
from products.acceptance import Acceptance
from products.adapters.opensearch.index import OpenSearchIndex
from products.changes import Effect, Origin
from products.errors import DependencyUnavailable
from products.product import Product
from tests.plugin import GIVEN
from tests.search.rebuilding import HOSTING, Pauses, found_count, no_progress, rebuild_at
from tests.support.builders import fields
from tests.support.commands import output
from tests.support.delivery import deliver
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = [
    pytest.mark.engines,
    pytest.mark.needs("opensearch"),
    pytest.mark.timeout(600),  # a node starts in 7 s, or in 100 s on a busy machine
    pytest.mark.skipif("OPENSEARCH_URL" not in GIVEN, reason="make test-engines starts nodes"),
]
SMALL_QUEUE = "thread_pool.write.size: 1\nthread_pool.write.queue_size: 1\n"


@dataclass
class Node:
    """A node that a test may kill. Only one request can write, and one can wait."""

    engine: OpenSearchNode

    def start(self) -> None:
        """Start the node and wait until it serves its indexes."""
        self.engine.start()
        self.client.cluster.health(params={"wait_for_status": "yellow"})

    def kill(self) -> None:
        assert self.engine.process
        kill_group(self.engine.process)

    def restart(self) -> None:
        self.kill()
        self.start()

    def restart_empty(self) -> None:
        self.kill()
        shutil.rmtree(self.engine.home / "data")
        self.start()

    @property
    def client(self) -> OpenSearch:
        return OpenSearch(self.engine.url, timeout=90)

    def change_settings(self, **settings: object) -> None:
        dotted = {name.replace("__", "."): value for name, value in settings.items()}
        self.client.cluster.put_settings(body={"transient": dotted})


@pytest.fixture(scope="module")
def shared_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    home: Path = tmp_path_factory.mktemp("node")
    (home / "config").mkdir()
    (home / "config" / "opensearch.yml").write_text(SMALL_QUEUE)
    node = Node(OpenSearchNode(home=home, heap="512m"))
    node.start()
    yield node
    node.engine.stop()


@pytest.fixture
def node(world: World, shared_node: Node, settings: Any) -> Node:
    """Let the product use the node of its own."""
    settings.OPENSEARCH_URL = shared_node.engine.url
    forget_wiring()
    OpenSearchIndex(shared_node.client, world.alias).ensure()
    return shared_node


@dataclass
class Writers:
    """Threads that edit products and index each change, until ``stop``."""

    acceptance: Acceptance
    ann: Origin
    done: threading.Event = field(default_factory=threading.Event)
    written: dict[str, int] = field(default_factory=dict)
    failures: int = 0

    def start(self, product_ids: list[str]) -> None:
        self.threads = [threading.Thread(target=self._write, args=(one,)) for one in product_ids]
        for thread in self.threads:
            thread.start()

    def _write(self, product_id: str) -> None:
        pipeline = bootstrap.pipeline()
        while not self.done.is_set() and self.written.get(product_id, 0) < 90:
            price = f"{self.written.get(product_id, 0) + 1}.50"
            version = self.acceptance.update(product_id, {"price": price}, self.ann).product.version
            deliver(pipeline.store, product_id, version)
            self.written[product_id] = version
            try:
                deliver(pipeline.index, product_id, version)
            except DependencyUnavailable:
                self.failures += 1

    def stop(self) -> None:
        self.done.set()
        for thread in self.threads:
            thread.join()


def index_waiting(versions: dict[str, int]) -> None:
    """Index the changes whose documents are missing, as the queue does after a while."""
    for product_id, newest in versions.items():
        for version in range(1, newest + 1):
            change = bootstrap.catalogue().receipt(product_id, version)
            if Effect.SEARCHABLE in change.open:
                deliver(bootstrap.pipeline().index, product_id, version)


def versions_of(product_ids: list[str]) -> dict[str, int]:
    index = maintenance.verification().documents
    assert index
    observed = index.documents(product_ids)
    return {product_id: found.version or 0 for product_id, found in observed.items()}


def test_all_changes_are_searchable_after_a_kill(
    node: Node, shelf: None, quiet: Acceptance, ann: Origin
) -> None:
    writers = Writers(quiet, ann)
    writers.start(["p00", "p01", "p02"])
    try:
        wait_until(lambda: len(writers.written) == 3)
        node.kill()
        wait_until(lambda: writers.failures > 0)
    finally:
        writers.stop()
        node.start()
    index_waiting(writers.written)
    assert versions_of(sorted(writers.written)) == writers.written
    assert found_count() == 12


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, for at most 30 seconds."""
    clock = threading.Event()
    for _ in range(3000):
        if condition():
            return
        clock.wait(0.01)
    raise AssertionError("the condition did not come true")


def test_a_rebuild_continues_after_a_restart_of_the_node(
    node: Node, shelf: None, world: World
) -> None:
    def kill_midway(products: Iterator[Product]) -> Iterator[Product]:
        yield next(products)
        node.kill()
        yield from products

    pauses = Pauses(meanwhile=node.start)
    rebuild = rebuild_at(node.engine.url, world, pauses)
    assert rebuild.run("2", kill_midway) == 12
    assert len(pauses.seconds) >= 1
    assert found_count() == 12


def test_a_rebuild_waits_for_a_full_write_queue(node: Node, shelf: None, world: World) -> None:
    """Others keep the only writing thread and the queue busy until the rebuild has paused."""
    done = threading.Event()
    threads = [threading.Thread(target=write_much, args=(node, done)) for _ in range(6)]

    def end_writes() -> None:
        done.set()
        for thread in threads:
            thread.join()

    pauses = Pauses(meanwhile=end_writes)
    for thread in threads:
        thread.start()
    try:
        number = 2
        while not pauses.seconds:
            assert number < 200
            assert rebuild_at(node.engine.url, world, pauses).run(str(number), no_progress) == 12
            number += 1
    finally:
        end_writes()
    assert found_count() == 12


def write_much(node: Node, done: threading.Event) -> None:
    line = json.dumps({"index": {"_index": "others"}}) + "\n" + json.dumps({"text": "word " * 50})
    body = f"{line}\n" * 500
    while not done.is_set():
        with suppress(exceptions.TransportError):
            node.client.bulk(body=body)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("cluster__blocks__read_only", True, "writes are blocked"),
        ("network__breaker__inflight_requests__limit", "1b", "the node is short of memory"),
    ],
)
def test_changes_and_rebuilds_wait_for_the_cluster(
    node: Node, shelf: None, world: World, name: str, value: object, error: str
) -> None:
    node.change_settings(**{name: value})
    try:
        with pytest.raises(DependencyUnavailable, match=error):
            deliver(bootstrap.pipeline().index, "p00", 1)
        pauses = Pauses(meanwhile=lambda: node.change_settings(**{name: None}))
        assert rebuild_at(node.engine.url, world, pauses).run("2", no_progress) == 12
        assert len(pauses.seconds) == 1
    finally:
        node.change_settings(**{name: None})
    deliver(bootstrap.pipeline().index, "p00", 1)
    assert bootstrap.catalogue().receipt("p00", 1).state(Effect.SEARCHABLE) == "done"


def test_a_cluster_without_shards_ends_a_rebuild_with_a_sentence(node: Node, shelf: None) -> None:
    node.change_settings(cluster__max_shards_per_node=1)
    try:
        with pytest.raises(CommandError, match="the cluster has no shard left; delete indexes"):
            output("rebuild_search_index")
    finally:
        node.change_settings(cluster__max_shards_per_node=None)
    assert found_count() == 12


def test_a_node_that_comes_back_empty_is_noticed_and_filled(
    node: Node, shelf: None, quiet: Acceptance, ann: Origin
) -> None:
    node.restart_empty()
    found = bootstrap.catalogue().search(HOSTING, staff=False)
    assert found.freshness
    assert (len(found.products), found.freshness.from_index) == (12, False)
    quiet.create("new", fields(name="New hosting"), ann)
    deliver(bootstrap.pipeline().store, "new", 1)
    with pytest.raises(DependencyUnavailable, match="no index has the alias"):
        deliver(bootstrap.pipeline().index, "new", 1)
    assert output("rebuild_search_index") == "13 products in the new index"
    index_waiting({"new": 1})
    found = bootstrap.catalogue().search(HOSTING, staff=False)
    assert found.freshness
    assert (len(found.products), found.freshness.from_index) == (13, True)
