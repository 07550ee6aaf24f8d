"""``make run``: run engines, web server, worker and scheduler on this machine until Ctrl-C.

``ENGINES=real``, or addresses in the environment, replace the embedded engines.
"""

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
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from deploy.local import engine_state
from deploy.local.choice import Choice, choose
from deploy.local.engines import (
    ROOT,
    EngineFailed,
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
    """Print a step with the seconds since the start."""
    print(f"  {time.monotonic() - STARTED_AT:5.1f} s  {text}", flush=True)


def load_or_create_secret(name: str) -> str:
    """Return a secret from its file, which only its owner may read; create it if needed."""
    path = HOME / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text().strip()


def lock_state_folder() -> Any:
    """Return a lock that stops a second `make run` from using the same state."""
    os.umask(0o077)  # the state has secrets, session keys and hashes of passwords
    HOME.mkdir(parents=True, exist_ok=True)
    HOME.chmod(0o700)
    lock = (HOME / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise EngineFailed(
            f"`make run` is already running with its state in {HOME}; stop it first."
        ) from None
    return lock


def read_port() -> int:
    """Return the port from PORT. Raise EngineFailed when it is invalid or in use."""
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


def prepare(lost_since: datetime | None) -> str:
    """Create resources, users and search index with the product's code; return the API token."""
    import django
    from django.core.management import call_command

    from deploy.local.resources import create_all

    bucket = os.environ["AUDIT_BUCKET"]
    os.environ["CLOUDFRONT_DISTRIBUTION_ID"] = create_all(
        "dev", bucket, os.environ["OPENSEARCH_URL"]
    )
    log_step("table, queues, bucket, distribution and index are ready")
    if lost_since:
        log_step(engine_state.set_audit_records_aside(bucket, lost_since, HOME))
    django.setup()
    call_command("migrate", verbosity=0)
    token = create_admin()
    log_step("users are ready")
    fill_search_index()
    return token


def fill_search_index() -> None:
    """Index the records when the index is empty, as after a start of the embedded one.

    An index that keeps its documents needs nothing: the worker completes the open changes.
    """
    from django.core.management import call_command

    from products.bootstrap import opensearch_index
    from products.maintenance import index_records

    index = opensearch_index()
    if index and index.count() and index.lacks_fields():
        call_command("rebuild_search_index")
    if index is None or index.count():
        log_step("the search index has its documents")
        return
    log_step(f"search index filled from DynamoDB: {index_records()} products")


def load_sample_products(choice: Choice, stopping: threading.Event) -> None:
    """Write SAMPLE_PRODUCTS products directly, if the variable is set, until ``stopping``."""
    from deploy.local.sample_catalogue import SampleCatalogue, read_sample_size

    size = read_sample_size()
    if not size:
        return
    name = "bbws-products-dev"
    sample = SampleCatalogue(name, os.environ["OPENSEARCH_URL"], name)
    dynamodb = choice.dynamodb_local
    if dynamodb is None:
        count = sample.load(size, stopping.is_set)
    else:
        with dynamodb.stopped():
            count = replace(sample, file=dynamodb.file).load(size, stopping.is_set)
    log_step(f"sample products written: {count:,}")


def create_admin() -> str:
    """Create the user ``admin`` if needed, and return a new API token for it."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    user, created = get_user_model().objects.get_or_create(
        username="admin",
        defaults={"is_staff": True, "is_superuser": True, "email": "admin@localhost"},
    )
    if created:
        user.set_password(load_or_create_secret("admin-password"))
        user.save()
    path = HOME / "api-token"
    path.touch(mode=0o600)
    with path.open("w") as file:
        call_command("issue_token", "admin", label="make run", stdout=file)
    return path.read_text().strip()


def server_commands() -> dict[str, list[str]]:
    """Return the command of each server by its name."""
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "bbws_products"]
    log_level = ["--loglevel", "WARNING"]
    schedule = ["--schedule", str(HOME / "celerybeat-schedule")]
    return {
        "web": [sys.executable, "-m", "bbws_products.server"],
        "worker": [sys.executable, "-m", "tasks.worker"],
        "scheduler": [*celery, "beat", *schedule, "--pidfile=", *log_level],
    }


def set_environment(choice: Choice, port: int) -> None:
    """Set the application's environment variables in this process; its children inherit them."""
    os.environ.update(app_environment(choice.embedded, env="dev", home=HOME))
    os.environ.update(choice.variables())
    os.environ["SECRET_KEY"] = load_or_create_secret("secret-key")
    os.environ["TOKEN_KEYS"] = load_or_create_secret("token-key")
    os.environ["DEBUG"] = "0"
    os.environ["PORT"] = str(port)
    os.environ["WEB_GRACEFUL_TIMEOUT"] = "5"
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    if not os.environ.get("EMAIL_HOST"):
        os.environ.setdefault("EMAIL_DIR", str(HOME / "mails"))


def main() -> None:
    """Run the product until Ctrl-C, SIGTERM or SIGHUP."""
    choice = choose(HOME)
    print(f"BBWS product catalogue, on {choice.description()}", flush=True)
    port, lock = read_port(), lock_state_folder()
    set_environment(choice, port)
    ends = ExitStack()
    children: dict[str, subprocess.Popen[str]] = {}
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    try:
        lost_since = engine_state.begin_run(HOME) if choice.uses_embedded_table else None
        choice.start(ends)
        log_step("the engines run")
        if not stopping.is_set():
            token = prepare(lost_since)
            load_sample_products(choice, stopping)
        if not stopping.is_set():
            serve(port, children)
            print_welcome(port, token)
            supervise(choice, children, stopping)
    finally:
        print("\nStopping", flush=True)
        stop(*children.values())
        ends.close()
        if choice.uses_embedded_table and engine_state.unsaved_since(HOME):
            log_step("the embedded AWS could not save its tables: the changes of this run are lost")
        lock.close()
        log_step("everything has stopped")


def serve(port: int, children: dict[str, subprocess.Popen[str]]) -> None:
    """Start the servers, wait until they are ready, and seed the catalogue."""
    from django.core.management import call_command

    heartbeats = Path(os.environ["HEARTBEAT_DIR"])
    shutil.rmtree(heartbeats, ignore_errors=True)  # left over from the last run
    for name, command in server_commands().items():
        start_server(name, command, children)
    wait_for(f"http://127.0.0.1:{port}/healthz", children["web"], "The web server")
    wait_for_polls(heartbeats, children["worker"])
    log_step("web server, worker and scheduler run")
    print(f"  {time.monotonic() - STARTED_AT:5.1f} s  seed products: ", end="", flush=True)
    call_command("seed_products")


def wait_for_polls(heartbeats: Path, worker: subprocess.Popen[str]) -> None:
    """Wait until the worker polls each queue, so that the user's first write is not slow."""
    from tasks.heartbeat import silent_queues
    from tasks.queues import queue_names

    queues = list(queue_names("dev").values())
    deadline = time.monotonic() + 60
    while silent_queues(heartbeats, queues, time.time()):
        if worker.poll() is not None or time.monotonic() > deadline:
            raise EngineFailed("The worker does not poll its queues; see its output above.")
        time.sleep(0.1)


def start_server(name: str, command: list[str], children: dict[str, subprocess.Popen[str]]) -> None:
    children[name] = spawn(command, dict(os.environ))
    forward_output(children[name], name, lambda line: print(line, flush=True))


def print_welcome(port: int, token: str) -> None:
    base = f"http://127.0.0.1:{port}"
    password = load_or_create_secret("admin-password")
    print(
        f"""
  Staff admin   {base}/admin/      user admin, password {password}
  API           {base}/v1.0/products
  API token     {token}
                (password and token are in {HOME}/admin-password and {HOME}/api-token)
  E-mails       {os.environ.get("EMAIL_DIR") or os.environ["EMAIL_HOST"]}
  Try it        curl -X PATCH {base}/v1.0/products/PROD-BASIC -H "Prefer: wait=5" \\
                  -H "Authorization: Bearer $(cat {HOME}/api-token)" \\
                  -H "Content-Type: application/json" -d '{{"price": "1600.00"}}'

  Ctrl-C stops it and keeps the products. `make reset` deletes them.
""",
        flush=True,
    )


def supervise(
    choice: Choice,
    children: dict[str, subprocess.Popen[str]],
    stopping: threading.Event,
) -> None:
    """Restart servers that have ended, as a container platform does, until ``stopping`` is set.

    Raise EngineFailed when an engine ends.
    """
    while not stopping.wait(0.5):
        for name, child in list(children.items()):
            if child.poll() is not None:
                print(f"{name} ended (exit code {child.returncode}); restarting it", flush=True)
                start_server(name, server_commands()[name], children)
        if choice.has_ended():
            raise EngineFailed(f"An engine has ended unexpectedly; see the logs in {HOME}.")


def reset() -> None:
    """Delete all state. Raise EngineFailed while `make run` uses it."""
    lock_state_folder().close()
    shutil.rmtree(HOME)
    print(f"Deleted: {HOME}")


if __name__ == "__main__":
    with exit_on_engine_failure():
        reset() if sys.argv[1:] == ["reset"] else main()
