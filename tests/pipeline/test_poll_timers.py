"""When libcurl wants to be called again: the latest wish counts, in its own unit, and none is kept."""

from collections.abc import Iterator
from time import monotonic

import pytest
from kombu.asynchronous.hub import Hub

from tasks.sqs_transport import SingleTimerClient


@pytest.fixture
def client() -> Iterator[SingleTimerClient]:
    hub = Hub()
    client = SingleTimerClient(hub)
    yield client
    client.close()
    hub.close()


def waiting(client: SingleTimerClient) -> list[float]:
    """In how many seconds each timer fires that was asked for once and not called off."""
    once = [
        (eta, entry)
        for eta, _, entry in client.hub.timer.queue
        if entry.fun == client._timeout_check
    ]
    return [eta - monotonic() for eta, entry in once if not entry.canceled]


def test_only_the_latest_wish_waits(client: SingleTimerClient) -> None:
    for _ in range(1000):
        client._set_timeout(5000)
    [seconds] = waiting(client)
    assert 4 < seconds <= 5


def test_a_wish_can_be_taken_back(client: SingleTimerClient) -> None:
    client._set_timeout(5000)
    client._set_timeout(-1)
    assert not waiting(client)
