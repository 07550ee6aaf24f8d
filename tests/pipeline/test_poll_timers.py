"""libcurl's timers: the client keeps only the latest one, and reads it in milliseconds."""

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


def pending_timers(client: SingleTimerClient) -> list[float]:
    """Return in how many seconds each timer fires that was not cancelled."""
    timers = [
        (eta, entry)
        for eta, _, entry in client.hub.timer.queue
        if entry.fun == client._timeout_check
    ]
    return [eta - monotonic() for eta, entry in timers if not entry.canceled]


def test_only_the_latest_timer_is_kept(client: SingleTimerClient) -> None:
    for _ in range(1000):
        client._set_timeout(5000)
    [seconds] = pending_timers(client)
    assert 4 < seconds <= 5


def test_a_timer_can_be_cancelled(client: SingleTimerClient) -> None:
    client._set_timeout(5000)
    client._set_timeout(-1)
    assert not pending_timers(client)
