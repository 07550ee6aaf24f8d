"""How often one client may call: always as a plain list of all calls would say, and without remembering them."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from products.api.throttling import SECONDS, CallCounter

CALLS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0, 1.1, 2.5])),
    max_size=60,
)


@given(CALLS, st.integers(1, 4))
def test_a_call_counts_for_a_second(asked: Sequence[tuple[str, float]], most: int) -> None:
    now, made = 0.0, list[tuple[str, float]]()
    calls = CallCounter(clock=lambda: now)
    for who, later in asked:
        now += later
        lately = [at for name, at in made if name == who and at > now - SECONDS]
        left = calls.count_call(who, most)
        assert left == (most - len(lately) - 1 if len(lately) < most else None)
        made += [(who, now)] if left is not None else []


def test_who_has_been_silent_is_forgotten() -> None:
    now = 0.0
    calls = CallCounter(clock=lambda: now)
    for number in range(30_000):
        now = number / 1000
        calls.count_call(f"client {number}", 100)
    assert len(calls.made) + len(calls.before) <= 2 * 1000 + 2
