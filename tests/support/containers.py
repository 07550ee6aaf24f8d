"""Containers without a container engine: an image that buildah has built is mounted, and its entry point run in
namespaces of its own - as process 1, as the image's user, on a root file system that is read-only but for /tmp.

Needs Linux, root and buildah. The network is this machine's, so engines on loopback are within reach.
"""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from deploy.local.engines import kill_group, spawn
from tests.support.processes import until

# In a mount and process namespace of its own: the image read-only, a /tmp of its own, with a volume in it at /tmp/data.
INSIDE = """
set -e
root=$1 data=$2 user=$3 directory=$4; shift 4
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -m 777 "$root/tmp/data"
mount --bind "$data" "$root/tmp/data"
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs chroot --userspec="$user" --groups="${user#*:}" "$root" env -C "$directory" "$@"
"""


def buildah(*arguments: str) -> str:
    done = subprocess.run(
        ["buildah", *arguments], capture_output=True, text=True, check=True, timeout=280
    )
    return done.stdout.strip()


class Image:
    """A built image, mounted; its configuration is the one it was built with."""

    def __init__(self, name: str) -> None:
        self.config: dict[str, Any] = json.loads(buildah("inspect", "--type", "image", name))[
            "OCIv1"
        ]["config"]
        self.health: list[str] = json.loads(buildah("inspect", "--type", "image", name))["Docker"][
            "config"
        ]["Healthcheck"]["Test"][1:]
        self.container = buildah("from", "--pull-never", name)
        self.root = Path(buildah("mount", self.container))

    @property
    def variables(self) -> dict[str, str]:
        return dict(entry.split("=", 1) for entry in self.config["Env"])

    def close(self) -> None:
        buildah("umount", self.container)
        buildah("rm", self.container)


class Container:
    """One process tree of an image."""

    def __init__(
        self, image: Image, arguments: list[str], variables: dict[str, str], data: Path, log: Path
    ) -> None:
        self.image, self.variables = image, image.variables | variables
        apart = ["/usr/bin/unshare", "--mount", "--pid", "--fork", "--kill-child", "--"]
        place = [str(image.root), str(data), image.config["User"], image.config["WorkingDir"]]
        with log.open("a") as output:
            run = [
                *apart,
                "/bin/sh",
                "-c",
                INSIDE,
                "sh",
                *place,
                *image.config["Entrypoint"],
                *arguments,
            ]
            self.process = spawn(run, self.variables, output=output.fileno())

    @property
    def first(self) -> int:
        """The process that is number 1 inside."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(until(lambda: children.read_text().split() if children.exists() else [])[0])

    @property
    def status(self) -> dict[str, str]:
        """What the kernel says of process 1, e.g. ``Uid``, ``NSpid``, ``CapEff``."""
        lines = Path(f"/proc/{self.first}/status").read_text().splitlines()
        return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command beside the process, as `docker exec` does it."""
        user, group = self.image.config["User"].split(":")
        enter = [
            "/usr/bin/nsenter",
            "-t",
            str(self.first),
            "-m",
            "-p",
            "-r",
            "-S",
            user,
            "-G",
            group,
        ]
        place = ["/usr/bin/env", "-C", self.image.config["WorkingDir"]]
        run = [*enter, *place, *command]
        return subprocess.run(
            run, env=self.variables, capture_output=True, text=True, timeout=280, check=False
        )

    def healthy(self) -> bool:
        return self.run(*self.image.health).returncode == 0

    def stop(self, seconds: float = 60) -> int:
        """SIGTERM to process 1, as every platform does it; gives its exit code. TimeoutExpired, and it is killed."""
        if self.process.poll() is None:
            os.kill(self.first, signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            kill_group(self.process)
            raise
