"""Rate limits: the sliding window counts like a plain list of all calls, in bounded memory."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.api.throttling import WINDOW_SECONDS, CallCounter
from tests.support.api_client import Api
from tests.support.world import World

CALLS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0, 1.1, 2.5])),
    max_size=60,
)
"""Clients, and the seconds since the call before."""


@given(CALLS, st.integers(1, 4))
def test_a_call_counts_for_one_second(calls: Sequence[tuple[str, float]], limit: int) -> None:
    now = 0.0
    accepted: list[tuple[str, float]] = []
    counter = CallCounter(clock=lambda: now)
    for client, seconds_later in calls:
        now += seconds_later
        window_start = now - WINDOW_SECONDS
        recent = [at for name, at in accepted if name == client and at > window_start]
        expected = limit - len(recent) - 1 if len(recent) < limit else None
        left = counter.count_call(client, limit)
        assert left == expected
        if left is not None:
            accepted.append((client, now))


def test_idle_clients_are_forgotten() -> None:
    now = 0.0
    counter = CallCounter(clock=lambda: now)
    for number in range(30_000):
        now = number / 1000
        counter.count_call(f"client {number}", 100)
    assert len(counter.current) + len(counter.previous) <= 2 * 1000 + 2


def test_a_batch_counts_by_its_items() -> None:
    now = 0.0
    counter = CallCounter(clock=lambda: now)
    counter.count_call("ann", 10)
    counter.charge("ann", 10, 99)
    assert (counter.count_call("ann", 10), counter.seconds_left("ann")) == (None, 10)
    assert counter.count_call("ben", 10) == 9
    now = 9.8
    assert (counter.count_call("ann", 10), counter.seconds_left("ann")) == (None, 1)
    now = 10.0
    assert counter.count_call("ann", 10) == 9
    assert counter.debts == {}


@pytest.mark.django_db
def test_client_waits_after_a_batch(world: World, settings: Any) -> None:
    settings.THROTTLE_STAFF = 20
    api, other = Api(), Api(name="ben")
    items = [{"action": "deactivate", "productId": f"p{number}"} for number in range(100)]
    assert api("post", "/products:batch", {"mode": "each", "items": items}).status_code == 207
    refused = api("get", "/products")
    assert refused.status_code == 429
    assert refused["Retry-After"] in {"3", "4", "5"}  # the batch itself took a while
    assert other("get", "/products").status_code == 200
