"""PostgreSQL from the machine's own binaries, in a directory of its own, for one run."""

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
# Nothing of it outlives the run, so it need not outlive a power cut.
FORGETFUL = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]


def binaries() -> Path | None:
    """Debian keeps them out of the PATH, one folder for each version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("pg_isready")
    return found[-1] if found else Path(on_path).resolve().parent if on_path else None


def somebody() -> dict[str, Any]:
    """Who runs it: PostgreSQL refuses to be root."""
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

    def start(self) -> None:
        where = binaries()
        if where is None:
            raise EngineFailed("There is no PostgreSQL here (Debian: apt-get install postgresql).")
        who, data = somebody(), self.home / "data"
        if who:
            os.chown(self.home, who["user"], who["group"])
        with (self.home / "log").open("a") as log:
            made = {"cwd": self.home, "stdout": log, "stderr": log, "text": True, **who}
            subprocess.run(
                [str(where / "initdb"), "-D", str(data), "-U", "bbws", "-A", "trust"],
                check=True,
                **made,
            )
            address = ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.home)]
            command = [str(where / "postgres"), "-D", str(data), *address, *FORGETFUL]
            self.process = subprocess.Popen(
                command,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 # only one thread here forks, and prctl takes no lock
                **made,
            )
        self._wait(where / "pg_isready")

    def _wait(self, is_ready: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        asked = [str(is_ready), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(asked, check=False).returncode != 0:
            if time.monotonic() > deadline or (self.process and self.process.poll() is not None):
                raise EngineFailed(f"PostgreSQL does not answer; its log is {self.home / 'log'}.")
            time.sleep(0.1)

    def stop(self) -> None:
        if self.process:
            stop(self.process)
        shutil.rmtree(self.home, ignore_errors=True)
