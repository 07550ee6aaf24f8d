"""The faults of an OpenSearch node: each stops writes while it lasts, and no longer.

A full disk also blocks new indexes for a minute, so no test that shares the node can have it.
"""

from collections.abc import Callable

import pytest
from opensearchpy import exceptions

from tests.gameday.node_faults import FAULTS, NodeFaults
from tests.plugin import GIVEN, search_address
from tests.support.processes import until
from tests.support.world import World

pytestmark = [
    pytest.mark.engines,
    pytest.mark.skipif("OPENSEARCH_URL" not in GIVEN, reason="needs a real OpenSearch node"),
]


def writing(world: World, faults: NodeFaults) -> Callable[[], bool]:
    def is_written() -> bool:
        try:
            faults.client.index(index=world.alias, body={"name": "Basic"})
        except exceptions.TransportError:
            return False
        return True

    return is_written


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - {"fill the disk of"}))
def test_a_fault_of_an_index_stops_writes_until_it_ends(world: World, fault: str) -> None:
    faults = NodeFaults(search_address(), world.alias)
    is_written = writing(world, faults)
    assert is_written()
    with faults.injecting(fault):
        assert not is_written()
    until(is_written)
