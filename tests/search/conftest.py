"""Fixtures of the search tests."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from products import bootstrap, maintenance
from products.acceptance import Acceptance
from products.changes import Origin
from tests.gameday.fault_proxy import Proxy
from tests.plugin import search_address
from tests.support.builders import fields
from tests.support.delivery import deliver
from tests.support.fakes import FakeDoorbell
from tests.support.world import World


@pytest.fixture
def quiet(acceptance: Acceptance) -> Acceptance:
    return replace(acceptance, doorbell=FakeDoorbell())


@pytest.fixture
def shelf(quiet: Acceptance, ann: Origin) -> None:
    """Store and index twelve products."""
    for number in range(12):
        quiet.create(f"p{number:02}", fields(name=f"Hosting {number}"), ann)
        deliver(bootstrap.pipeline().store, f"p{number:02}", 1)
    maintenance.index_records()


@pytest.fixture
def search(world: World) -> Iterator[Proxy]:
    """Start a proxy in front of OpenSearch, which injects faults."""
    proxy = Proxy(search_address(world.engines))
    yield proxy
    proxy.close()
