"""The web server as a process: what it is told, how it ends, and what becomes of heads that others would not send."""

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from http.client import HTTPResponse
from pathlib import Path

import pytest

from bbws_products.server import KEEP_ALIVE_SECONDS
from deploy.local.engines import ROOT
from tests.support.builders import fields
from tests.support.processes import Deployment, until

IDLE_OF_LOAD_BALANCER = 60  # AWS's default, which Terraform leaves as it is
CONTAINERS = ROOT / "deploy/terraform/modules/containers"


def raw(deployment: Deployment, head: str, body: bytes = b"") -> bytes:
    """All that is answered to these very bytes, until the server closes."""
    with socket.create_connection(("127.0.0.1", deployment.port), timeout=280) as channel:
        channel.sendall(
            head.replace("\n", "\r\n").encode() + b"\r\nConnection: close\r\n\r\n" + body
        )
        answer = b""
        while part := channel.recv(65_536):
            answer += part
    return answer


def test_it_is_set_by_the_environment() -> None:
    told = {
        "HOST": "127.0.0.2",
        "PORT": "9000",
        "WEB_CONCURRENCY": "3",
        "WEB_THREADS": "5",
        "WEB_GRACEFUL_TIMEOUT": "7",
    }
    shown = "s.bind_addr, s.bind_port, s.workers, s.blocking_threads, s.workers_kill_timeout"
    script = f"from bbws_products.server import build_server; s = build_server(); print({shown})"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | told,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == list(told.values())


def test_it_keeps_connections_longer_than_the_load_balancer_does() -> None:
    terraform = (CONTAINERS / "load_balancer.tf").read_text()
    assert "idle_timeout" not in terraform
    assert KEEP_ALIVE_SECONDS > IDLE_OF_LOAD_BALANCER


def test_the_load_balancer_drops_header_names_that_the_server_would_take_for_others() -> None:
    # X_Forwarded_For reads as X-Forwarded-For, which NUM_PROXIES trusts.
    assert "drop_invalid_header_fields = true" in (CONTAINERS / "load_balancer.tf").read_text()


def test_what_is_asked_when_it_is_told_to_end_is_still_answered(deployment: Deployment) -> None:
    web = deployment.start_web()
    answers: list[int] = []

    def create_and_wait() -> None:
        # No worker runs, so this lasts three seconds.
        answers.append(
            deployment.call(
                "POST", "/v1.0/products", {"productId": "p1", **fields()}, Prefer="wait=3"
            )[0]
        )

    client = threading.Thread(target=create_and_wait)
    client.start()
    until(lambda: deployment.receipt("p1").get("version") == 1)
    web.send_signal(signal.SIGTERM)
    client.join(30)
    assert answers == [202]
    assert web.wait(30) == 0


@pytest.mark.parametrize("length", [20, 20_000, 2_000_000])
@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        ("/v1.0/products", "text/plain", 401),
        ("/none", "text/plain", 404),
        ("/v1.0/products", "application/json", 401),
    ],
)
def test_a_refusal_leaves_the_connection_to_the_next_request(
    deployment: Deployment, path: str, kind: str, status: int, length: int
) -> None:
    deployment.start_web(THROTTLE_PUBLIC="0")
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", deployment.port), timeout=280) as channel:
        for _ in range(10):
            channel.sendall(head.encode())
            channel.sendall(b"x" * length)  # which nobody waits for
            answer = HTTPResponse(channel)
            answer.begin()
            answer.read()
            assert answer.status == status


def test_a_process_of_it_that_dies_is_replaced(deployment: Deployment) -> None:
    web = deployment.start_web()
    [first] = children(web.pid)
    os.kill(first, signal.SIGKILL)
    until(lambda: children(web.pid) not in ([], [first]))
    until(lambda: is_answering(deployment))


def is_answering(deployment: Deployment) -> bool:
    with suppress(OSError):
        return deployment.call("GET", "/healthz")[0] == 200
    return False


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /v1.0/products HTTP/1.1\nHost: localhost\nHost: evil.example", 400),
        ("GET /v1.0/products HTTP/1.1\nHost: evil.example", 400),
        ("GET /v1.0/products/%FF%FE HTTP/1.1\nHost: localhost", 400),
        ("GET /v1.0/products HTTP/1.1\nHost: localhost\nX-Long: " + "a" * 500_000, 431),
    ],
)
def test_odd_heads_are_refused_or_answered_but_never_by_a_fault_of_ours(
    deployment: Deployment, head: str, status: int
) -> None:
    deployment.start_web()
    assert raw(deployment, head).split()[1] == str(status).encode()
