"""The Lambda functions of an environment, their versions, and the version that is called.

Each function has the alias ``live``. API Gateway, queues and schedules call the alias, so moving it
switches between two deployed versions in a moment, forward and back.
"""

from typing import Any

ALIAS = "live"
NAMES = {
    "list": "bbws-list-products",
    "get": "bbws-get-product",
    "create": "bbws-create-product",
    "update": "bbws-update-product",
    "delete": "bbws-delete-product",
    "creator": "bbws-product-creator",
    "cache-invalidator": "bbws-cache-invalidator",
    "search-indexer": "bbws-search-indexer",
    "audit-logger": "bbws-audit-logger",
}
"""The names of the functions without their environment, by short name."""
CONSUMERS = ("creator", "cache-invalidator", "search-indexer", "audit-logger")


def full_name(short_name: str, environment: str) -> str:
    """Return a function's name in an environment."""
    return f"{NAMES[short_name]}-{environment}"


def existing(client: Any, environment: str) -> dict[str, str]:
    """Return the full names of our functions that exist in this environment, by short name.

    Raise LookupError when there is none.
    """
    pages = client.get_paginator("list_functions").paginate()
    names = {function["FunctionName"] for page in pages for function in page["Functions"]}
    ours = {short: full_name(short, environment) for short in NAMES}
    found = {short: name for short, name in ours.items() if name in names}
    if not found:
        raise LookupError(f"There is no function of {environment}.")
    return found


def published_versions(client: Any, name: str) -> list[int]:
    """Return the numbers of a function's versions, the oldest first."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    versions = [entry["Version"] for page in pages for entry in page["Versions"]]
    return sorted(int(number) for number in versions if number != "$LATEST")


def live_version(client: Any, name: str) -> int:
    """Return the number of the version that is called."""
    return int(client.get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"])


def make_live(client: Any, name: str, version: int) -> None:
    """Call this version from now on."""
    client.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=str(version))
