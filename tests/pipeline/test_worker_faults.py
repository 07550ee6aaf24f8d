"""One worker, every fault SQS has: it is consuming again within seconds, without a restart.

Kombu 5.7.0 as shipped dies of the first four and falls silent for ever on the last two, so this test also tells when
an upgrade makes tasks/sqs_transport.py superfluous, or breaks it.
"""

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
    """What a container role is: an address that gives keys for a few seconds - or, when told to, gives none."""

    def __init__(self) -> None:
        self.working = True
        self.refusals = 0
        credentials = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                credentials.refusals += not credentials.working
                self.send_response(200 if credentials.working else 500)
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
                """Quiet."""

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


def fail(sqs: Proxy, role: Credentials, fault: str | int) -> None:
    """Bring the fault about, and see that polls have met it."""
    met = len(sqs.seen)
    if fault == "credentials":
        role.working = False
        until(lambda: role.refusals)
    elif fault == "refused":
        sqs.refuse()
        time.sleep(2.5)  # the fault itself: how long nobody listens
    else:
        sqs.fault = lambda request: fault if is_poll(request) else PASS
        for _ in range(1 if fault == HANG else 6):
            met = sqs.wait_for(is_poll, after=met)


def mend(sqs: Proxy, role: Credentials, fault: str | int) -> None:
    role.working = True
    sqs.fault = lambda request: PASS
    if fault == "refused":
        sqs.listen()


@pytest.mark.timeout(180)
def test_a_worker_outlives_every_fault_of_sqs(
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
    write(deployment, "start")
    for fault in (500, RESET, "refused", 403, "credentials", HANG):
        fail(aws, role, fault)
        mend(aws, role, fault)
        write(deployment, str(fault))
        assert worker.poll() is None, f"the worker died of {fault}"
    beats = Path(deployment.variables["HEARTBEAT_DIR"])
    queues = list(queue_names(deployment.env).values())
    until(lambda: not silent_queues(beats, queues, time.time(), stale=5))
    assert main([str(beats), *queues]) is None


def write(deployment: Deployment, name: str) -> None:
    """A write whose effects come about: all four queues are being polled."""
    assert (
        deployment.call("POST", "/v1.0/products", fields(productId=name, name=f"Hosting {name}"))[0]
        == 202
    )
    deployment.complete(name)


def test_a_queue_that_is_not_polled_fails_the_health_check(tmp_path: Path) -> None:
    (tmp_path / "polled").touch()
    now = (tmp_path / "polled").stat().st_mtime
    assert silent_queues(tmp_path, ["polled", "never"], now + 10) == ["never"]
    assert silent_queues(tmp_path, ["polled"], now + 61) == ["polled"]
    assert main([str(tmp_path), "never"]) == "not polled for 60 s: never"
