"""What a blocked, closed or missing search index does to changes: they wait, and then complete."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from products import bootstrap, maintenance
from products.acceptance import Acceptance
from products.changes import Effect, Origin
from products.errors import DependencyNeedsOperator, DependencyUnavailable, EffectRefused
from products.lists import ListQuery
from products.pipeline import Pipeline
from tests.plugin import GIVEN
from tests.support.builders import fields
from tests.support.delivery import deliver
from tests.support.fakes import FakeDoorbell
from tests.support.world import World

pytestmark = [
    pytest.mark.engines,
    pytest.mark.skipif("OPENSEARCH_URL" not in GIVEN, reason="needs a real OpenSearch node"),
]

type Act = Callable[[World], object]


def _settings(world: World, **settings: object) -> object:
    return world.opensearch.indices.put_settings(index=f"{world.alias}-1", body=settings)


def _flood(world: World, *, full: bool) -> object:
    """Block the index as a full disk does. The node lifts this block as soon as it finds space."""
    watch = {"cluster.routing.allocation.disk.threshold_enabled": False if full else None}
    world.opensearch.cluster.put_settings(body={"transient": watch})
    return _settings(world, **{"index.blocks.read_only_allow_delete": full or None})


def _close(world: World) -> object:
    return world.opensearch.indices.close(index=f"{world.alias}-1")


def _open(world: World) -> object:
    return world.opensearch.indices.open(index=f"{world.alias}-1")


def _remove_alias(world: World) -> object:
    return world.opensearch.indices.delete_alias(index=f"{world.alias}-1", name=world.alias)


def _add_alias(world: World) -> object:
    return world.opensearch.indices.put_alias(index=f"{world.alias}-1", name=world.alias)


def _double_alias(world: World) -> object:
    body: dict[str, Any] = {"aliases": {world.alias: {}}}
    return world.opensearch.indices.create(index=f"{world.alias}-2", body=body)


def _single_alias(world: World) -> object:
    return world.opensearch.indices.delete(index=f"{world.alias}-2")


FAULTS: dict[str, tuple[Act, Act, str]] = {
    "write block": (
        lambda world: _settings(world, **{"index.blocks.write": True}),
        lambda world: _settings(world, **{"index.blocks.write": False}),
        "cluster_block_exception",
    ),
    "read-only index": (
        lambda world: _settings(world, **{"index.blocks.read_only": True}),
        lambda world: _settings(world, **{"index.blocks.read_only": False}),
        "cluster_block_exception",
    ),
    "flood-stage watermark": (
        lambda world: _flood(world, full=True),
        lambda world: _flood(world, full=False),
        "cluster_block_exception",
    ),
    "closed index": (_close, _open, "index_closed_exception"),
    "alias gone": (_remove_alias, _add_alias, "index_not_found_exception"),
    "alias on two indices": (_double_alias, _single_alias, "illegal_argument_exception"),
}
"""What makes the index refuse writes, what ends it, and the error that OpenSearch reports."""


@pytest.fixture
def quiet(acceptance: Acceptance) -> Acceptance:
    return replace(acceptance, doorbell=FakeDoorbell())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_change_waits_until_the_index_takes_writes_again(
    quiet: Acceptance, pipeline: Pipeline, world: World, ann: Origin, fault: str
) -> None:
    begin, end, error = FAULTS[fault]
    quiet.create("p1", fields(), ann)
    begin(world)
    for _ in range(5):
        with pytest.raises(DependencyUnavailable, match=error):
            deliver(pipeline.index, "p1", 1)
    change = bootstrap.catalogue().receipt("p1", 1)
    assert (change.state(Effect.SEARCHABLE), change.status) == ("retrying", "accepted")
    end(world)
    deliver(pipeline.index, "p1", 1)
    assert bootstrap.catalogue().receipt("p1", 1).state(Effect.SEARCHABLE) == "done"


@pytest.mark.parametrize(
    "mapping",
    [
        {"properties": {"name": {"type": "integer"}}},
        {"properties": {"words": {"properties": {"name": {"type": "date"}}}}},
    ],
)
def test_only_what_names_the_document_is_permanent(
    quiet: Acceptance, pipeline: Pipeline, world: World, ann: Origin, mapping: dict[str, Any]
) -> None:
    world.opensearch.indices.delete(index=f"{world.alias}-1")
    body = {"mappings": mapping, "aliases": {world.alias: {}}}
    world.opensearch.indices.create(index=f"{world.alias}-1", body=body)
    quiet.create("p1", fields(), ann)
    with pytest.raises(EffectRefused, match="OpenSearch refused the document"):
        deliver(pipeline.index, "p1", 1)


@contextmanager
def snapshot_of(world: World) -> Iterator[None]:
    """Take a snapshot of the index that can't finish before the end of the block."""
    name, client = f"snapshots-{world.alias}", world.opensearch
    slow = {"location": name, "max_snapshot_bytes_per_sec": "500b", "chunk_size": "1kb"}
    client.snapshot.create_repository(repository=name, body={"type": "fs", "settings": slow})
    client.snapshot.create(repository=name, snapshot="hourly", body={"indices": f"{world.alias}-*"})
    try:
        yield
        (status,) = client.snapshot.status(repository=name, snapshot="hourly")["snapshots"]
        assert status["state"] != "SUCCESS", "the snapshot was too fast to be in the way"
    finally:
        client.snapshot.delete(repository=name, snapshot="hourly", request_timeout=120)
        client.snapshot.delete_repository(repository=name)


def test_a_rebuild_ends_while_a_snapshot_is_taken(
    quiet: Acceptance, pipeline: Pipeline, world: World, ann: Origin
) -> None:
    quiet.create("p1", fields(), ann)
    deliver(pipeline.store, "p1", 1)
    deliver(pipeline.index, "p1", 1)
    with snapshot_of(world):
        _rebuild("7")
        assert _found() == ["p1"]
        assert len(world.opensearch.indices.get(index=f"{world.alias}-*")) == 2
    _rebuild("8")
    names = world.opensearch.indices.get(index=f"{world.alias}-*")
    assert list(names) == [f"{world.alias}-8"]


def _found() -> list[str]:
    listing = ListQuery(text="hosting", by_relevance=True)
    return [
        product.product_id
        for product in bootstrap.catalogue().search(listing, staff=False).products
    ]


def _rebuild(number: str) -> None:
    rebuild = maintenance.reindex()
    assert rebuild
    rebuild.run(number, lambda products: products)


def test_a_rebuild_ends_with_a_sentence_while_the_index_is_closed(
    quiet: Acceptance, pipeline: Pipeline, world: World, ann: Origin
) -> None:
    quiet.create("p1", fields(), ann)
    deliver(pipeline.store, "p1", 1)
    deliver(pipeline.index, "p1", 1)
    _close(world)
    with pytest.raises(DependencyNeedsOperator, match="is closed; open it with POST /INDEX/_open"):
        _rebuild("7")
    _open(world)
    assert _found() == ["p1"]
    _rebuild("8")
    assert _found() == ["p1"]
