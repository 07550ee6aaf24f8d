"""A complete product on loopback: backing services behind fault proxies, and its own processes."""

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
from deploy.local.java_engines import OpenSearchNode
from deploy.local.resources import create_all
from tests.gameday.command_lines import command_lines
from tests.gameday.node_faults import NodeFaults
from tests.gameday.process_faults import FOLDER_VARIABLE, PROCESS_VARIABLE, ProcessFaults
from tests.gameday.proxies import Proxies, proxies_before
from tests.second_engines.engines import Engine

KEPT_VARIABLES = (
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
"""No other variable of the shell reaches the product, so none of a real deployment does."""
VISIBILITY_SECONDS = 12  # a killed worker's messages return after this; 60 in production
COMMAND_SECONDS = 90


@dataclass
class Stack:
    home: Path
    seed: int
    external_urls: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)
    """Environment variables that a test sets to sabotage the product."""
    without: tuple[str, ...] = ()
    """Processes that a test leaves out."""
    own_services: Mapping[str, Engine] = field(default_factory=dict)
    """Real services that this game starts, by the variable that names their address."""
    relay_after: int = 10
    """Seconds after which the relay requeues an open change; 30 in production."""

    def __post_init__(self) -> None:
        self.external_urls |= {name: one.url for name, one in self.own_services.items()}
        # External services may still hold the data of earlier games.
        self.env = f"gameday-{secrets.token_hex(3)}"
        self.engines = Engines(self.home)
        self._configure_own_clients()
        self.port = free_port()
        self.starting = threading.RLock()
        self.children: dict[str, subprocess.Popen[str]] = {}
        self.proxies = self._proxies()
        self.node_faults = NodeFaults(self.search_url, self.table)
        self.process_faults = ProcessFaults(self.home / "faults")
        self.password = secrets.token_urlsafe(24)
        self.keys = {"SECRET_KEY": secrets.token_hex(32), "TOKEN_KEYS": secrets.token_hex(32)}
        self.distribution = ""

    def _configure_own_clients(self) -> None:
        """Let the game's own clients call the services without the proxies."""
        direct = app_environment(self.engines, env=self.env, home=self.home)
        os.environ.update(
            {name: value for name, value in direct.items() if name.startswith("AWS_")}
        )
        for name in ("S3", "CLOUDFRONT"):
            os.environ.pop(f"AWS_ENDPOINT_URL_{name}", None)
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = self.aws_service_url("dynamodb")
        os.environ["AWS_ENDPOINT_URL_SQS"] = self.aws_service_url("sqs")

    def _proxies(self) -> Proxies:
        services = ("dynamodb", "sqs", "s3", "cloudfront")
        targets = {name: self.aws_service_url(name) for name in services}
        targets["opensearch"] = self.search_url
        targets["web"] = f"http://127.0.0.1:{self.port}"
        return proxies_before(targets, self.seed)

    @property
    def table(self) -> str:
        return f"bbws-products-{self.env}"

    @property
    def bucket(self) -> str:
        return f"bbws-product-audit-logs-{self.env}"

    @property
    def search_url(self) -> str:
        return self.external_urls.get("OPENSEARCH_URL", self.engines.search_url)

    def aws_service_url(self, service: str) -> str:
        """Return the address of an AWS service, without the proxy."""
        return self.external_urls.get(f"AWS_ENDPOINT_URL_{service.upper()}", self.engines.aws_url)

    def variables(self) -> dict[str, str]:
        """Return the product's environment, in which every service is a proxy."""
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
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
            "DATABASE_URL": self.external_urls.get("DATABASE_URL", own["DATABASE_URL"]),
            "THROTTLE_PUBLIC": "0",
            "THROTTLE_STAFF": "0",
            "RELAY_AFTER_SECONDS": str(self.relay_after),
            "RELAY_EVERY_SECONDS": "3",
            "DJANGO_SUPERUSER_PASSWORD": self.password,
            "DJANGO_SETTINGS_MODULE": "tests.gameday.faulty_settings",
            FOLDER_VARIABLE: str(self.process_faults.folder),
            **self.overrides,
        }

    # Starting and stopping

    def start(self) -> None:
        """Start the services, create resources and tables, then start the product's processes."""
        for service in self.own_services.values():
            service.start()
        self.engines.start_aws()
        if "OPENSEARCH_URL" not in self.external_urls:
            self.engines.start_search()
        self._make_resources()
        self.command("migrate", "--verbosity", "0")
        for name in self.command_lines():
            self.start_process(name)
        self.wait_for_web()

    def _make_resources(self) -> None:
        self.distribution = create_all(
            self.env, self.bucket, self.search_url, visibility=VISIBILITY_SECONDS
        )

    def command_lines(self) -> dict[str, list[str]]:
        """Return the command of each process by its name."""
        lines = command_lines(self.home)
        return {name: line for name, line in lines.items() if name not in self.without}

    def start_process(self, name: str) -> None:
        """Start a process. The calling thread must outlive it (see ``die_with_parent``)."""
        with self.starting, self.log(name).open("a") as log:
            line = self.command_lines().get(name)
            if line:
                variables = self.variables() | {PROCESS_VARIABLE: name}
                self.children[name] = spawn(line, variables, output=log.fileno())

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
        """Kill a process and its children as a machine failure does, then start it as ECS does."""
        with self.starting:
            if name in self.children:
                kill_group(self.children[name])
                self.start_process(name)

    def kill_child_of(self, name: str, choose: Callable[[list[int]], int]) -> None:
        """Kill one child of a process, as the kernel does when memory runs out."""
        with self.starting, suppress(OSError):
            pid = self.children[name].pid
            parts = sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
            if parts:
                os.kill(choose(parts), signal.SIGKILL)

    def restart_ended(self) -> list[str]:
        """Restart the processes that have ended, and return their names."""
        with self.starting:
            ended = [name for name, child in self.children.items() if child.poll() is not None]
            for name in ended:
                self.start_process(name)
            return ended

    def restart_aws(self) -> None:
        """Restart the AWS services. They save their state only when they are stopped in order."""
        existing = next(child for child in self.engines.running if "ministack" in str(child.args))
        stop(existing, seconds=60)
        self.engines.running.remove(existing)
        with self.starting:
            self.engines.start_aws()

    @property
    def search_keeps_data(self) -> bool:
        """Whether the search service still has its data after a restart."""
        return "OPENSEARCH_URL" in self.own_services.keys() | self.external_urls.keys()

    def restart_search(self) -> None:
        """Kill and restart the search service. The embedded one loses its data: it is in memory.

        A service that the game did not start is left alone.
        """
        node = self.own_services.get("OPENSEARCH_URL")
        if isinstance(node, OpenSearchNode) and node.process:
            kill_group(node.process)
            with self.starting:
                node.start()
        elif "OPENSEARCH_URL" not in self.external_urls:
            self._restart_embedded_search()

    def _restart_embedded_search(self) -> None:
        existing = next(child for child in self.engines.running if "osmem" in str(child.args))
        kill_group(existing)
        self.engines.running.remove(existing)
        with self.starting:
            self.engines.start_search()

    def command(self, *arguments: str) -> str:
        """Run a command of the product as an operator does, and return its output.

        Raise EngineFailed when it fails or takes too long.
        """
        line = [sys.executable, "manage.py", *arguments]
        try:
            done = subprocess.run(
                line,
                cwd=ROOT,
                env=self.variables(),
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as timeout:
            raise EngineFailed(
                f"{' '.join(arguments)} did not end within {COMMAND_SECONDS} s."
            ) from timeout
        if done.returncode:
            raise EngineFailed(f"{' '.join(arguments)} failed: {done.stderr[-500:]}")
        return done.stdout.strip()

    def create_user(self, name: str) -> None:
        self.command(
            "createsuperuser", "--noinput", "--username", name, "--email", f"{name}@localhost"
        )

    def stop(self) -> None:
        """Stop all processes, proxies and services."""
        stop(*self.children.values())
        self.proxies.close()
        self.engines.stop()
        for service in self.own_services.values():
            service.stop()

    def delete_data(self) -> None:
        """Delete the files, and the table in an external DynamoDB."""
        if "AWS_ENDPOINT_URL_DYNAMODB" in self.external_urls.keys() - self.own_services.keys():
            with suppress(BotoCoreError, ClientError):
                boto3.client("dynamodb").delete_table(TableName=self.table)
        shutil.rmtree(self.home, ignore_errors=True)
