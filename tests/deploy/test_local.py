"""``make run`` from the user's view: start, restart with kept data, stop, and clear errors."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from deploy.local.engines import ROOT, free_port
from tests.support.processes import until

pytestmark = pytest.mark.slow

STARTED: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def stop_processes() -> Iterator[None]:
    """Stop all processes of a test, also after a failure."""
    yield
    for child in STARTED:
        if child.poll() is None:
            child.terminate()
            child.wait(60)
    STARTED.clear()


def bare_shell() -> dict[str, str]:
    """Return the environment without the addresses of the tests' own engines."""
    addresses = ("AWS_ENDPOINT_URL", "OPENSEARCH_URL", "DATABASE_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(addresses)}


def run(home: Path, port: int | str, *arguments: str) -> subprocess.Popen[str]:
    with (home.parent / "output").open("w") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.run", *arguments],
            cwd=ROOT,
            env=bare_shell() | {"LOCAL_HOME": str(home), "PORT": str(port)},
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    STARTED.append(started)
    return started


def output(home: Path) -> str:
    return (home.parent / "output").read_text()


def call(
    port: int,
    path: str,
    headers: dict[str, str] | None = None,
    method: str = "GET",
    data: bytes | None = None,
) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, data, headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=15) as answer:
        return dict(json.load(answer))


def processes_of(home: Path) -> list[str]:
    """Return the command lines of all processes that were started with this home."""
    found = []
    for status in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"LOCAL_HOME={home}".encode() in status.read_bytes():
                found.append((status.parent / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.mark.timeout(180)
def test_run_keeps_products_and_leaves_no_process(tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port()
    first = run(home, port)
    until(lambda: "Ctrl-C stops it" in output(home), seconds=60)
    token = (home / "api-token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    product = "/v1.0/products/PROD-BASIC"
    receipt = call(port, product, headers, "PATCH", b'{"price": "1601.00"}')["statusUrl"]
    until(lambda: call(port, receipt, headers)["effects"]["searchable"]["state"] == "done")
    assert call(port, "/v1.0/products/PROD-BASIC")["price"] == "1601.00"
    second = run(home, free_port())
    assert second.wait(30) == 1
    assert "is already running" in output(home)
    first.send_signal(signal.SIGINT)
    assert first.wait(60) == 0
    assert processes_of(home) == []

    again = run(home, port)
    until(lambda: "Ctrl-C stops it" in output(home), seconds=60)
    assert "0 created, 5 already exist" in output(home)
    assert call(port, "/v1.0/products/PROD-BASIC")["price"] == "1601.00"
    assert call(port, "/v1.0/products?q=basic")["count"] == 1
    again.terminate()
    assert again.wait(60) == 0

    assert run(home, port, "reset").wait(30) == 0
    assert not home.exists()


@pytest.mark.timeout(180)
def test_killed_engine_is_reported_and_repaired_at_the_next_start(tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port()
    first = run(home, port)
    until(lambda: "Ctrl-C stops it" in output(home), seconds=60)
    first.send_signal(signal.SIGINT)
    assert first.wait(60) == 0
    second = run(home, port)
    until(lambda: "Ctrl-C stops it" in output(home), seconds=60)
    headers = {
        "Authorization": f"Bearer {(home / 'api-token').read_text().strip()}",
        "Content-Type": "application/json",
    }
    product = "/v1.0/products/PROD-BASIC"
    receipt = call(port, product, headers, "PATCH", b'{"price": "1601.00"}')["statusUrl"]
    until(lambda: call(port, receipt, headers)["effects"]["audited"]["state"] == "done")
    for process in engine_processes(home):
        os.kill(process, signal.SIGKILL)
    assert second.wait(60) == 1
    assert "changes of this run are lost" in output(home)
    third = run(home, port)
    until(lambda: "Ctrl-C stops it" in output(home), seconds=60)
    assert "Their 1 audit records were moved" in output(home)
    assert len(list((home / "lost-audit").rglob("*.json"))) == 1
    assert call(port, product)["version"] == 1
    third.terminate()
    assert third.wait(60) == 0
    assert "lost" not in output(home).rpartition("Stopping")[2]
    assert home.stat().st_mode & 0o077 == 0
    assert (home / "db.sqlite3").stat().st_mode & 0o077 == 0


def engine_processes(home: Path) -> list[int]:
    """Return the processes of the embedded AWS that keeps its state under this home."""
    state = f"STATE_DIR={home / 'aws'}".encode()
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if state in environ.read_bytes():
                found.append(int(environ.parent.name))
    return found


def test_port_in_use_is_reported_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(tmp_path / "home", port).wait(30) == 1
    sentence = f"Port {port} is in use; choose another one: PORT=8001 make run"
    assert output(tmp_path / "home").strip().endswith(sentence)
    assert run(tmp_path / "home", "eighty").wait(30) == 1
    assert "PORT must be a number" in output(tmp_path / "home")


def test_reset_is_refused_while_it_runs(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run(home, 1, "reset").wait(30) == 1
    assert home.exists()


def test_missing_or_failing_engines_are_reported_in_one_sentence(tmp_path: Path) -> None:
    environment = bare_shell() | {"LOCAL_HOME": str(tmp_path / "home"), "PORT": str(free_port())}
    command = [sys.executable, "-m", "deploy.local.run"]
    for engines, sentence in (
        (tmp_path / "none", "engines are not installed"),
        (broken_engines(tmp_path), "ended unexpectedly"),
    ):
        ended = subprocess.run(
            command,
            cwd=ROOT,
            env=environment | {"ENGINES_VENV": str(engines)},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert ended.returncode == 1
        assert sentence in ended.stderr
        assert "Traceback" not in ended.stderr


def broken_engines(tmp_path: Path) -> Path:
    """Return a folder with engines that end immediately."""
    program = tmp_path / "broken" / "bin" / "ministack"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    return tmp_path / "broken"
