"""The product, the peer and the bare calls as separate processes with the same services."""

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
from deploy.local.java_engines import DynamoDBLocal, OpenSearchNode

BIN = Path(sys.executable).parent
# One process for the product and for the peer, so that each figure is that of one core.
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
    """Services with an environment's resources, and the processes of the benchmark."""

    home: Path
    engines: Engines
    dynamodb: DynamoDBLocal
    node: OpenSearchNode
    """The OpenSearch node; only some of the benchmarks start it."""
    variables: dict[str, str]
    ends: ExitStack

    def web(self, **changes: str) -> Server:
        """Start the product's web server."""
        port = free_port()
        child = self.start(
            "web",
            [sys.executable, "-m", "bbws_products.server"],
            ONE_PROCESS | changes | {"PORT": str(port)},
        )
        return self._serving(child, port, "web")

    def peer(self) -> Server:
        return self.wsgi("peer", "tests.bench.peer.wsgi:application")

    def wsgi(self, name: str, application: str) -> Server:
        """Start a web server with this application."""
        port = free_port()
        address = ["--host", "127.0.0.1", "--port", str(port)]
        command = [str(BIN / "granian"), *GRANIAN, *address, application]
        return self._serving(self.start(name, command, {}), port, name)

    def _serving(self, child: subprocess.Popen[str], port: int, name: str) -> Server:
        wait_for(f"http://127.0.0.1:{port}/healthz", child, f"{name} (log: {self.home})", 90)
        return Server(child.pid, port)

    def worker(self, concurrency: int, **changes: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tasks.worker"]
        return self.start("worker", command, {"WORKER_CONCURRENCY": str(concurrency)} | changes)

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
        from products.access import tokens  # noqa: PLC0415 # needs settings
        from tests.support.processes import ANN, EVERYTHING  # noqa: PLC0415

        os.environ.update(self.variables)  # the import of the test support changes them
        return tokens.sign(
            ANN, EVERYTHING, at=datetime.now(UTC), lifetime=timedelta(hours=9), token_id="t"
        )


@contextmanager
def stack(
    *, with_node: bool = False, in_file: bool = False, data: Path | None = None
) -> Iterator[Stack]:
    """Start services on loopback in a temporary directory. Stop and delete them at the end.

    ``with_node`` starts an OpenSearch node instead of the embedded index. With ``in_file`` the
    table is in a file instead of memory. ``data`` is a directory of `make run`, whose DynamoDB
    Local and OpenSearch data are used and kept.
    """
    with ExitStack() as ends:
        home = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="bbws-bench-")))
        stored = (data or home).resolve()
        engines = Engines(home)
        dynamodb = DynamoDBLocal(
            home=stored / "dynamodb", heap="3g", keep=in_file or data is not None
        )
        node = OpenSearchNode(home=stored / "opensearch", heap="2g")
        for service in (engines, dynamodb, node):
            ends.callback(service.stop)
        engines.start_aws()
        dynamodb.start()
        if with_node:
            node.start()
        else:
            engines.start_search()
        variables = app_environment(engines, env="dev", home=home) | PASSPORT
        variables |= {
            "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.url,
            "OPENSEARCH_URL": node.url if with_node else engines.search_url,
            "SQS_WAIT_SECONDS": "1",
            # As in an environment with many reads. The peer and the bare calls log nothing.
            "LOG_SAMPLE_READS": "0.01",
            # Requests can come from many client addresses, so that none reaches its rate limit.
            "NUM_PROXIES": "1",
            "PYTHONPATH": str(Path.cwd()),
        }
        os.environ.update(variables)
        os.environ["CLOUDFRONT_DISTRIBUTION_ID"] = _resources()
        yield Stack(home, engines, dynamodb, node, dict(os.environ), ends)


def _resources() -> str:
    from deploy.local.resources import create_all  # noqa: PLC0415 # boto3 reads the environment

    return create_all("dev", os.environ["AUDIT_BUCKET"], os.environ["OPENSEARCH_URL"])


class Bare:
    """A process that makes the calls of ``tests.bench.bare``, with one thread per connection."""

    def __init__(self, stack: Stack, **about: Any) -> None:
        arguments = json.dumps(about)
        self.child = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.bare", arguments],
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
