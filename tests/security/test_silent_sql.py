"""PostgreSQL that accepts connections and statements, and never answers: every wait has an end."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection

import psycopg
import pytest

from bbws_products.settings.sql import CONNECT_SECONDS, RESPONSE_SECONDS
from deploy.local.engines import ROOT
from products.adapters.postgresql.silence import MAX_WAITING, PAUSE_SECONDS, SLOW_SECONDS, Silence
from tests.second_engines.postgres import Postgres
from tests.support.processes import Deployment, until
from tests.support.tcp_proxy import SilentProxy

CALLERS = 24
MARGIN = 2.0  # seconds, for two busy cores
COOKIE = {"Cookie": "sessionid=" + "a" * 32}
"""The cookie of a session that nobody has: SQL is asked about it, from any caller."""


@dataclass
class Ticks:
    """A clock in seconds that only a test moves."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[SilentProxy]:
    proxy = SilentProxy(postgres.port)
    yield proxy
    proxy.close()


def timed[T](call: Callable[[], T]) -> tuple[T, float]:
    began = time.monotonic()
    return call(), time.monotonic() - began


@pytest.mark.timeout(300)
@pytest.mark.needs("postgres")
def test_silent_sql_stops_neither_api_nor_pages(deployment: Deployment, proxy: SilentProxy) -> None:
    deployment.variables["DATABASE_URL"] = f"postgres://bbws@127.0.0.1:{proxy.port}/postgres"
    deployment.migrate()
    deployment.start_web()

    def page() -> tuple[int, bytes]:
        with closing(HTTPConnection("127.0.0.1", deployment.port, timeout=30)) as connection:
            connection.request("GET", "/admin/login/", headers=COOKIE)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def readiness() -> int:
        return deployment.call("GET", "/readyz")[0]

    assert page()[0] == 200  # the page for logging in
    assert readiness() == 200
    with proxy.silent(), ThreadPoolExecutor(CALLERS) as callers:
        began = time.monotonic()
        asked = [callers.submit(timed, page) for _ in range(CALLERS)]
        new = {"productId": "p1", "name": "One", "description": "Hosting for one.", "price": "1"}
        accepted, seconds = timed(lambda: deployment.call("POST", "/v1.0/products", new))
        assert (accepted[0], seconds < MARGIN) == (202, True)
        pages = [future.result() for future in asked]
        assert {answer[0] for answer, _ in pages} == {503}
        assert all(b"user database does not answer" in answer[1] for answer, _ in pages)
        assert max(seconds for _, seconds in pages) < RESPONSE_SECONDS + MARGIN
        assert until(lambda: readiness() == 503, seconds=RESPONSE_SECONDS + MARGIN)
        assert time.monotonic() - began < 2 * RESPONSE_SECONDS + MARGIN
    assert until(lambda: page()[0] == 200)
    assert until(lambda: readiness() == 200)


ASK = """
import time, django; django.setup()
from products.adapters.sql import account_permissions
from products.errors import DependencyUnavailable
began = time.monotonic()
try:
    account_permissions("ann")
except DependencyUnavailable:
    print(time.monotonic() - began)
"""


@pytest.mark.needs("postgres")
def test_worker_gives_up_silent_sql(proxy: SilentProxy, deployment: Deployment) -> None:
    url = f"postgres://bbws@127.0.0.1:{proxy.port}/postgres"
    with proxy.silent():
        asked = subprocess.run(
            [sys.executable, "-c", ASK],
            cwd=ROOT,
            env=deployment.variables | {"DATABASE_URL": url},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert float(asked.stdout) < CONNECT_SECONDS + MARGIN


# The breaker


def hang(silence: Silence, clock: Ticks, seconds: float) -> None:
    """Make a call that its limit ends."""
    with suppress(psycopg.OperationalError), silence.limit(seconds):
        clock.now += seconds
        raise psycopg.OperationalError("no answer")


def is_refused(silence: Silence) -> bool:
    try:
        with silence.limit(5):
            return False
    except psycopg.OperationalError:
        return True


def test_pause_follows_a_time_out() -> None:
    clock = Ticks()
    silence = Silence(clock)
    hang(silence, clock, 5)
    assert is_refused(silence)
    clock.now += PAUSE_SECONDS
    assert not is_refused(silence)


def test_one_thread_asks_after_the_pause() -> None:
    clock = Ticks()
    silence = Silence(clock)
    hang(silence, clock, 5)
    clock.now += PAUSE_SECONDS
    with silence.limit(5):
        assert is_refused(silence)
    with silence.limit(5):
        assert not is_refused(silence)  # an answer has come


def test_few_threads_wait_for_a_slow_database() -> None:
    clock = Ticks()
    silence = Silence(clock)
    with ExitStack() as calls:
        for _ in range(MAX_WAITING):
            calls.enter_context(silence.limit(5))
        clock.now += SLOW_SECONDS
        assert is_refused(silence)
    assert not is_refused(silence)


def test_thread_waits_for_its_turn_while_answers_come() -> None:
    silence = Silence(Ticks())
    with ThreadPoolExecutor(1) as pool, ExitStack() as calls:
        for _ in range(MAX_WAITING):
            calls.enter_context(silence.limit(5))
        waits = pool.submit(is_refused, silence)
        calls.close()
        assert waits.result(5) is False


def test_error_of_a_statement_is_no_silence() -> None:
    silence = Silence(Ticks())
    with pytest.raises(psycopg.OperationalError), silence.limit(5):
        raise psycopg.OperationalError("canceling statement due to statement timeout")
    assert not is_refused(silence)
