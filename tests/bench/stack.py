"""The product, the peer and the bare calls, each as processes of its own before the same engines."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

from deploy.local.engines import (
    Engines,
    app_environment,
    free_port,
    kill_group,
    spawn,
    stop,
    wait_for,
)
from tests.second_engines.dynamodb_local import DynamoDBLocal

BIN = Path(sys.executable).parent
# One process, so that a figure is that of one core; the same for the product and for the peer.
ONE_PROCESS = {"WEB_CONCURRENCY": "1"}
GRANIAN = [
    "--interface",
    "wsgi",
    "--http",
    "1",
    "--workers",
    "1",
    "--blocking-threads",
    "8",
    "--log-level",
    "warning",
]
QUIET = ["-W", "ignore:You're running the worker with superuser"]
PASSPORT = {
    "SECRET_KEY": "insecure-key-of-the-bench-0123456789",
    "TOKEN_KEYS": "insecure-token-key-of-the-bench-012345",
}


@dataclass(frozen=True)
class Server:
    pid: int
    port: int


@dataclass(frozen=True)
class Stack:
    """Engines with an environment's resources, and whatever is started on them until the bench ends."""

    home: Path
    engines: Engines
    dynamodb: DynamoDBLocal
    variables: dict[str, str]
    ends: ExitStack

    def web(self, **changes: str) -> Server:
        """The product, as it is served."""
        port = free_port()
        child = self.start(
            "web",
            [sys.executable, "-m", "bbws_products.server"],
            changes | ONE_PROCESS | {"PORT": str(port)},
        )
        return self._serving(child, port, "web")

    def peer(self) -> Server:
        port = free_port()
        address = ["--host", "127.0.0.1", "--port", str(port)]
        child = self.start(
            "peer",
            [str(BIN / "granian"), *GRANIAN, *address, "tests.bench.peer.wsgi:application"],
            {},
        )
        return self._serving(child, port, "peer")

    def _serving(self, child: subprocess.Popen[str], port: int, name: str) -> Server:
        wait_for(f"http://127.0.0.1:{port}/healthz", child, f"{name} (log: {self.home})", 90)
        return Server(child.pid, port)

    def worker(self, concurrency: int, **changes: str) -> subprocess.Popen[str]:
        options = [
            "worker",
            "--concurrency",
            str(concurrency),
            "--loglevel",
            "WARNING",
            "--hostname",
            "bench@%h",
        ]
        return self.start(
            "worker",
            [sys.executable, *QUIET, "-m", "celery", "-q", "-A", "bbws_products", *options],
            changes,
        )

    def start(
        self, name: str, command: list[str], changes: dict[str, str]
    ) -> subprocess.Popen[str]:
        with (self.home / f"{name}.log").open("a") as log:
            child = spawn(command, self.variables | changes, output=log.fileno())
        self.ends.callback(kill_group, child)
        self.ends.callback(stop, child)
        return child

    def token(self) -> str:
        django.setup()
        from products.access import tokens  # noqa: PLC0415 # only now there are settings
        from tests.support.processes import ANN, EVERYTHING  # noqa: PLC0415

        os.environ.update(self.variables)  # what tests import points elsewhere
        return tokens.sign(
            ANN, EVERYTHING, at=datetime.now(UTC), lifetime=timedelta(hours=9), token_id="t"
        )


@contextmanager
def stack() -> Iterator[Stack]:
    """Everything is on loopback and in a directory of its own, and is gone at the end."""
    with ExitStack() as ends:
        home = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="bbws-bench-")))
        engines, dynamodb = Engines(home), DynamoDBLocal(home / "dynamodb.log", heap="3g")
        ends.callback(engines.stop)
        ends.callback(dynamodb.stop)
        engines.start()
        dynamodb.start()
        variables = app_environment(engines, env="dev", home=home) | PASSPORT
        variables |= {
            "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.url,
            "SQS_WAIT_SECONDS": "1",
            "LOG_SAMPLE_READS": "0.01",  # as where reads are many; neither the peer nor the bare calls write a line
            "NUM_PROXIES": "1",  # so that requests can come from many clients, none of which meets its limit
            "PYTHONPATH": str(Path.cwd()),
        }
        os.environ.update(variables)
        os.environ["CLOUDFRONT_DISTRIBUTION_ID"] = _resources(engines)
        yield Stack(home, engines, dynamodb, dict(os.environ), ends)


def _resources(engines: Engines) -> str:
    from deploy.local.resources import create_all  # noqa: PLC0415 # its boto3 takes the environment of now

    return create_all("dev", os.environ["AUDIT_BUCKET"], engines.search_url)


class Bare:
    """A process that makes nothing but the calls of ``tests.bench.bare``, on as many threads as there are
    connections."""

    def __init__(self, stack: Stack, **about: Any) -> None:
        port = json.dumps(about)
        self.child = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.bare", port],
            env=stack.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.ends.callback(self.child.wait)
        stack.ends.callback(self.child.kill)

    @property
    def pid(self) -> int:
        return self.child.pid

    def run(self, what: str, count: int) -> list[float]:
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write(json.dumps([what, count]) + "\n")
        self.child.stdin.flush()
        return list(json.loads(self.child.stdout.readline()))
