"""A search index that hangs: the first search gives up, the next ones read the table."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from products import bootstrap
from products.adapters import breaker as breakers
from products.adapters.breaker import MAX_WAITING, PAUSE_SECONDS, Breaker
from products.errors import DependencyUnavailable
from tests.support.api_client import Api
from tests.support.wiring import forget_wiring

NEVER = 60.0  # seconds


class Hanging:
    """A dependency that answers when the test says so."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        self.answers.wait(NEVER)
        return "found"


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    dependency = Hanging()
    yield dependency
    dependency.answers.set()


def refusals_of(breaker: Breaker, request: Any, count: int) -> int:
    refused = 0
    for _ in range(count):
        try:
            breaker.call(request)
        except DependencyUnavailable:
            refused += 1
    return refused


def test_second_call_does_not_wait_for_a_hanging_dependency(hanging: Hanging) -> None:
    now = [0.0]
    breaker = Breaker("OpenSearch", lambda: now[0], max_seconds=0.01)
    with pytest.raises(DependencyUnavailable):
        breaker.call(hanging)
    now[0] += 2.5  # by now it is slow
    assert refusals_of(breaker, hanging, 50) == 50
    assert hanging.calls == 1


def test_dependency_is_asked_again_after_a_pause(hanging: Hanging) -> None:
    times = iter([0.0, 0.0, 2.5, 2.5])
    last = [3.0]
    breaker = Breaker("OpenSearch", lambda: next(times, last[0]), max_seconds=0.01)
    assert refusals_of(breaker, hanging, 2) == 2
    hanging.answers.set()
    breaker.threads.shutdown()
    breaker.threads = type(breaker.threads)(1)
    last[0] += PAUSE_SECONDS
    assert breaker.call(lambda: "found") == "found"


def test_few_calls_wait_at_the_same_time(hanging: Hanging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakers, "SLOW_SECONDS", 0.0)
    breaker = Breaker("OpenSearch", max_seconds=NEVER)
    waiting = [
        threading.Thread(target=breaker.call, args=[hanging], daemon=True)
        for _ in range(MAX_WAITING)
    ]
    for thread in waiting:
        thread.start()
    while hanging.calls < MAX_WAITING:
        threading.Event().wait(0.01)
    assert refusals_of(breaker, hanging, 10) == 10
    hanging.answers.set()
    for thread in waiting:
        thread.join()
    assert breaker.call(lambda: "found") == "found"


def test_calls_of_the_same_moment_wait_for_few_others(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breakers, "SLOW_SECONDS", 0.05)
    breaker = Breaker("OpenSearch", max_seconds=NEVER)
    breaker.clock = lambda: 0.0  # no call seems to hang yet
    refused: list[str] = []

    def call() -> None:
        try:
            breaker.call(hanging)
        except DependencyUnavailable as fault:
            refused.append(str(fault))

    callers = [threading.Thread(target=call, daemon=True) for _ in range(3 * MAX_WAITING)]
    for thread in callers:
        thread.start()
    while len(refused) < 2 * MAX_WAITING:
        threading.Event().wait(0.01)
    assert hanging.calls == MAX_WAITING
    hanging.answers.set()
    for thread in callers:
        thread.join()
    assert breaker.call(lambda: "found") == "found"


def test_quick_refusals_do_not_pause_anything() -> None:
    breaker = Breaker("OpenSearch")

    def refuse() -> None:
        raise DependencyUnavailable("OpenSearch")

    assert refusals_of(breaker, refuse, 3) == 3
    assert breaker.call(lambda: "found") == "found"


@pytest.mark.django_db
def test_public_searches_read_the_table_while_the_index_hangs(
    six: None, settings: Any, public: Api
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        settings.OPENSEARCH_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        forget_wiring()
        breaker = bootstrap.guarded_search().breaker
        for _ in range(3):
            found = public("get", "/products?q=hosting").json()
            assert (found["search"]["source"], found["count"]) == ("table", 6)
        assert len(breaker.running) <= 1
