"""The embedded engines - ministack for AWS, osmem-server for OpenSearch - as processes on loopback."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGINES = Path(os.environ.get("ENGINES_VENV", ROOT / ".venv-engines"))
SERVICES = "dynamodb,sqs,s3,cloudfront,sts"
STOP_SECONDS, ENGINE_STOP_SECONDS = 12, 40


class EngineFailed(Exception):
    """A sentence for the person who started it."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


LIBC = ctypes.CDLL(None)  # loaded here, since between fork and exec nothing may be


def die_with_parent() -> None:
    """Linux: the child gets SIGTERM when its parent dies, so that even kill -9 of the parent leaves no process.

    The parent is the thread that started it: one that ends takes its children with it.
    """
    with contextlib.suppress(AttributeError):
        LIBC.prctl(1, signal.SIGTERM)


def spawn(
    command: list[str], env: dict[str, str], output: int = subprocess.PIPE, cwd: Path = ROOT
) -> subprocess.Popen[str]:
    """A child in a process group of its own, so that Ctrl-C reaches only us and we stop it in order."""
    return subprocess.Popen(  # noqa: S603 # our own commands
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 # safe: only one thread here forks, and prctl takes no lock
    )


def stop(*children: subprocess.Popen[str], seconds: float = STOP_SECONDS) -> None:
    """SIGTERM all, and SIGKILL the group of each that is still there after ``seconds``."""
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + seconds
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            kill_group(child)


def kill_group(child: subprocess.Popen[str]) -> None:
    """SIGKILL the child and all it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def wait_for(url: str, child: subprocess.Popen[str], name: str, seconds: float = 30) -> None:
    """Until ``url`` answers anything at all; EngineFailed when the child ends or the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise EngineFailed(
                f"{name} ended by itself (exit code {child.returncode}); its log says why."
            )
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 # a loopback address of ours
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise EngineFailed(f"{name} did not answer within {seconds:g} s; its log says why.")


def forward_output(child: subprocess.Popen[str], name: str, write: Callable[[str], None]) -> None:
    """Pass the child's lines on, each behind its name, until it ends."""

    def pump() -> None:
        assert child.stdout is not None
        for line in child.stdout:
            write(f"{name:<9}| {line.rstrip()}")

    threading.Thread(target=pump, daemon=True).start()


def osmem_binary() -> str:
    found = list(ENGINES.glob("lib/python*/site-packages/osmem_server/bin/osmem-server*"))
    if not found:
        raise EngineFailed("The embedded engines are not installed; `make setup` installs them.")
    return str(found[0])


@dataclass
class Engines:
    """Both engines, with their state under ``home``. Ports are chosen free unless given.

    ``aws_variables`` are settings of ministack's that differ from ours.
    """

    home: Path
    aws_port: int = field(default_factory=free_port)
    search_port: int = field(default_factory=free_port)
    running: list[subprocess.Popen[str]] = field(default_factory=list)
    services: str = SERVICES
    aws_variables: dict[str, str] = field(default_factory=dict)

    @property
    def aws_url(self) -> str:
        return f"http://127.0.0.1:{self.aws_port}"

    @property
    def search_url(self) -> str:
        return f"http://127.0.0.1:{self.search_port}"

    def start(self) -> None:
        """Both, and wait until they answer."""
        for start in (self.start_aws, self.start_search):
            start()

    def start_aws(self) -> subprocess.Popen[str]:
        self.home.mkdir(parents=True, exist_ok=True)
        state = self.home / "aws"
        env = os.environ | {
            "SERVICES": self.services,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.aws_port),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(state),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(state / "s3"),
            "LOG_LEVEL": "WARNING",
            **self.aws_variables,
        }
        return self._start(
            "ministack",
            [str(ENGINES / "bin" / "ministack")],
            env,
            f"{self.aws_url}/_ministack/health",
        )

    def start_search(self) -> subprocess.Popen[str]:
        address = f"127.0.0.1:{self.search_port}"
        command = [
            osmem_binary(),
            "-addr",
            address,
            "-no-ja",
            "-no-stdin-watch",
            "-parent-pid",
            str(os.getpid()),
        ]
        return self._start("osmem-server", command, dict(os.environ), self.search_url)

    def _start(
        self, name: str, command: list[str], env: dict[str, str], url: str
    ) -> subprocess.Popen[str]:
        if not Path(command[0]).exists():
            raise EngineFailed(
                "The embedded engines are not installed; `make setup` installs them."
            )
        with (self.home / f"{name}.log").open("a") as log:
            child = spawn(command, env, output=log.fileno())
        self.running.append(child)
        wait_for(url, child, f"{name} (log: {self.home / name}.log)")
        return child

    def stop(self) -> None:
        """SIGTERM, and patience: ministack writes its state down only then, after the last open poll has ended."""
        stop(*self.running, seconds=ENGINE_STOP_SECONDS)
        self.running.clear()


def app_environment(engines: Engines, *, env: str, home: Path) -> dict[str, str]:
    """What the application needs to find these engines: the same variables as anywhere else."""
    return {
        "ENVIRONMENT": env,
        "LOCAL": "1",
        "DATABASE_URL": f"sqlite:///{home / 'db.sqlite3'}",
        "AUDIT_BUCKET": f"bbws-product-audit-{env}",
        "MEDIA_BUCKET": f"bbws-product-media-{env}",
        "MEDIA_URL": f"{engines.aws_url}/bbws-product-media-{env}/",
        "OPENSEARCH_URL": engines.search_url,
        "SQS_QUEUE_URL_PREFIX": f"{engines.aws_url}/000000000000",
        "SQS_WAIT_SECONDS": "2",  # ministack ends only when the last poll has
        "HEARTBEAT_DIR": str(home / "heartbeats"),
        "LOG_FORMAT": "line",
        "ENABLE_METRICS": "0",
        "AWS_ENDPOINT_URL": engines.aws_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "bbws_products.settings.full",
    }


@contextlib.contextmanager
def exit_on_engine_failure() -> Iterator[None]:
    """End with the sentence of an EngineFailed instead of a traceback."""
    try:
        yield
    except EngineFailed as failure:
        sys.exit(f"\n{failure}")
