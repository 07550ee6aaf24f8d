"""The open changes must not bound the catalogue: load against a limit for each index partition.

A proxy in front of DynamoDB counts the write units of the index of open changes, as docs/scale.md
does, and throttles a partition above its limit. Both designs face the same load.
"""

import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from products import bootstrap
from products.adapters.dynamodb.items import open_flag
from products.errors import Conflict, Unavailable
from products.product import Product
from tests.gameday.fault_proxy import PASS, Action, Proxy, Request, Respond
from tests.support.builders import fields, origin
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = [pytest.mark.slow, pytest.mark.engines]
UNITS_A_SECOND = 24
"""The limit of a partition; 1,000 on AWS, more than this machine can use."""
UNITS_BEFORE = 12
"""What one change costs in the first design: six writes of two units, all in one partition."""
LOAD_SECONDS = 8.0
CLIENTS = 4
THROTTLED = Respond(400, b'{"__type":"ProvisionedThroughputExceededException","message":"slow"}')


@dataclass
class Partitions:
    """Counts the units of the index in each second, and throttles a full partition."""

    is_first_design: bool
    used: Counter[tuple[str, int]] = field(default_factory=Counter)
    throttled: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: Request) -> Action:
        units = self._units(request)
        second = int(time.monotonic())
        with self.lock:
            full = [name for name in units if self.used[name, second] >= UNITS_A_SECOND]
            if full:
                self.throttled += 1
                return THROTTLED
            self.used.update({(name, second): count for name, count in units.items()})
        return PASS

    def _units(self, request: Request) -> Counter[str]:
        units: Counter[str] = Counter()
        for write in _writes(request):
            key = write.get("Item") or write["Key"]
            if not key["SK"]["S"].startswith("CHANGE#"):
                continue
            partition = open_flag(key["PK"]["S"].removeprefix("PRODUCT#"))
            units["OPEN" if self.is_first_design else partition] += self._cost(write)
        return units

    def _cost(self, write: dict[str, Any]) -> int:
        """Return the units of one write. An index of keys is untouched by a stamp."""
        is_insert_or_delete = "Item" in write or "openFlag" in write.get("UpdateExpression", "")
        if not self.is_first_design:
            return int(is_insert_or_delete)
        # The worker now combines stamps, which in the first design were single writes.
        return UNITS_BEFORE // 2 if is_insert_or_delete else 0


def _writes(request: Request) -> Iterator[dict[str, Any]]:
    body = json.loads(request.body or b"{}")
    if request.operation == "TransactWriteItems":
        for write in body["TransactItems"]:
            yield from (part for kind, part in write.items() if kind in ("Put", "Update"))
    elif request.operation in ("PutItem", "UpdateItem"):
        yield body


@pytest.fixture
def load(
    world: World, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> Iterator[Callable[[Partitions], tuple[float, int]]]:
    proxy = Proxy(world.dynamodb.meta.endpoint_url, remembers=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
    settings.ENABLE_CLOUDFRONT = False  # a purge comes later, and would leave its change open
    forget_wiring()

    def run(partitions: Partitions) -> tuple[float, int]:
        """Return the complete changes a second, and how many calls were throttled."""
        proxy.fault = partitions
        deadline = time.monotonic() + LOAD_SECONDS
        with ThreadPoolExecutor(CLIENTS) as clients:
            done = list(clients.map(lambda number: _write(number, deadline), range(CLIENTS)))
        return sum(done) / LOAD_SECONDS, partitions.throttled

    yield run
    proxy.close()
    forget_wiring()


def _write(client: int, deadline: float) -> int:
    """Create products and bring about their effects, until the deadline. Return how many."""
    done = 0
    while time.monotonic() < deadline:
        name = f"Hosting {client} {time.monotonic_ns()}"
        created = _until_accepted(
            lambda name=name: (  # type: ignore[misc] # a default binds it
                bootstrap.acceptance().create(None, fields(name=name), origin("ann")).product
            ),
            deadline,
        )
        if created is None:
            break
        key = (created.product_id, 1)
        effects = bootstrap.effects()
        while time.monotonic() < deadline:
            if not bootstrap.pipeline().store([key], effects):
                done += 1
                break
    return done


def _until_accepted(create: Callable[[], Product], deadline: float) -> Product | None:
    while time.monotonic() < deadline:
        try:
            return create()
        except (Unavailable, Conflict):  # throttled
            continue
    return None


def test_open_changes_do_not_bound_the_catalogue(
    load: Callable[[Partitions], tuple[float, int]],
) -> None:
    expected = UNITS_A_SECOND / UNITS_BEFORE
    before, throttled = load(Partitions(is_first_design=True))
    assert throttled
    assert before <= math.ceil(1.5 * expected)
    after, _ = load(Partitions(is_first_design=False))
    assert after >= 3 * before, f"before {before:.1f}, after {after:.1f} changes a second"
