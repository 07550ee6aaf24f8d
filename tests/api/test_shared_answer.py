"""One thread computes an answer for all who ask: the others wait for nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor

from products.api.shared_answer import SharedAnswer

LONG = 30.0  # seconds


def test_no_second_caller_waits_for_the_answer() -> None:
    """Not even for the first one: 32 callers would hold all threads of the web."""
    started, finish = threading.Event(), threading.Event()
    now = 0.0
    results = iter(["first", "second"])

    def compute() -> str:
        started.set()
        assert finish.wait(LONG)
        return next(results)

    shared = SharedAnswer(compute, 5.0, "unknown", clock=lambda: now)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(shared.get)
        assert started.wait(LONG)
        assert [shared.get() for _ in range(32)] == ["unknown"] * 32
        finish.set()
        assert (first.result(), shared.get()) == ("first", "first")
        now = 6.0
        started.clear()
        finish.clear()
        second = pool.submit(shared.get)
        assert started.wait(LONG)
        assert [shared.get() for _ in range(32)] == ["first"] * 32
        finish.set()
        assert (second.result(), shared.get()) == ("second", "second")
