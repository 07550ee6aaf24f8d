"""Compare plain reads with those while hostile clients, or staff who wait, load the web server."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from deploy.local.engines import free_port
from tests.bench.fill import fill
from tests.bench.load import drive, request
from tests.bench.measurement import percentile
from tests.bench.report import Row
from tests.bench.stack import Server, Stack
from tests.bench.waits import start_wait
from tests.gameday.hostile_clients import CONNECTIONS, hostile_clients

PRODUCTS = 1_000
READS = 300
MAX_SECONDS = 20
"""Of the reads next to one kind of client: a server that they stop would take an hour otherwise."""
WAITERS = 100
MAX_MILLISECONDS = 100  # at p99
READER = "10.1.0.1"
"""The address of the reader. Each hostile client has one of its own: limits are by address."""


def measure(stack: Stack, *, rounds: int, count: int) -> list[Row]:
    """Measure plain reads next to each kind of hostile client. The search engine hangs."""
    del rounds, count  # each kind is measured once, for as long as the reads take
    fill("bbws-products-dev", 0, PRODUCTS)
    with _hanging_port() as port:
        web = stack.web(
            WEB_CONCURRENCY="2",
            HOT_ANSWER_SECONDS="0",
            OPENSEARCH_URL=f"http://127.0.0.1:{port}",
        )
        token = stack.token()
        _reads(web)
        quiet = _milliseconds(_reads(web))
        attacks: list[tuple[str, AbstractContextManager[None]]] = [
            (f"{CONNECTIONS} idle connections, half requests and dripping bodies", _half(web)),
            *[(f"{CONNECTIONS} clients loop on {what}", _loops(web, path)) for what, path in LOOPS],
            (f"{WAITERS} staff wait for an effect", _waiters(web, token)),
        ]
        return [_row(what, attack, web, quiet) for what, attack in attacks]


LOOPS = [
    ("/v1.0/schema", "/v1.0/schema"),
    ("/readyz", "/readyz"),
    ("a search, while OpenSearch hangs", "/v1.0/products?q=hosting"),
    ("a list", "/v1.0/products?limit=100"),
    ("the page for logging in", "/admin/login/"),
]


def _row(what: str, attack: AbstractContextManager[None], web: Server, quiet: float) -> Row:
    with attack:
        time.sleep(1)
        busy = _milliseconds(_reads(web))
    return Row(
        f"A product, while {what}",
        f"p99 {busy:.0f} ms",
        f"without them: p99 {quiet:.0f} ms",
        f"{busy / quiet:.1f} ×",
        f"p99 ≤ {MAX_MILLISECONDS} ms",
        "reached" if busy <= MAX_MILLISECONDS else "**missed**",
    )


def _reads(web: Server) -> list[float]:
    paths = (f"/v1.0/products/b{number * 7919 % PRODUCTS:07}" for number in range(READS))
    sent = (request("GET", path, X_Forwarded_For=READER) for path in paths)
    return drive(web.port, _paced(sent), connections=1, expected=200)


def _paced(requests: Iterator[bytes]) -> Iterator[bytes]:
    """Yield at most fifty requests a second, which is below the limit of one address.

    End after MAX_SECONDS.
    """
    end = time.monotonic() + MAX_SECONDS
    for sent in requests:
        if time.monotonic() > end:
            return
        time.sleep(0.02)
        yield sent


def _milliseconds(seconds: list[float]) -> float:
    return 1000 * percentile(seconds, 0.99)


def _half(web: Server) -> AbstractContextManager[None]:
    return hostile_clients(web.port)


@contextmanager
def _loops(web: Server, path: str) -> Iterator[None]:
    """Let each client ask for the path again and again."""
    stopping = threading.Event()
    with _threads(stopping, lambda number: _loop(web.port, path, number, stopping)):
        yield


def _loop(port: int, path: str, number: int, stopping: threading.Event) -> None:
    sent = request("GET", path, X_Forwarded_For=f"10.0.0.{number}")
    while not stopping.is_set():
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
            while not stopping.is_set():
                peer.sendall(sent)
                if not peer.recv(262_144):
                    break


@contextmanager
def _threads(stopping: threading.Event, run: Callable[[int], None]) -> Iterator[None]:
    threads = [threading.Thread(target=run, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


@contextmanager
def _waiters(web: Server, token: str) -> Iterator[None]:
    """Let staff wait for effects that no worker brings about."""
    channels = [start_wait(web, token) for _ in range(WAITERS)]
    try:
        yield
    finally:
        for channel in channels:
            channel.close()


@contextmanager
def _hanging_port() -> Iterator[int]:
    """Accept connections, and answer nothing."""
    with socket.create_server(("127.0.0.1", free_port()), backlog=512) as listener:
        yield int(listener.getsockname()[1])
