"""Amazon's DynamoDB Local (Java), from an npm package that `make` installs in .dynamodb-local."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.engines import ROOT, EngineFailed, free_port, spawn, stop, wait_for

EMULATOR = ROOT / ".dynamodb-local" / "package" / "emulator"
START_SECONDS = 120  # a JVM on a busy machine


def missing_requirement() -> str:
    """Return a sentence that says what is not installed, or ""."""
    if shutil.which("java") is None:
        return "Java is not installed (Debian: apt-get install default-jre-headless)."
    if not EMULATOR.exists():
        return "DynamoDB Local is not installed; `make test-engines` or `make bench` installs it."
    return ""


@dataclass
class DynamoDBLocal:
    """An in-memory DynamoDB on a free port. It always listens on all addresses."""

    log: Path
    heap: str = "1g"
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        if sentence := missing_requirement():
            raise EngineFailed(sentence)
        java = [
            str(shutil.which("java")),
            f"-Xmx{self.heap}",
            f"-Djava.library.path={EMULATOR / 'DynamoDBLocal_lib'}",
        ]
        options = ["-inMemory", "-sharedDb", "-port", str(self.port)]
        with self.log.open("a") as log:
            command = [*java, "-jar", str(EMULATOR / "DynamoDBLocal.jar"), *options]
            # It writes a file into its working directory.
            self.process = spawn(command, dict(os.environ), output=log.fileno(), cwd=EMULATOR)
        wait_for(self.url, self.process, f"DynamoDB Local (log: {self.log})", START_SECONDS)

    def stop(self) -> None:
        if self.process:
            stop(self.process)
