"""A worker survives every fault of SQS: it consumes again within seconds, without a restart."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tasks.heartbeat import main, silent_queues
from tasks.queues import queue_names
from tests.gameday.fault_proxy import HANG, PASS, RESET, Proxy, Request
from tests.support.builders import fields
from tests.support.processes import Deployment, until


class Credentials:
    """A server of container credentials, which are valid for seconds; it can be made to fail."""

    def __init__(self) -> None:
        self.is_working = True
        self.refusals = 0
        credentials = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                credentials.refusals += not credentials.is_working
                self.send_response(200 if credentials.is_working else 500)
                self.end_headers()
                expiry = (datetime.now(UTC) + timedelta(seconds=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
                keys = {
                    "AccessKeyId": "local",
                    "SecretAccessKey": "local",
                    "Token": "t",
                    "Expiration": expiry,
                }
                self.wfile.write(json.dumps(keys).encode())

            def log_message(self, *args: Any) -> None:
                """Print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/role"


@pytest.fixture
def role() -> Iterator[Credentials]:
    credentials = Credentials()
    yield credentials
    credentials.server.shutdown()
    credentials.server.server_close()


def is_poll(request: Request) -> bool:
    return request.operation == "ReceiveMessage"


def cause_fault(sqs: Proxy, role: Credentials, fault: str | int) -> None:
    """Cause the fault, and wait until polls have met it."""
    met = len(sqs.seen)
    if fault == "credentials":
        role.is_working = False
        until(lambda: role.refusals)
    elif fault == "refused":
        sqs.refuse()
        time.sleep(2.5)  # the duration of the fault
    else:
        sqs.fault = lambda request: fault if is_poll(request) else PASS
        for _ in range(1 if fault == HANG else 6):
            met = sqs.wait_for(is_poll, after=met)


def end_fault(sqs: Proxy, role: Credentials, fault: str | int) -> None:
    role.is_working = True
    sqs.fault = lambda request: PASS
    if fault == "refused":
        sqs.listen()


@pytest.mark.timeout(180)
def test_a_worker_survives_every_fault_of_sqs(
    deployment: Deployment, aws: Proxy, role: Credentials
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        deployment.variables.pop(name)
    worker = deployment.start_worker(
        AWS_ENDPOINT_URL_SQS=aws.url,
        AWS_CONTAINER_CREDENTIALS_FULL_URI=role.url,
        AWS_METADATA_SERVICE_NUM_ATTEMPTS="1",
    )
    deployment.variables |= {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    deployment.start_web()
    create_and_complete(deployment, "start")
    for fault in (500, RESET, "refused", 403, "credentials", HANG):
        cause_fault(aws, role, fault)
        end_fault(aws, role, fault)
        create_and_complete(deployment, str(fault))
        assert worker.poll() is None, f"the worker died of {fault}"
    beats = Path(deployment.variables["HEARTBEAT_DIR"])
    queues = list(queue_names(deployment.env).values())
    until(lambda: not silent_queues(beats, queues, time.time(), stale=5))
    assert main([str(beats), *queues]) is None


def create_and_complete(deployment: Deployment, name: str) -> None:
    """Create a product and wait for its effects, which need all four queues to be polled."""
    body = fields(productId=name, name=f"Hosting {name}")
    status, _, _ = deployment.call("POST", "/v1.0/products", body)
    assert status == 202
    deployment.complete(name)


def test_a_queue_that_is_not_polled_fails_the_health_check(tmp_path: Path) -> None:
    (tmp_path / "polled").touch()
    now = (tmp_path / "polled").stat().st_mtime
    assert silent_queues(tmp_path, ["polled", "never"], now + 10) == ["never"]
    assert silent_queues(tmp_path, ["polled"], now + 61) == ["polled"]
    assert main([str(tmp_path), "never"]) == "not polled for 60 s: never"
