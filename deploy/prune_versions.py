"""Delete old versions of the functions: ``python -m deploy.prune_versions ENV``.

Lambda stores 75 GB of code in an account and region, and refuses new versions beyond that. The
newest versions stay, for rollbacks, and so does every version that an alias names.
"""

import sys
from typing import Any

import boto3

from deploy.functions import existing, published_versions

KEPT = 10
"""How many of a function's newest versions stay."""


def prune(client: Any, environment: str, kept: int = KEPT) -> int:
    """Delete the old versions of all functions; return how many were deleted."""
    deleted = 0
    for name in existing(client, environment).values():
        in_use = _named_by_an_alias(client, name)
        for version in published_versions(client, name)[:-kept]:
            if version not in in_use:
                client.delete_function(FunctionName=name, Qualifier=str(version))
                deleted += 1
    return deleted


def _named_by_an_alias(client: Any, name: str) -> set[int]:
    pages = client.get_paginator("list_aliases").paginate(FunctionName=name)
    aliases = [alias for page in pages for alias in page["Aliases"]]
    weights = [
        (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") for alias in aliases
    ]
    versions = [alias["FunctionVersion"] for alias in aliases]
    versions += [version for weighted in weights for version in weighted or ()]
    return {int(version) for version in versions if version != "$LATEST"}


if __name__ == "__main__":
    try:
        count = prune(boto3.client("lambda"), sys.argv[1])
    except LookupError as failure:
        sys.exit(str(failure))
    print(f"{count} old versions were deleted.")
