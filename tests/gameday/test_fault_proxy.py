"""Tests of the fault proxy: each fault, and unchanged forwarding of everything else."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.gameday.fault_proxy import HANG, LOSE, PASS, RESET, Action, Proxy, Replace, Request
from tests.gameday.proxies import proxies_before


class Engine(ThreadingHTTPServer):
    """A server that echoes bodies. ``met`` holds the bodies, ``callers`` the connections."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Echo)
        self.met: list[bytes] = []
        self.callers: set[Any] = set()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client_thread that hung up is part of the game."""


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Engine

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.met.append(body)
        self.server.callers.add(self.client_address)
        self.send_response(201)
        self.send_header("X-Kept", self.headers.get("X-Given", ""))
        if body == b"in parts":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\nin \r\n5\r\nparts\r\n0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "77")
        self.end_headers()

    def do_DELETE(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Write no log."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def proxy(engine: Engine) -> Iterator[Proxy]:
    made = Proxy(f"http://127.0.0.1:{engine.server_port}")
    yield made
    made.close()


@pytest.fixture
def client(proxy: Proxy) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)) as made:
        yield made


def post(
    client: http.client.HTTPConnection, body: bytes = b"hello", **headers: str
) -> tuple[int, bytes]:
    client.request("POST", "/", body, headers)
    answer = client.getresponse()
    return answer.status, answer.read()


def is_cut_off(client: http.client.HTTPConnection) -> bool:
    try:
        post(client)
    except (OSError, http.client.HTTPException):
        client.close()
        return True
    return False


def test_requests_share_a_connection_on_both_sides(
    engine: Engine, client: http.client.HTTPConnection
) -> None:
    answers = [post(client, body) for body in (b"one", b"in parts", b"", b"x" * 300_000)]
    assert answers == [(201, b"one"), (201, b"in parts"), (201, b""), (201, b"x" * 300_000)]
    assert len(engine.callers) == 1


def test_headers_pass_unchanged_and_no_body_is_added(client: http.client.HTTPConnection) -> None:
    client.request("POST", "/", b"x", {"X-Given": "kept: so", "Expect": "100-continue"})
    answer = client.getresponse()
    assert (answer.headers["X-Kept"], answer.read()) == ("kept: so", b"x")
    client.request("HEAD", "/")
    answer = client.getresponse()
    assert (answer.headers["Content-Length"], answer.read()) == ("77", b"")
    client.request("DELETE", "/")
    assert client.getresponse().read() == b""
    client.request("POST", "/", b"y", {"Connection": "close"})
    assert client.getresponse().headers["Connection"] == "close"


def test_lost_answer_reaches_the_engine_and_reset_does_not(
    engine: Engine, proxy: Proxy, client: http.client.HTTPConnection
) -> None:
    proxy.fault = lambda request: LOSE
    assert is_cut_off(client)
    assert engine.met == [b"hello"]
    proxy.fault = lambda request: RESET
    assert is_cut_off(client)
    assert engine.met == [b"hello"]


def test_body_can_be_doubled_replaced_or_answered_by_the_proxy(
    engine: Engine, proxy: Proxy, client: http.client.HTTPConnection
) -> None:
    proxy.fault = lambda request: Replace((request.body, b"last"))
    assert post(client) == (201, b"last")
    proxy.fault = lambda request: Replace((), b"made up")
    assert post(client) == (200, b"made up")
    assert engine.met == [b"hello", b"last"]
    proxy.fault = lambda request: 503
    assert post(client)[0] == 503


def test_slow_engine_answers_and_hanging_engine_does_not(
    engine: Engine, proxy: Proxy, client: http.client.HTTPConnection
) -> None:
    proxy.fault = lambda request: 0.2
    began = time.monotonic()
    assert post(client) == (201, b"hello")
    assert time.monotonic() - began >= 0.2
    proxy.fault = lambda request: HANG
    threading.Timer(0.1, proxy.released.set).start()
    assert is_cut_off(client)
    assert engine.met == [b"hello"]


def test_cut_closes_open_connections_and_listen_reuses_the_port(
    engine: Engine, proxy: Proxy, client: http.client.HTTPConnection
) -> None:
    assert post(client) == (201, b"hello")
    port = proxy.port
    waiting = threading.Event()

    def fault(request: Request) -> Action:
        waiting.set()
        return 0.5

    proxy.fault = fault
    cut_off: list[bool] = []
    client_thread = threading.Thread(target=lambda: cut_off.append(is_cut_off(client)))
    client_thread.start()
    assert waiting.wait(10)
    proxy.cut()
    client_thread.join(10)
    assert cut_off == [True]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    proxy.fault = lambda request: PASS
    proxy.listen()
    assert post(client) == (201, b"hello")
    assert proxy.port == port


def test_stopped_engine_cuts_off_its_clients(engine: Engine, proxy: Proxy) -> None:
    engine.shutdown()
    engine.server_close()
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)) as client:
        assert is_cut_off(client)


def observed_outcome(client: http.client.HTTPConnection) -> str:
    began = time.monotonic()
    try:
        status, _ = post(client)
    except (OSError, http.client.HTTPException):
        client.close()
        return "cut off"
    return "slow" if time.monotonic() - began >= 0.4 else str(status)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("cut", {"cut off"}),
        ("hang", {"cut off"}),
        ("slow", {"slow"}),
        ("fail", {"503"}),
        ("lose answers of", {"cut off", "201"}),
    ],
)
def test_injected_fault_ends_with_its_block(engine: Engine, what: str, expected: set[str]) -> None:
    address = f"http://127.0.0.1:{engine.server_port}"
    proxies = proxies_before(dict.fromkeys(("sqs", "web", "s3"), address), seed=1)
    with closing(
        http.client.HTTPConnection("127.0.0.1", proxies["s3"].proxy.port, timeout=2)
    ) as client:
        with proxies["s3"].injecting(what):
            assert {observed_outcome(client) for _ in range(2)} == expected
        assert post(client) == (201, b"hello")
    proxies.close()
