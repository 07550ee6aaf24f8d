"""Run images without a container engine, with buildah and Linux namespaces.

The image is mounted, and its entry point runs as process 1 and as the image's user. The root file
system is read-only except /tmp. The network is the host's, so engines on loopback can be reached.
Needs Linux, root and buildah.
"""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from deploy.local.engines import kill_group, spawn
from tests.support.processes import until

# Runs in new mount and process namespaces. /tmp is new, with a volume mounted at /tmp/data.
START_SCRIPT = """
set -e
root=$1 data=$2 user=$3 directory=$4; shift 4
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -m 777 "$root/tmp/data"
mount --bind "$data" "$root/tmp/data"
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs \\
  chroot --userspec="$user" --groups="${user#*:}" "$root" env -C "$directory" "$@"
"""


def buildah(*arguments: str) -> str:
    done = subprocess.run(
        ["buildah", *arguments], capture_output=True, text=True, check=True, timeout=280
    )
    return done.stdout.strip()


class Image:
    """A built image, mounted, with its configuration."""

    def __init__(self, name: str) -> None:
        description = json.loads(buildah("inspect", "--type", "image", name))
        self.config: dict[str, Any] = description["OCIv1"]["config"]
        health_check = description["Docker"]["config"]["Healthcheck"]
        self.health_command: list[str] = health_check["Test"][1:]
        self.container = buildah("from", "--pull-never", name)
        self.root = Path(buildah("mount", self.container))

    @property
    def variables(self) -> dict[str, str]:
        return dict(entry.split("=", 1) for entry in self.config["Env"])

    def close(self) -> None:
        buildah("umount", self.container)
        buildah("rm", self.container)


class Container:
    """The processes that run from an image."""

    def __init__(
        self, image: Image, arguments: list[str], variables: dict[str, str], data: Path, log: Path
    ) -> None:
        self.image, self.variables = image, image.variables | variables
        unshare = ["/usr/bin/unshare", "--mount", "--pid", "--fork", "--kill-child", "--"]
        config = image.config
        script_arguments = [str(image.root), str(data), config["User"], config["WorkingDir"]]
        script = ["/bin/sh", "-c", START_SCRIPT, "sh", *script_arguments]
        command = [*unshare, *script, *config["Entrypoint"], *arguments]
        with log.open("a") as output:
            self.process = spawn(command, self.variables, output=output.fileno())

    @property
    def main_pid(self) -> int:
        """The host's id of the process that is number 1 in the container."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(until(lambda: children.read_text().split() if children.exists() else [])[0])

    @property
    def status(self) -> dict[str, str]:
        """The kernel's status of process 1, e.g. ``Uid``, ``NSpid``, ``CapEff``."""
        lines = Path(f"/proc/{self.main_pid}/status").read_text().splitlines()
        return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the container, like `docker exec`."""
        user, group = self.image.config["User"].split(":")
        target = ["--target", str(self.main_pid), "--mount", "--pid", "--root"]
        nsenter = ["/usr/bin/nsenter", *target, "--setuid", user, "--setgid", group]
        in_folder = ["/usr/bin/env", "-C", self.image.config["WorkingDir"]]
        return subprocess.run(
            [*nsenter, *in_folder, *command],
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    def is_healthy(self) -> bool:
        return self.run(*self.image.health_command).returncode == 0

    def stop(self, seconds: float = 60) -> int:
        """Send SIGTERM to process 1 and return its exit code.

        Kill it and raise TimeoutExpired when it still runs after ``seconds``.
        """
        if self.process.poll() is None:
            os.kill(self.main_pid, signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            kill_group(self.process)
            raise
