"""The web server as a process: configuration, shutdown, and unusual requests."""

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from http.client import HTTPResponse
from pathlib import Path

import pytest

from bbws_products.request_bodies import SMALL_BYTES
from bbws_products.server import KEEP_ALIVE_SECONDS
from deploy.local.engines import ROOT
from tests.support.builders import fields
from tests.support.processes import Deployment, until

LOAD_BALANCER_IDLE_SECONDS = 60  # AWS's default, which Terraform does not change
IDLE_CONNECTIONS = 1_500  # more than Granian allows where nothing is said
NEEDED_FILES = IDLE_CONNECTIONS + 500
FILE_LIMITS = resource.getrlimit(resource.RLIMIT_NOFILE)
"""The soft and the hard limit of open files."""
CONTAINERS = ROOT / "deploy/terraform/modules/containers"


def send_raw(deployment: Deployment, head: str) -> bytes:
    """Send exactly this request; return everything the server sends until it closes."""
    request = head.replace("\n", "\r\n").encode() + b"\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", deployment.port), timeout=280) as channel:
        channel.sendall(request)
        answer = b""
        while part := channel.recv(65_536):
            answer += part
    return answer


def test_server_is_configured_by_the_environment() -> None:
    variables = {
        "HOST": "127.0.0.2",
        "PORT": "9000",
        "WEB_CONCURRENCY": "3",
        "WEB_GRACEFUL_TIMEOUT": "7",
    }
    attributes = "s.bind_addr, s.bind_port, s.workers, s.workers_kill_timeout"
    create = "from bbws_products.server import build_server; s = build_server()"
    script = f"{create}; print({attributes})"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == list(variables.values())


def test_server_keeps_connections_longer_than_the_load_balancer() -> None:
    terraform = (CONTAINERS / "load_balancer.tf").read_text()
    assert "idle_timeout" not in terraform
    assert KEEP_ALIVE_SECONDS > LOAD_BALANCER_IDLE_SECONDS


def test_load_balancer_drops_ambiguous_header_names() -> None:
    # In WSGI X_Forwarded_For is the same as X-Forwarded-For, which NUM_PROXIES trusts.
    assert "drop_invalid_header_fields = true" in (CONTAINERS / "load_balancer.tf").read_text()


def test_open_requests_are_answered_during_shutdown(deployment: Deployment) -> None:
    web = deployment.start_web()
    answers: list[int] = []

    def create_and_wait() -> None:
        # No worker runs, so this takes three seconds.
        product = {"productId": "p1", **fields()}
        status, _, _ = deployment.call("POST", "/v1.0/products", product, Prefer="wait=3")
        answers.append(status)

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
def test_connection_stays_usable_after_a_refusal(
    deployment: Deployment, path: str, kind: str, status: int, length: int
) -> None:
    if path == "/none" and length > SMALL_BYTES:
        status = 413  # outside the API, a large body needs a login at every address
    deployment.start_web(THROTTLE_PUBLIC="0")
    headers = f"Host: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
    head = f"POST {path} HTTP/1.1\r\n{headers}\r\n"
    with socket.create_connection(("127.0.0.1", deployment.port), timeout=280) as channel:
        for _ in range(10):
            channel.sendall(head.encode())
            channel.sendall(b"x" * length)  # the view does not read it
            answer = HTTPResponse(channel)
            answer.begin()
            answer.read()
            assert answer.status == status


def test_killed_process_is_replaced(deployment: Deployment) -> None:
    web = deployment.start_web()
    [first] = children(web.pid)
    os.kill(first, signal.SIGKILL)
    until(lambda: children(web.pid) not in ([], [first]))
    until(lambda: is_answering(deployment))


def test_processes_end_with_a_killed_server(deployment: Deployment) -> None:
    web = deployment.start_web(WEB_CONCURRENCY="2")
    processes = children(web.pid)
    assert len(processes) == 2
    os.kill(web.pid, signal.SIGKILL)
    until(lambda: not any(Path(f"/proc/{process}").exists() for process in processes))


@pytest.mark.skipif(FILE_LIMITS[1] < NEEDED_FILES, reason="this machine allows too few open files")
def test_idle_connections_leave_others_answered(deployment: Deployment) -> None:
    soft, hard = FILE_LIMITS
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, NEEDED_FILES), hard))
    deployment.start_web()
    with ExitStack() as idle:
        for _ in range(IDLE_CONNECTIONS):
            channel = socket.create_connection(("127.0.0.1", deployment.port), timeout=60)
            idle.enter_context(channel).sendall(b"GET /v1.0/products HTTP/1.1\r\nHost: loc")
        assert deployment.call("GET", "/healthz", timeout=KEEP_ALIVE_SECONDS / 2)[0] == 200


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
        ("GET /v1.0/products HTTP/1.1\nHost: localhost\nX-Long: " + "a" * 20_000, 200),
        ("GET /v1.0/products HTTP/1.1\nHost: localhost\nX-Long: " + "a" * 30_000, 431),
        ("GET /v1.0/products HTTP/1.1\nHost: localhost\nX-Long: " + "a" * 500_000, 431),
    ],
)
def test_malformed_headers_cause_no_server_error(
    deployment: Deployment, head: str, status: int
) -> None:
    deployment.start_web()
    assert send_raw(deployment, head).split()[1] == str(status).encode()
