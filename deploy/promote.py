"""Make the newest version of each function live, after a test call: `python -m deploy.promote ENV`.

Terraform only publishes the new versions. Each is called directly, next to the version that still
serves everybody. If all of them answer, the aliases move: consumers first, since they must
understand the messages of the new API. Otherwise nothing changes, and the exit status is 1. The
output is the versions that were live before, for ``deploy.rollback``.
"""

import json
import sys
from typing import Any

import boto3

from deploy.functions import (
    CONSUMERS,
    existing,
    live_version,
    make_live,
    published_versions,
)

PROXY_EVENT = {
    "resource": "/healthz",
    "path": "/healthz",
    "httpMethod": "GET",
    "headers": {"Host": "promote"},
    "multiValueHeaders": {"Host": ["promote"]},
    "queryStringParameters": None,
    "multiValueQueryStringParameters": None,
    "pathParameters": None,
    "stageVariables": None,
    "requestContext": {
        "resourcePath": "/healthz",
        "path": "/healthz",
        "httpMethod": "GET",
        "stage": "v1",
        "identity": {"sourceIp": "127.0.0.1"},
    },
    "body": None,
    "isBase64Encoded": False,
}
"""A request of API Gateway for ``/healthz``."""
NO_MESSAGES: dict[str, list[object]] = {"Records": []}


class NewVersionFailed(Exception):
    """A new version did not answer its test call; the message says how."""


def check(client: Any, short_name: str, name: str, version: int) -> None:
    """Call a version that is not live yet. Raise NewVersionFailed if it does not answer."""
    event = NO_MESSAGES if short_name in CONSUMERS else PROXY_EVENT
    answer = client.invoke(
        FunctionName=name, Qualifier=str(version), Payload=json.dumps(event).encode()
    )
    payload = json.loads(answer["Payload"].read() or b"null")
    expected: object = {"batchItemFailures": []} if short_name in CONSUMERS else 200
    found = payload if short_name in CONSUMERS else (payload or {}).get("statusCode")
    if answer.get("FunctionError") or found != expected:
        raise NewVersionFailed(f"{name}, version {version}: {json.dumps(payload)[:300]}")


def promote(client: Any, environment: str) -> dict[str, str]:
    """Make the newest versions live; return the versions that were live before, by short name.

    Raise LookupError when there is no function, NewVersionFailed when a version does not answer.
    In both cases nothing is changed.
    """
    names = existing(client, environment)
    newest = {short: published_versions(client, name)[-1] for short, name in names.items()}
    before = {short: live_version(client, name) for short, name in names.items()}
    moving = {short: version for short, version in newest.items() if before[short] != version}
    for short, version in moving.items():
        check(client, short, names[short], version)
    for short in sorted(moving, key=lambda short: short not in CONSUMERS):
        make_live(client, names[short], moving[short])
    return {short: str(version) for short, version in before.items()}


if __name__ == "__main__":
    try:
        print(json.dumps(promote(boto3.client("lambda"), sys.argv[1])))
    except (LookupError, NewVersionFailed) as failure:
        sys.exit(f"::error::Nothing was changed. {failure}")
