"""Rate limits: the sliding window counts like a plain list of all calls, in bounded memory."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from products.api.throttling import WINDOW_SECONDS, CallCounter

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
