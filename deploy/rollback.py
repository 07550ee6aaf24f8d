"""Roll the functions of an environment back: ``python -m deploy.rollback ENV``.

Point the alias ``live`` of each function to the version before. This takes seconds, needs no build
and interrupts no request, because the code of old versions is kept. Terraform reports the change as
drift until the next deployment. To keep the old code, pass the printed JSON to Terraform as
``live_versions``.
"""

import json
import sys
from typing import Any

import boto3

ALIAS = "live"


def function_names(client: Any, environment: str) -> list[str]:
    """Return the names of our functions in this environment."""
    pages = client.get_paginator("list_functions").paginate()
    names = [function["FunctionName"] for page in pages for function in page["Functions"]]
    return [
        name
        for name in names
        if name.startswith("bbws-product-") and name.endswith(f"-{environment}")
    ]


def previous_version(client: Any, name: str, version: int) -> int | None:
    """Return the newest published version that is older than this one."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    versions = [entry["Version"] for page in pages for entry in page["Versions"]]
    published = [int(number) for number in versions if number != "$LATEST"]
    return max((number for number in published if number < version), default=None)


def live_version(client: Any, name: str) -> int:
    return int(client.get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"])


def rollback(client: Any, environment: str) -> dict[str, str]:
    """Roll back all functions; return the versions that are live now, by short name.

    Raise LookupError when there is no function, or when one has no older version. In both cases
    nothing is changed.
    """
    names = function_names(client, environment)
    if not names:
        raise LookupError(f"There is no function of {environment}.")
    previous = {name: previous_version(client, name, live_version(client, name)) for name in names}
    if stuck := [name for name, version in previous.items() if version is None]:
        raise LookupError(f"There is no earlier version: {', '.join(stuck)}.")
    for name, version in previous.items():
        client.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=str(version))
    return {_short_name(name, environment): str(version) for name, version in previous.items()}


def _short_name(name: str, environment: str) -> str:
    return name.removeprefix("bbws-product-").removesuffix(f"-{environment}")


if __name__ == "__main__":
    try:
        print(json.dumps(rollback(boto3.client("lambda"), sys.argv[1])))
    except LookupError as failure:
        sys.exit(f"Nothing was changed. {failure}")
