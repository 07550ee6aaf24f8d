"""``make run``: the whole product on this machine - engines, web server, workers, scheduler - until Ctrl-C."""

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from deploy.local.engines import (
    ROOT,
    EngineFailed,
    Engines,
    app_environment,
    exit_on_engine_failure,
    forward_output,
    spawn,
    stop,
    wait_for,
)

HOME = Path(os.environ.get("LOCAL_HOME", ROOT / ".local"))
STARTED_AT = time.monotonic()


def log_step(text: str) -> None:
    print(f"  {time.monotonic() - STARTED_AT:5.1f} s  {text}", flush=True)


def load_or_create_secret(name: str) -> str:
    """A secret made once and kept in a file only its owner reads."""
    path = HOME / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text().strip()


def lock_state_folder() -> Any:
    """The lock that keeps a second `make run` from the same state."""
    HOME.mkdir(parents=True, exist_ok=True)
    lock = (HOME / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise EngineFailed(
            f"It is running already, with its state in {HOME}; stop that first."
        ) from None
    return lock


def read_port() -> int:
    text = os.environ.get("PORT", "8000")
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise EngineFailed(f"PORT must be a number from 1 to 65535, not {text!r}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError:
            raise EngineFailed(
                f"Port {text} is in use; choose another one: PORT=8001 make run"
            ) from None
    return int(text)


def prepare(engines: Engines) -> str:
    """Everything the servers need to find, through the very code they run; returns the API token."""
    import django
    from django.core.management import call_command

    from deploy.local.resources import create_all

    bucket = os.environ["AUDIT_BUCKET"]
    os.environ["CLOUDFRONT_DISTRIBUTION_ID"] = create_all("dev", bucket, engines.search_url)
    log_step("table, queues, bucket, distribution and index are there")
    django.setup()
    call_command("migrate", verbosity=0)
    token = create_admin()
    log_step("users are there")
    from products.maintenance import index_records

    log_step(f"search index filled from DynamoDB: {index_records()} products")
    return token


def create_admin() -> str:
    """The user ``admin`` with the kept password, and a fresh token for the API."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    user, created = get_user_model().objects.get_or_create(
        username="admin",
        defaults={"is_staff": True, "is_superuser": True, "email": "admin@localhost"},
    )
    if created:
        user.set_password(load_or_create_secret("admin-password"))
        user.save()
    kept = HOME / "api-token"
    kept.touch(mode=0o600)
    with kept.open("w") as written:
        call_command("issue_token", "admin", label="make run", stdout=written)
    return kept.read_text().strip()


def server_commands() -> dict[str, list[str]]:
    # Celery warns root of pickled messages, which these queues don't accept.
    quiet = ["-W", "ignore:You're running the worker with superuser"]
    celery = [sys.executable, *quiet, "-m", "celery", "--quiet", "-A", "bbws_products"]
    return {
        "web": [sys.executable, "-m", "bbws_products.server"],
        "worker": [
            *celery,
            "worker",
            "--concurrency",
            "4",
            "--loglevel",
            "WARNING",
            "--hostname",
            "local@%h",
        ],
        "scheduler": [
            *celery,
            "beat",
            "--schedule",
            str(HOME / "celerybeat-schedule"),
            "--pidfile=",
            "-l",
            "WARNING",
        ],
    }


def main() -> None:
    print("BBWS product catalogue, on embedded engines")
    port, lock = read_port(), lock_state_folder()
    engines = Engines(HOME)
    env = app_environment(engines, env="dev", home=HOME)
    env |= {
        "SECRET_KEY": load_or_create_secret("secret-key"),
        "TOKEN_KEYS": load_or_create_secret("token-key"),
        "DEBUG": "0",
    }
    env |= {"PORT": str(port), "WEB_GRACEFUL_TIMEOUT": "5"}
    env["LOG_LEVEL"] = os.environ.get("LOG_LEVEL", "WARNING")
    os.environ.update(env)
    children: dict[str, subprocess.Popen[str]] = {}
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    try:
        engines.start()
        log_step(f"engines answer: AWS at {engines.aws_url}, OpenSearch at {engines.search_url}")
        if not stopping.is_set():
            token = prepare(engines)
            serve(port, children)
            print_welcome(port, token)
            supervise(engines, children, port, stopping)
    finally:
        print("\nStopping", flush=True)
        stop(*children.values())
        engines.stop()
        lock.close()
        log_step("everything has stopped")


def serve(port: int, children: dict[str, subprocess.Popen[str]]) -> None:
    from django.core.management import call_command

    beats = Path(os.environ["HEARTBEAT_DIR"])
    shutil.rmtree(beats, ignore_errors=True)  # those of the last run prove nothing
    for name, command in server_commands().items():
        start_server(name, command, children)
    wait_for(f"http://127.0.0.1:{port}/healthz", children["web"], "The web server")
    wait_for_polls(beats, children["worker"])
    log_step("web server, worker and scheduler run")
    print(f"  {time.monotonic() - STARTED_AT:5.1f} s  seed products: ", end="", flush=True)
    call_command("seed_products")


def wait_for_polls(beats: Path, worker: subprocess.Popen[str]) -> None:
    """Until the worker polls each queue, so that the first write of whoever tries it out is not the slowest."""
    from tasks.heartbeat import silent_queues
    from tasks.queues import queue_names

    queues = list(queue_names("dev").values())
    deadline = time.monotonic() + 60
    while silent_queues(beats, queues, time.time()):
        if worker.poll() is not None or time.monotonic() > deadline:
            raise EngineFailed("The worker does not poll its queues; what it said stands above.")
        time.sleep(0.1)


def start_server(name: str, command: list[str], children: dict[str, subprocess.Popen[str]]) -> None:
    children[name] = spawn(command, dict(os.environ))
    forward_output(children[name], name, lambda line: print(line, flush=True))


def print_welcome(port: int, token: str) -> None:
    here = f"http://127.0.0.1:{port}"
    print(
        f"""
  Staff admin   {here}/admin/      user admin, password {load_or_create_secret("admin-password")}
  API           {here}/v1.0/products
  API token     {token}
                (both are kept in {HOME}/admin-password and {HOME}/api-token)
  Try it        curl -X PATCH {here}/v1.0/products/PROD-BASIC -H "Prefer: wait=5" \\
                  -H "Authorization: Bearer $(cat {HOME}/api-token)" \\
                  -H "Content-Type: application/json" -d '{{"price": "1600.00"}}'

  Ctrl-C stops it; the products stay. `make reset` forgets them.
""",
        flush=True,
    )


def supervise(
    engines: Engines,
    children: dict[str, subprocess.Popen[str]],
    port: int,
    stopping: threading.Event,
) -> None:
    """Until told to stop: a server that ended is started again, as any container platform would; an engine is not."""
    while not stopping.wait(0.5):
        for name, child in list(children.items()):
            if child.poll() is not None:
                print(
                    f"{name} ended (exit code {child.returncode}) and is started again", flush=True
                )
                start_server(name, server_commands()[name], children)
        if any(engine.poll() is not None for engine in engines.running):
            raise EngineFailed(f"An engine has ended by itself; see the logs in {HOME}.")


def reset() -> None:
    """Forget everything, unless it is in use."""
    lock_state_folder().close()
    shutil.rmtree(HOME)
    print(f"Forgotten: {HOME}")


if __name__ == "__main__":
    with exit_on_engine_failure():
        reset() if sys.argv[1:] == ["reset"] else main()
