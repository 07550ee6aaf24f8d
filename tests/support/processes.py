"""The product as real processes (web server, worker, scheduler) with their own resources."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from deploy.local.engines import (
    ROOT,
    Engines,
    app_environment,
    free_port,
    kill_group,
    spawn,
    stop,
    wait_for,
)
from deploy.local.resources import create_bucket, create_queues
from products.access import tokens
from tasks.queues import queue_names
from tests.support.world import World, fresh_world

BIN = Path(sys.executable).parent
MEASURED: dict[str, str] = {}  # variables that let coverage measure a process
MAX_WAIT_SECONDS = 120.0  # seconds; only a hanging process reaches it


def until[T](look: Callable[[], T], *, seconds: float = MAX_WAIT_SECONDS) -> T:
    """Call ``look`` until its result is true, and return the result.

    Raise AssertionError after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"still {found!r} after {seconds:g} s")
        time.sleep(0.05)
    return found


ANN = SimpleNamespace(get_username=lambda: "ann")
EVERYTHING = [f"products.{verb}_product" for verb in ("view", "add", "change", "delete", "plan")]


class Deployment:
    """Start and kill the processes of one environment, and call it as its clients do."""

    def __init__(self, engines: Engines, home: Path, *, visibility: int = 3) -> None:
        self.env = f"t{uuid.uuid4().hex[:8]}"
        self.home = home
        create_queues(self.env, visibility)
        create_bucket(f"bbws-product-media-{self.env}")
        self.world: World = fresh_world(engines, self.env)
        self.port = free_port()
        self.children: list[subprocess.Popen[str]] = []
        self.variables = self._variables(engines)

    def _variables(self, engines: Engines) -> dict[str, str]:
        own = app_environment(engines, env=self.env, home=self.home) | {
            "AUDIT_BUCKET": self.world.bucket,
            "CLOUDFRONT_DISTRIBUTION_ID": self.world.distribution,
            "PRODUCTS_TABLE": self.world.table,
            "SEARCH_ALIAS": self.world.alias,
            "SQS_WAIT_SECONDS": "1",  # a worker ends only after its last poll
        }
        return {**os.environ, **own}

    # Processes

    def start_web(self, **changes: str) -> subprocess.Popen[str]:
        one = {"PORT": str(self.port), "WEB_CONCURRENCY": "1"}
        web = self._start("web", [sys.executable, "-m", "bbws_products.server"], one | changes)
        wait_for(self.url("/healthz"), web, f"web ({self.log('web')})")
        return web

    def start_worker(self, **changes: str) -> subprocess.Popen[str]:
        return self._start("worker", [sys.executable, "-m", "tasks.worker"], MEASURED | changes)

    def await_worker(self) -> None:
        """Wait until the worker polls each queue, so that tests do not measure its start."""
        beats = [
            Path(self.variables["HEARTBEAT_DIR"], name) for name in queue_names(self.env).values()
        ]
        until(lambda: all(beat.exists() for beat in beats))

    def start_scheduler(self, **changes: str) -> subprocess.Popen[str]:
        command = [
            "beat",
            "--schedule",
            str(self.home / "beat"),
            "--pidfile=",
            "--loglevel",
            "INFO",
        ]
        return self._start(
            "scheduler", [str(BIN / "celery"), "-q", "-A", "bbws_products", *command], changes
        )

    def migrate(self) -> None:
        """Create the SQL tables, which only tests with sessions need."""
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=self.variables, check=True, timeout=280)

    def create_owner(self) -> None:
        """Create the account of the token's user: a plan starts with its owner's permissions."""
        self.migrate()
        account = f'User.objects.create(username="{ANN.get_username()}", is_superuser=True)'
        program = f"from django.contrib.auth.models import User; {account}"
        command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", program]
        subprocess.run(command, cwd=ROOT, env=self.variables, check=True, timeout=280)

    def _start(
        self, name: str, command: list[str], changes: dict[str, str]
    ) -> subprocess.Popen[str]:
        with self.log(name).open("a") as log:
            child = spawn(command, self.variables | changes, output=log.fileno())
        self.children.append(child)
        return child

    def log(self, name: str) -> Path:
        return self.home / f"{self.env}-{name}.log"

    def kill(self, child: subprocess.Popen[str]) -> None:
        """Kill a process and its children, as a machine failure does."""
        kill_group(child)

    def stop(self) -> None:
        stop(*self.children)

    # Clients

    def token(self) -> str:
        return tokens.sign(
            ANN, EVERYTHING, at=datetime.now(UTC), lifetime=timedelta(hours=1), token_id="t"
        )

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def call(
        self, method: str, path: str, body: Any = None, *, timeout: float = 20, **headers: str
    ) -> tuple[int, Any, Any]:
        """Send a request and return the status, body and headers of the response."""
        sent = {
            "Authorization": f"Bearer {self.token()}",
            "Content-Type": "application/json",
            **headers,
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url(path), data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, _json(answer.read()), answer.headers
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, _json(refused.read()), refused.headers

    def receipt(self, product_id: str, version: int = 1) -> dict[str, Any]:
        return dict(self.call("GET", f"/v1.0/products/{product_id}/changes/{version}")[1])

    def complete(self, product_id: str, version: int = 1) -> dict[str, Any]:
        """Wait until all effects of a change are complete, and return its receipt."""

        def complete_receipt() -> dict[str, Any]:
            receipt = self.receipt(product_id, version)
            return receipt if receipt["status"] == "complete" else {}

        return until(complete_receipt)

    def assert_one_of_each(self, product_id: str) -> None:
        """Assert that a product with one version has one record, document and audit record."""
        record, document = self.world.record(product_id), self.world.document(product_id)
        assert record is not None
        assert document is not None
        assert (record["version"], document["version"]) == (1, 1)
        assert len([key for key in self.world.audit_records() if f"/{product_id}_" in key]) == 1


def _json(body: bytes) -> Any:
    with suppress(ValueError):
        return json.loads(body)
    return None
