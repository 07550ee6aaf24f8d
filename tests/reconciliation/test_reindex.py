"""Rebuild of the search index: searches and writes continue, and no write is lost."""

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.core.management import CommandError

from products import bootstrap, maintenance
from products.catalogue import Catalogue
from products.changes import Origin
from products.errors import DependencyUnavailable
from products.lists import ListQuery
from products.product import Product
from products.reindex import IndexRebuild, Reindex
from tests.support.builders import fields
from tests.support.commands import output
from tests.support.delivery import deliver
from tests.support.fakes import FakeDoorbell
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = pytest.mark.engines
HOSTING = ListQuery(text="hosting", by_relevance=True, limit=100)


@pytest.fixture
def shelf(world: World, ann: Origin) -> Catalogue:
    """Twelve products, stored and indexed."""
    quiet = replace(bootstrap.acceptance(), doorbell=FakeDoorbell())
    for number in range(12):
        quiet.create(f"p{number:02}", fields(name=f"Hosting {number}"), ann)
        deliver(bootstrap.pipeline().store, f"p{number:02}", 1)
    maintenance.index_records()
    return bootstrap.catalogue()


@dataclass
class InterruptedIndex:
    """The rebuilt index with a callback before one of its steps."""

    index: IndexRebuild
    step: str
    callback: Callable[[], object]

    def __getattr__(self, name: str) -> Any:
        if name == self.step:
            self.step = ""
            self.callback()
        return getattr(self.index, name)


def rebuilding(step: str = "", callback: Callable[[], object] = lambda: None) -> Reindex:
    made = maintenance.reindex()
    assert made
    index: Any = InterruptedIndex(made.index, step, callback)
    return replace(made, index=index)


def no_progress(products: Iterator[Product]) -> Iterator[Product]:
    return products


def indexes(world: World) -> dict[str, list[str]]:
    found = world.opensearch.indices.get_alias(index=f"{world.alias}-*")
    return {name: sorted(index["aliases"]) for name, index in found.items()}


def version_in(world: World, product_id: str) -> int:
    return int((world.document(product_id) or {"version": 0})["version"])


def index_through(number: str, world: World, ann: Origin) -> Callable[[], None]:
    """Return a callback that creates a product, updates another, and indexes both."""

    def write() -> None:
        quiet = replace(bootstrap.acceptance(), doorbell=FakeDoorbell())
        quiet.create(f"new{number}", fields(name=f"New hosting {number}"), ann)
        version = quiet.update("p03", {"price": f"{number}"}, ann).product.version
        for product_id, which in ((f"new{number}", 1), ("p03", version)):
            deliver(bootstrap.pipeline().store, product_id, which)
            deliver(bootstrap.pipeline().index, product_id, which)

    return write


@pytest.mark.parametrize("step", ["begin", "fill", "outdated", "switch"])
def test_write_at_any_step_is_in_the_new_index(
    shelf: Catalogue, world: World, ann: Origin, step: str
) -> None:
    rebuilding(step, index_through("7", world, ann)).run("2", no_progress)
    assert indexes(world) == {f"{world.alias}-2": [world.alias]}
    assert (version_in(world, "p03"), version_in(world, "new7")) == (2, 1)
    assert len(bootstrap.catalogue().search(HOSTING, staff=False).products) == 13


def test_the_new_index_refreshes_and_copies_only_when_it_is_complete(
    shelf: Catalogue, world: World
) -> None:
    seen: dict[str, str] = {}

    def settings() -> dict[str, str]:
        found = world.opensearch.indices.get_settings(index=f"{world.alias}-2")
        return dict(found[f"{world.alias}-2"]["settings"]["index"])

    rebuilding("outdated", lambda: seen.update(settings())).run("2", no_progress)
    assert (seen["refresh_interval"], seen["number_of_replicas"]) == ("-1", "0")
    assert "refresh_interval" not in settings()
    assert settings().get("number_of_replicas", "1") == "1"


def test_write_that_only_the_live_index_has_is_copied(
    shelf: Catalogue, world: World, ann: Origin
) -> None:
    """A writer may miss the new index, and the table's index may lag behind."""
    bootstrap.acceptance().create("slow", fields(name="Slow hosting"), ann)
    slow = shelf.newest("slow")

    def write_to_the_live_index() -> None:
        body = {**(world.document("p01") or {}), "productId": "slow", "name": slow.name}
        options = {"version": 1, "version_type": "external", "refresh": "true"}
        world.opensearch.index(index=f"{world.alias}-1", id="slow", body=body, params=options)

    rebuilding("outdated", write_to_the_live_index).run("2", no_progress)
    assert (world.document("slow") or {}).get("name") == "Slow hosting"


def test_document_of_no_change_is_not_copied(shelf: Catalogue, world: World) -> None:
    body = world.document("p01") or {}
    for product_id, version in (("ghost", 1), ("p01", 9)):
        options = {"version": version, "version_type": "external", "refresh": "true"}
        world.opensearch.index(
            index=world.alias, id=product_id, body=body | {"productId": product_id}, params=options
        )
    rebuilding().run("2", no_progress)
    assert (version_in(world, "p01"), world.document("ghost")) == (1, None)
    assert world.opensearch.get(index=world.alias, id="p01")["_version"] == 1


@dataclass
class Load:
    """Writers and a reader that run until ``done``, and the writes and results they missed."""

    catalogue: Catalogue
    world: World
    ann: Origin
    written: dict[str, int]
    done: threading.Event = field(default_factory=threading.Event)
    lost: list[str] = field(default_factory=list)

    def write(self, product_ids: list[str]) -> None:
        for product_id in itertools.cycle(product_ids):
            edit = {"price": f"{self.written[product_id] % 90 + 1}.50"}
            version = bootstrap.acceptance().update(product_id, edit, self.ann).product.version
            deliver(bootstrap.pipeline().store, product_id, version)
            deliver(bootstrap.pipeline().index, product_id, version)
            self.written[product_id] = version
            if version_in(self.world, product_id) < version:
                self.lost.append(f"{product_id} v{version}")
            if self.done.is_set():
                return

    def search(self) -> None:
        while not self.done.is_set():
            count = len(bootstrap.index().search(HOSTING, 100))
            if count != len(self.written):
                self.lost.append(f"a search found {count}")


def test_searches_and_writes_continue_throughout(
    shelf: Catalogue, world: World, ann: Origin
) -> None:
    """Writes are searchable immediately and searches are complete during five rebuilds."""
    load = Load(shelf, world, ann, {f"p{number:02}": 1 for number in range(12)})
    ids = sorted(load.written)
    threads = [threading.Thread(target=load.write, args=(ids[n::2],)) for n in range(2)]
    threads.append(threading.Thread(target=load.search))
    for thread in threads:
        thread.start()
    try:
        for number in range(2, 7):
            rebuilding().run(str(number), no_progress)
    finally:
        load.done.set()
        for thread in threads:
            thread.join()
    assert load.lost == []
    assert max(load.written.values()) > 1
    assert {product_id: version_in(world, product_id) for product_id in ids} == load.written
    assert list(indexes(world)) == [f"{world.alias}-6"]


@pytest.mark.parametrize("step", ["fill", "outdated", "switch"])
def test_interrupted_rebuild_leaves_search_intact_and_can_be_repeated(
    shelf: Catalogue, world: World, ann: Origin, step: str
) -> None:
    def fail() -> None:
        raise DependencyUnavailable("OpenSearch")

    with pytest.raises(DependencyUnavailable):
        rebuilding(step, fail).run("2", no_progress)
    assert indexes(world) == {
        f"{world.alias}-1": [world.alias],
        f"{world.alias}-2": [f"{world.alias}-next"],
    }
    index_through("5", world, ann)()
    assert version_in(world, "p03") == 2
    assert len(bootstrap.catalogue().search(HOSTING, staff=False).products) == 13
    rebuilding().run("3", no_progress)
    assert indexes(world) == {f"{world.alias}-3": [world.alias]}
    assert version_in(world, "p03") == 2


def test_second_concurrent_rebuild_ends_the_first_without_loss(
    shelf: Catalogue, world: World
) -> None:
    with pytest.raises(DependencyUnavailable):
        rebuilding("switch", lambda: rebuilding().run("3", no_progress)).run("2", no_progress)
    assert indexes(world) == {f"{world.alias}-3": [world.alias]}
    assert len(bootstrap.catalogue().search(HOSTING, staff=False).products) == 12


def test_a_rebuild_that_another_one_replaced_can_not_switch(shelf: Catalogue, world: World) -> None:
    """A snapshot can keep the first rebuild's index alive after the second has begun."""
    first, second = rebuilding().index, rebuilding().index
    first.begin("2")
    world.opensearch.indices.delete_alias(index=f"{world.alias}-2", name=f"{world.alias}-next")
    with pytest.raises(DependencyUnavailable, match="belongs to no rebuild any more"):
        first.switch("2")
    assert len(bootstrap.catalogue().search(HOSTING, staff=False).products) == 12
    second.begin("3")
    assert indexes(world) == {
        f"{world.alias}-1": [world.alias],
        f"{world.alias}-3": [f"{world.alias}-next"],
    }


def test_other_indexes_stay_unchanged(shelf: Catalogue, world: World) -> None:
    others = [f"{world.alias}-eu-1", f"{world.alias}-backup"]
    for name in others:
        world.opensearch.indices.create(index=name)
    rebuilding().run("2", no_progress)
    assert sorted(indexes(world)) == sorted([*others, f"{world.alias}-2"])
    for name in others:
        world.opensearch.indices.delete(index=name)


def test_command_reports_the_number_of_products(
    shelf: Catalogue, world: World, settings: Any
) -> None:
    assert output("rebuild_search_index") == "12 products in the new index"
    assert output("rebuild_search_index") == "12 products in the new index"
    assert len(indexes(world)) == 1
    settings.ENABLE_OPENSEARCH = False
    forget_wiring()
    with pytest.raises(CommandError, match="ENABLE_OPENSEARCH is off"):
        output("rebuild_search_index")
