"""Point the alias ``live`` of an environment's functions back to the version before: ``python -m deploy.rollback ENV``.

It takes seconds, needs no build, and costs no request: the old version's code is still there. Terraform sees it as
drift until the next deployment; to stay with the old code, give what this prints to Terraform as ``live_versions``.
"""

import json
import sys
from typing import Any

import boto3

ALIAS = "live"


def function_names(client: Any, environment: str) -> list[str]:
    """The names of ours in this environment."""
    pages = client.get_paginator("list_functions").paginate()
    names = [function["FunctionName"] for page in pages for function in page["Functions"]]
    return [
        name
        for name in names
        if name.startswith("bbws-product-") and name.endswith(f"-{environment}")
    ]


def previous_version(client: Any, name: str, version: int) -> int | None:
    """The newest published version older than this one."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    published = [
        entry["Version"]
        for page in pages
        for entry in page["Versions"]
        if entry["Version"] != "$LATEST"
    ]
    return max((number for number in map(int, published) if number < version), default=None)


def rollback(client: Any, environment: str) -> dict[str, str]:
    """The version that is live now, for each function by its short name. All are looked at before any is moved.

    Raises LookupError when there is no function, or one has no older version: then none is moved.
    """
    names = function_names(client, environment)
    if not names:
        raise LookupError(f"There is no function of {environment}.")
    live = {
        name: int(client.get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"])
        for name in names
    }
    back = {name: previous_version(client, name, version) for name, version in live.items()}
    if stuck := [name for name, version in back.items() if version is None]:
        raise LookupError(f"There is no version before the first one: {', '.join(stuck)}.")
    for name, version in back.items():
        client.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=str(version))
    return {_short(name, environment): str(version) for name, version in back.items()}


def _short(name: str, environment: str) -> str:
    return name.removeprefix("bbws-product-").removesuffix(f"-{environment}")


if __name__ == "__main__":
    try:
        print(json.dumps(rollback(boto3.client("lambda"), sys.argv[1])))
    except LookupError as failure:
        sys.exit(f"Nothing was moved. {failure}")
