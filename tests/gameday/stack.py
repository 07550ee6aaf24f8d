"""A product of its own: engines, web server, workers, scheduler, all on loopback, each behind a proxy that can fail."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deploy.local.engines import (
    ROOT,
    EngineFailed,
    Engines,
    app_environment,
    free_port,
    kill_group,
    spawn,
    stop,
    wait_for,
)
from deploy.local.resources import create_all
from tests.gameday.proxies import Proxies, proxies_before

BIN = Path(sys.executable).parent
KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TMP",
    "TEMP",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
)
"""Nothing else of the shell's environment reaches the product, so that no variable of a real deployment does."""
LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1"}
VISIBILITY_SECONDS = 12  # a killed worker's messages come back after this; 60 in production
COMMAND_SECONDS = 90
WORKERS = ("worker 1", "worker 2")


def other_engines(environment: Mapping[str, str]) -> dict[str, str]:
    """Another DynamoDB and another SQL database where the shell names them; EngineFailed unless they are on this
    machine, since a game day makes tables and users, and cuts what it is given."""
    given = {
        name: environment.get(name, "") for name in ("AWS_ENDPOINT_URL_DYNAMODB", "DATABASE_URL")
    }
    found = {name: url for name, url in given.items() if url and not url.startswith("sqlite")}
    for name, url in found.items():
        if (urlsplit(url).hostname or "") not in LOCAL_HOSTS:
            raise EngineFailed(
                f"{name} is not on this machine; a game day is not for engines that others use."
            )
    if environment.get("ENVIRONMENT") in {"sit", "prod"}:
        raise EngineFailed(
            "A game day starts a product of its own; it does not run in the environment of a real one."
        )
    return found


@dataclass
class Stack:
    home: Path
    seed: int
    others: dict[str, str] = field(default_factory=dict)
    changes: dict[str, str] = field(default_factory=dict)
    """Variables that differ, for a test that makes the product worse."""
    without: tuple[str, ...] = ()
    """Processes that are not started, for the same reason."""
    relay_after: int = 10
    """Seconds; 30 in production. Where workers are behind by more than this, it rings for what is under way."""

    def __post_init__(self) -> None:
        self.env = (
            f"gameday-{secrets.token_hex(3)}"  # engines that were given may remember earlier games
        )
        self.engines = Engines(self.home)
        self._point_ourselves()
        self.port = free_port()
        self.starting = threading.RLock()
        self.children: dict[str, subprocess.Popen[str]] = {}
        self.proxies = self._proxies()
        self.password = secrets.token_urlsafe(24)
        self.keys = {"SECRET_KEY": secrets.token_hex(32), "TOKEN_KEYS": secrets.token_hex(32)}
        self.distribution = ""

    def _point_ourselves(self) -> None:
        """The game's own calls go to the engines, past the proxies."""
        direct = app_environment(self.engines, env=self.env, home=self.home)
        os.environ.update(
            {name: value for name, value in direct.items() if name.startswith("AWS_")}
        )
        for name in ("SQS", "S3", "CLOUDFRONT"):
            os.environ.pop(f"AWS_ENDPOINT_URL_{name}", None)
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = self.dynamodb_url

    def _proxies(self) -> Proxies:
        aws = self.engines.aws_url
        targets = dict.fromkeys(("dynamodb", "sqs", "s3", "cloudfront"), aws)
        targets["dynamodb"] = self.dynamodb_url
        return proxies_before(
            targets
            | {"opensearch": self.engines.search_url, "web": f"http://127.0.0.1:{self.port}"},
            self.seed,
        )

    @property
    def table(self) -> str:
        return f"bbws-products-{self.env}"

    @property
    def bucket(self) -> str:
        return f"bbws-product-audit-{self.env}"

    @property
    def dynamodb_url(self) -> str:
        return self.others.get("AWS_ENDPOINT_URL_DYNAMODB", self.engines.aws_url)

    def variables(self) -> dict[str, str]:
        """The product's environment: its engines are the proxies."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        own = app_environment(self.engines, env=self.env, home=self.home)
        endpoints = {
            f"AWS_ENDPOINT_URL_{name.upper()}": self.proxies[name].url
            for name in ("dynamodb", "sqs", "s3")
        }
        return {
            **kept,
            **own,
            **self.keys,
            **endpoints,
            "AWS_ENDPOINT_URL_CLOUDFRONT": self.proxies["cloudfront"].url,
            "OPENSEARCH_URL": self.proxies["opensearch"].url,
            "SQS_QUEUE_URL_PREFIX": f"{self.proxies['sqs'].url}/000000000000",
            "SQS_WAIT_SECONDS": "1",
            "PORT": str(self.port),
            "WEB_GRACEFUL_TIMEOUT": "5",
            "CLOUDFRONT_DISTRIBUTION_ID": self.distribution,
            "DATABASE_URL": self.others.get("DATABASE_URL", own["DATABASE_URL"]),
            "THROTTLE_PUBLIC": "0",
            "THROTTLE_STAFF": "0",
            "RELAY_AFTER_SECONDS": str(self.relay_after),
            "RELAY_EVERY_SECONDS": "3",
            "DJANGO_SUPERUSER_PASSWORD": self.password,
            **self.changes,
        }

    # Starting and stopping

    def start(self) -> None:
        """Engines and resources, users, then the product's own processes."""
        self.engines.start()
        self._make_resources()
        self.command("migrate", "--verbosity", "0")
        for name in self.command_lines():
            self.start_process(name)
        self.wait_for_web()

    def _make_resources(self) -> None:
        self.distribution = create_all(
            self.env, self.bucket, self.engines.search_url, visibility=VISIBILITY_SECONDS
        )

    def command_lines(self) -> dict[str, list[str]]:
        celery = [str(BIN / "celery"), "-q", "-A", "bbws_products"]
        worker = [*celery, "worker", "--concurrency", "2", "--loglevel", "WARNING", "--hostname"]
        beat = [
            "beat",
            "--schedule",
            str(self.home / "beat"),
            "--pidfile=",
            "--loglevel",
            "WARNING",
        ]
        lines = {
            "web": [sys.executable, "-m", "bbws_products.server"],
            **{name: [*worker, f"{name.replace(' ', '')}@gameday"] for name in WORKERS},
            "scheduler": [*celery, *beat],
        }
        return {name: line for name, line in lines.items() if name not in self.without}

    def start_process(self, name: str) -> None:
        """The calling thread must live as long as the process (see ``die_with_parent``)."""
        with self.starting, self.log(name).open("a") as log:
            line = self.command_lines().get(name)
            if line:
                self.children[name] = spawn(line, self.variables(), output=log.fileno())

    def log(self, name: str) -> Path:
        return self.home / f"{name.replace(' ', '-')}.log"

    def wait_for_web(self) -> None:
        wait_for(
            f"http://127.0.0.1:{self.port}/healthz",
            self.children["web"],
            f"web ({self.log('web')})",
            90,
        )

    def kill(self, name: str) -> None:
        """SIGKILL, with all it has started, as when the machine goes away; then start it again, as a platform does."""
        with self.starting:
            if name in self.children:
                kill_group(self.children[name])
                self.start_process(name)

    def kill_part_of(self, name: str, choose: Callable[[list[int]], int]) -> None:
        """SIGKILL one of the processes it has started, as the kernel does when memory runs out."""
        with self.starting, suppress(OSError):
            pid = self.children[name].pid
            parts = sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
            if parts:
                os.kill(choose(parts), signal.SIGKILL)

    def revive(self) -> list[str]:
        """Start again what has ended by itself; the names."""
        with self.starting:
            ended = [name for name, child in self.children.items() if child.poll() is not None]
            for name in ended:
                self.start_process(name)
            return ended

    def restart_aws(self) -> None:
        """In order: it writes its state down when it is asked to end, and only then."""
        standing = next(child for child in self.engines.running if "ministack" in str(child.args))
        stop(standing, seconds=60)
        self.engines.running.remove(standing)
        with self.starting:
            self.engines.start_aws()

    def restart_search(self) -> None:
        """SIGKILL; it keeps everything in memory, so all is gone."""
        standing = next(child for child in self.engines.running if "osmem" in str(child.args))
        kill_group(standing)
        self.engines.running.remove(standing)
        with self.starting:
            self.engines.start_search()

    def command(self, *arguments: str) -> str:
        """A command of the product, run as an operator runs it; what it printed. EngineFailed when it does not work."""
        line = [sys.executable, "manage.py", *arguments]
        try:
            done = subprocess.run(  # our own commands
                line,
                cwd=ROOT,
                env=self.variables(),
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise EngineFailed(
                f"{' '.join(arguments)} did not end within {COMMAND_SECONDS} s."
            ) from late
        if done.returncode:
            raise EngineFailed(f"{' '.join(arguments)} failed: {done.stderr[-500:]}")
        return done.stdout.strip()

    def user(self, name: str) -> None:
        self.command(
            "createsuperuser", "--noinput", "--username", name, "--email", f"{name}@localhost"
        )

    def stop(self) -> None:
        """Everything, in whatever state it is."""
        stop(*self.children.values())
        self.proxies.close()
        self.engines.stop()

    def forget(self) -> None:
        """What it kept on disk, and its table in an engine that goes on without us."""
        if "AWS_ENDPOINT_URL_DYNAMODB" in self.others:
            with suppress(BotoCoreError, ClientError):
                boto3.client("dynamodb").delete_table(TableName=self.table)
        shutil.rmtree(self.home, ignore_errors=True)
