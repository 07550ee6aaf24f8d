"""The embedded engines as local processes: ministack for AWS, osmem-server for OpenSearch."""

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

from products.errors import Unavailable

ROOT = Path(__file__).resolve().parents[2]
ENGINES = Path(os.environ.get("ENGINES_VENV", ROOT / ".venv-engines"))
SERVICES = "dynamodb,sqs,s3,cloudfront,sts"
STOP_SECONDS, ENGINE_STOP_SECONDS = 12, 40
NO_SEARCH = (
    "The embedded OpenSearch is not installed. `make setup` installs it where it has a build for"
    " this machine. Otherwise use a real one: make run ENGINES=real"
)
NOT_INSTALLED = "The embedded engines are not installed; `make setup` installs them."


class EngineFailed(Exception):
    """An engine or server could not start or has ended; the message is for the user."""


def free_port() -> int:
    """Return a port on loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


LIBC = ctypes.CDLL(None)  # loaded at import: loading it between fork and exec is not safe


def die_with_parent() -> None:
    """On Linux, make the kernel send SIGTERM to this process when its parent ends.

    So no process is left over, even after kill -9 of the parent. The parent is a thread: the child
    also ends when the thread that started it ends.
    """
    with contextlib.suppress(AttributeError):
        LIBC.prctl(1, signal.SIGTERM)


def spawn(
    command: list[str], env: dict[str, str], output: int = subprocess.PIPE, cwd: Path = ROOT
) -> subprocess.Popen[str]:
    """Start a process in its own process group, so Ctrl-C stops only us and we stop it cleanly."""
    return subprocess.Popen(  # noqa: S603 # our own commands
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # Safe with threads: only one thread forks, and prctl takes no lock.
        preexec_fn=die_with_parent,  # noqa: PLW1509
    )


def stop(*children: subprocess.Popen[str], seconds: float = STOP_SECONDS) -> None:
    """Send SIGTERM to all, and SIGKILL to the groups still running after ``seconds``."""
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
    """Send SIGKILL to the child and all processes it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def wait_for(url: str, child: subprocess.Popen[str], name: str, seconds: float = 30) -> None:
    """Wait until ``url`` returns any response.

    Raise EngineFailed when the child ends first, or after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise EngineFailed(
                f"{name} ended unexpectedly (exit code {child.returncode}); see its log."
            )
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 # a loopback address
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise EngineFailed(f"{name} did not respond within {seconds:g} s; see its log.")


def forward_output(child: subprocess.Popen[str], name: str, write: Callable[[str], None]) -> None:
    """Write each line of the child's output with its name in front, until it ends."""

    def pump() -> None:
        assert child.stdout is not None
        for line in child.stdout:
            write(f"{name:<9}| {line.rstrip()}")

    threading.Thread(target=pump, daemon=True).start()


def osmem_binary() -> str:
    found = list(ENGINES.glob("lib/python*/site-packages/osmem_server/bin/osmem-server*"))
    if not found:
        raise EngineFailed(NO_SEARCH)
    return str(found[0])


@dataclass
class Engines:
    """The two engines, with their state under ``home``; by default they get free ports.

    ``aws_variables`` override the environment variables of ministack that ``start_aws`` sets.
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
        """Start both engines and wait until they respond."""
        self.start_aws()
        self.start_search()

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
        command = [str(ENGINES / "bin" / "ministack")]
        return self._start("ministack", command, env, f"{self.aws_url}/_ministack/health")

    def start_search(self) -> subprocess.Popen[str]:
        address = f"127.0.0.1:{self.search_port}"
        options = ["-no-ja", "-no-stdin-watch", "-parent-pid", str(os.getpid())]
        command = [osmem_binary(), "-addr", address, *options]
        return self._start("osmem-server", command, dict(os.environ), self.search_url)

    def _start(
        self, name: str, command: list[str], env: dict[str, str], url: str
    ) -> subprocess.Popen[str]:
        if not Path(command[0]).exists():
            raise EngineFailed(NOT_INSTALLED)
        with (self.home / f"{name}.log").open("a") as log:
            child = spawn(command, env, output=log.fileno())
        self.running.append(child)
        wait_for(url, child, f"{name} (log: {self.home / name}.log)")
        return child

    def stop(self) -> None:
        """Send SIGTERM and wait: ministack saves its state after the last open poll has ended."""
        stop(*self.running, seconds=ENGINE_STOP_SECONDS)
        self.running.clear()


def app_environment(engines: Engines, *, env: str, home: Path) -> dict[str, str]:
    """Return the environment variables that connect the application to these engines."""
    return {
        "ENVIRONMENT": env,
        "LOCAL": "1",
        "DATABASE_URL": f"sqlite:///{home / 'db.sqlite3'}",
        "AUDIT_BUCKET": f"bbws-product-audit-logs-{env}",
        "MEDIA_BUCKET": f"bbws-product-media-{env}",
        "MEDIA_URL": f"{engines.aws_url}/bbws-product-media-{env}/",
        "OPENSEARCH_URL": engines.search_url,
        "SQS_QUEUE_URL_PREFIX": f"{engines.aws_url}/000000000000",
        "SQS_WAIT_SECONDS": "2",  # short, because ministack ends only after the last poll
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
    """Exit with one line instead of a traceback when an engine fails or is unavailable."""
    try:
        yield
    except (EngineFailed, Unavailable) as failure:
        sys.exit(f"\n{failure}")
