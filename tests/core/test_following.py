"""A follower of the catalogue misses nothing, whenever a record becomes visible."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from products import following
from products.changes import Change, ChangeKey, Effect, next_change
from products.documents import format_timestamp
from products.following import MAX_CLOCK_SKEW, MAX_INDEX_LAG, Following, FollowQuery
from products.open_changes import OpenKey, OpenMark
from products.overlay import ListedChanges
from products.pipeline import Pipeline
from products.product import Product
from tests.support.builders import NOON, a_product, origin

IDS = ("p1", "p2", "p3", "p4")
FIRST_SINCE = NOON - timedelta(days=1)
MAX_CHANGES = 12
LONGEST_WRITE = timedelta(seconds=12)  # more than the window, so some writes are repeated


class WorkerDied(Exception):
    """The worker was killed after its write took effect, and before it could stamp it."""


@dataclass
class World:
    """Workers with clocks of their own, a table whose index lags, and a follower."""

    random: Random
    now: datetime = NOON
    skew: timedelta = timedelta()
    changes_: dict[ChangeKey, Change] = field(default_factory=dict)
    records_: dict[str, Product] = field(default_factory=dict)
    places: list[tuple[datetime, str, str]] = field(default_factory=list)
    """When each place became visible, its position, and its product."""
    stored: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    listed: ListedChanges = field(default_factory=ListedChanges)
    since: datetime = FIRST_SINCE
    depth: int = 0

    # What the table does

    def changes(self, keys: Sequence[ChangeKey]) -> dict[ChangeKey, Change]:
        return {key: self.changes_[key] for key in keys}

    def put_record(self, product: Product, stored_at: datetime) -> None:
        self._pass_time(LONGEST_WRITE)
        newest = self.records_.get(product.product_id)
        if newest is None or newest.version <= product.version:
            self.records_[product.product_id] = product
            visible_at = self.now + self._part_of(MAX_INDEX_LAG)
            position = f"{format_timestamp(stored_at)}#{product.product_id}"
            self.places.append((visible_at, position, product.product_id))
        if self.random.random() < 0.2:
            raise WorkerDied
        self._pass_time(LONGEST_WRITE)

    def stamp_last(self, change: Change, done: Mapping[Effect, datetime]) -> Change:
        self.stored[change.product_id] = max(change.version, self.stored.get(change.product_id, 0))
        self.changes_[change.product_id, change.version] = replace(change, open=frozenset())
        return replace(change, open=frozenset())

    def fail(self, *_: object) -> None: ...

    def records(self, product_ids: list[str]) -> dict[str, Product]:
        return {i: self.records_[i] for i in product_ids if i in self.records_}

    def open_keys(self, *, newest_first: bool = False) -> Iterator[OpenKey]:
        return iter(())

    def marks(self, keys: Sequence[ChangeKey]) -> dict[ChangeKey, OpenMark]:
        return {}

    def newest(self, product_id: str) -> Change | None:
        return None

    def stored_after(self, position: str, limit: int) -> list[tuple[str, str]]:
        """Return what is visible. The index holds the last visible place of each product."""
        newest: dict[str, str] = {}
        for visible_at, place, product_id in sorted(self.places):
            if visible_at <= self.now:
                newest[product_id] = max(place, newest.get(product_id, ""))
        return sorted((at, i) for i, at in newest.items() if at > position)[:limit]

    # What happens

    def _part_of(self, longest: timedelta) -> timedelta:
        return self.random.random() * longest

    def _pass_time(self, longest: timedelta) -> None:
        """Let time pass, and others do something meanwhile."""
        skew = self.skew
        self.now += self._part_of(longest)
        event = self.random.choice(["nothing", "poll", "write"])
        if self.depth < 2 and len(self.changes_) < MAX_CHANGES:
            self.depth += 1
            if event == "poll":
                self.poll()
            elif event == "write":
                self.write(self.random.choice(IDS))
            self.depth -= 1
        self.skew = skew

    def write(self, product_id: str) -> None:
        """Accept a change, and let a worker with a clock of its own try to store it."""
        versions = [version for i, version in self.changes_ if i == product_id]
        version = max(versions, default=0) + 1
        before = self.changes_[product_id, version - 1] if version > 1 else None
        name = f"Hosting {product_id} {version}"
        product = a_product(product_id=product_id, name=name, version=version)
        change_id = f"{product_id}-{version}"
        self.changes_[product_id, version] = next_change(
            before,
            product,
            origin("ann"),
            at=self.now,
            change_id=change_id,
            effects=frozenset({Effect.STORED}),
        )
        self.store(product_id, version)

    def store(self, product_id: str, version: int) -> None:
        self.skew = self._part_of(MAX_CLOCK_SKEW) / 2
        worker: Any = Pipeline(
            table=self,  # type: ignore[arg-type]  # as much of a table as storing needs
            search_index=None,  # type: ignore[arg-type] # not reached
            cdn=None,  # type: ignore[arg-type] # not reached
            trail=None,  # type: ignore[arg-type] # not reached
            doorbell=Quiet(),  # type: ignore[arg-type] # rings nowhere
            statistics=Quiet(),
            clock=lambda: self.now + self.skew,
            map_function=lambda function, items: list(map(function, items)),
        )
        worker.store([(product_id, version)])

    def poll(self) -> None:
        """Read all pages since the last time, by a reader whose clock is behind or ahead."""
        behind = self._part_of(MAX_CLOCK_SKEW) / 2
        follower = Following(table=self, clock=lambda: self.now + behind)
        query = FollowQuery(since=self.since, limit=self.random.randint(1, 3))
        while True:
            page = follower.page(query, staff=False)
            for product in page.products:
                self.known[product.product_id] = product.version
            if page.after is None:
                self.since = page.next_since
                return
            query = replace(query, after=page.after, next_since=page.next_since)
            self._pass_time(LONGEST_WRITE)


class Quiet:
    def notify(self, *_: object) -> None: ...
    def count_completed(self, *_: object) -> None: ...


def follow(seed: int) -> World:
    """Run a history of writes and polls to its end. The seed decides what happens when."""
    random = Random(seed)
    world = World(random)
    for _ in range(random.randint(1, 6)):
        world.write(random.choice(IDS))
        world.poll()
    world.depth = 2  # nothing else happens any more
    # Redelivery: what is not stamped is stored again.
    for product_id, version in list(world.changes_):
        while world.changes_[product_id, version].open:
            world.store(product_id, version)
    world.now += timedelta(minutes=5)
    world.poll()
    return world


@pytest.mark.generated
@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_a_follower_sees_the_last_version_of_every_product(seed: int) -> None:
    world = follow(seed)
    assert world.known == world.stored


@pytest.mark.parametrize("missing", ["margin", "window"])
def test_the_property_finds_a_missing_rule(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if missing == "margin":
        monkeypatch.setattr(following, "MARGIN", timedelta())
    else:
        monkeypatch.setattr(following, "STORE_WINDOW", timedelta(days=1))
        monkeypatch.setattr(following, "MARGIN", MAX_CLOCK_SKEW)
    worlds = map(follow, range(500))
    assert any(world.known != world.stored for world in worlds)
