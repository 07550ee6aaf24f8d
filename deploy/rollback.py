"""Roll the functions of an environment back: ``python -m deploy.rollback ENV [FILE]``.

FILE is the output of ``deploy.promote``, with the versions to return to. Without it, point the
alias ``live`` of each function to the version before. This takes seconds, needs no build and
interrupts no request, because the code of old versions is kept. Terraform leaves the alias alone,
so the next deployment moves it only after its own checks.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

from deploy.functions import existing, live_version, make_live, published_versions


def previous_version(client: Any, name: str, version: int) -> int | None:
    """Return the newest published version that is older than this one."""
    older = [number for number in published_versions(client, name) if number < version]
    return max(older, default=None)


def rollback(client: Any, environment: str) -> dict[str, str]:
    """Roll back all functions; return the versions that are live now, by short name.

    Raise LookupError when there is no function, or when one has no older version. In both cases
    nothing is changed.
    """
    names = existing(client, environment)
    previous = {
        short: previous_version(client, name, live_version(client, name))
        for short, name in names.items()
    }
    if stuck := [names[short] for short, version in previous.items() if version is None]:
        raise LookupError(f"There is no earlier version: {', '.join(stuck)}.")
    versions = {short: version for short, version in previous.items() if version is not None}
    for short, version in versions.items():
        make_live(client, names[short], version)
    return {short: str(version) for short, version in versions.items()}


def restore(client: Any, environment: str, versions: Mapping[str, str]) -> dict[str, str]:
    """Make these versions live, by short name; return them."""
    names = existing(client, environment)
    for short, version in versions.items():
        make_live(client, names[short], int(version))
    return dict(versions)


if __name__ == "__main__":
    try:
        environment_name, *files = sys.argv[1:]
        if files:
            saved = json.loads(Path(files[0]).read_text())
            print(json.dumps(restore(boto3.client("lambda"), environment_name, saved)))
        else:
            print(json.dumps(rollback(boto3.client("lambda"), environment_name)))
    except LookupError as failure:
        sys.exit(f"Nothing was changed. {failure}")
