"""PostgreSQL from the machine's binaries, in a temporary directory for one run."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.engines import EngineFailed, die_with_parent, free_port, stop

START_SECONDS = 60
# The data is deleted after the run, so it does not have to survive a power failure.
NOT_DURABLE = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs.

    Debian has one folder per version, outside the PATH.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("pg_isready")
    if found:
        return found[-1]
    return Path(on_path).resolve().parent if on_path else None


def process_owner() -> dict[str, Any]:
    """Return the user and group to run as, because PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@dataclass
class Postgres:
    port: int = field(default_factory=free_port)
    home: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="bbws-postgres-")))
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"postgres://bbws@127.0.0.1:{self.port}/postgres"

    def missing(self) -> str:
        """Return a sentence that says that PostgreSQL is missing, or ""."""
        if binaries() is None:
            return "PostgreSQL is not installed (Debian: apt-get install postgresql)."
        return ""

    def start(self) -> None:
        where = binaries()
        if where is None:
            raise EngineFailed(self.missing())
        owner, data = process_owner(), self.home / "data"
        if owner:
            os.chown(self.home, owner["user"], owner["group"])
        with (self.home / "log").open("a") as log:
            options = {"cwd": self.home, "stdout": log, "stderr": log, "text": True, **owner}
            subprocess.run(
                [str(where / "initdb"), "-D", str(data), "-U", "bbws", "-A", "trust"],
                check=True,
                **options,
            )
            address = ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.home)]
            command = [str(where / "postgres"), "-D", str(data), *address, *NOT_DURABLE]
            self.process = subprocess.Popen(
                command,
                start_new_session=True,
                # Safe here: only one thread forks, and prctl takes no lock.
                preexec_fn=die_with_parent,  # noqa: PLW1509
                **options,
            )
        self._wait(where / "pg_isready")

    def _wait(self, is_ready: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        command = [str(is_ready), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(command, check=False).returncode != 0:
            if time.monotonic() > deadline or (self.process and self.process.poll() is not None):
                raise EngineFailed(f"PostgreSQL does not answer; its log is {self.home / 'log'}.")
            time.sleep(0.1)

    def stop(self) -> None:
        if self.process:
            stop(self.process)
        shutil.rmtree(self.home, ignore_errors=True)
