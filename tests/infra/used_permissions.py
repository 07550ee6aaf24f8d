"""The permissions that work on AWS has used, and those that the policy of a role allows.

A hook in each AWS client records the name and the arguments of every call.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from products import bootstrap
from products.adapters.aws import direct_uploads
from tests.support.terraform import SOURCE, policy
from tests.support.wiring import forget_wiring
from tests.support.world import World

POLICIES = sorted(
    path.name.removesuffix(".json.tftpl") for path in (SOURCE / "policies").glob("*.tftpl")
)


def placeholder_values() -> dict[str, str]:
    text = "".join((SOURCE / "policies" / f"{name}.json.tftpl").read_text() for name in POLICIES)
    return {name: f"<{name}>" for name in re.findall(r"\$\{(\w+)\}", text)}


def statements_of(name: str) -> list[dict[str, Any]]:
    return [normalised(part) for part in policy(name, placeholder_values())["Statement"]]


def normalised(statement: dict[str, Any]) -> dict[str, Any]:
    """Return a statement whose actions and resources are lists."""

    def as_list(value: Any) -> list[str]:
        return value if isinstance(value, list) else [value]

    return statement | {
        "Action": as_list(statement["Action"]),
        "Resource": as_list(statement.get("Resource", [])),
    }


WRITES = {
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "Update": "UpdateItem",
    "ConditionCheck": "ConditionCheckItem",
}
PERMISSION_NAMES = {"s3:HeadBucket": "s3:ListBucket", "s3:ListObjectsV2": "s3:ListBucket"}
"""Permissions that differ from the name of their call."""
COMPARED_STATEMENTS = {"Table", "Indexes", "Purge", "VerifyAudit", "FindAudit", "Write", "Audit"}
Permission = tuple[str, str]
"""An action and the name of its index, which is empty for the table."""


@pytest.fixture
def used(world: World, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[Permission]]:
    """Yield the set of permissions that were used; tests empty it before the work they measure.

    It covers DynamoDB, CloudFront, and the audit trail in S3.
    """
    seen: set[Permission] = set()
    clients: list[Any] = []
    make: Any = vars(bootstrap)["client"]

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.service_model.service_name == "sqs":
            return  # other tests compare the queues of each role
        if model.name == "TransactWriteItems":
            kinds = [kind for write in params["TransactItems"] for kind in write]
            seen.update((f"dynamodb:{WRITES[kind]}", "") for kind in kinds)
        else:
            action = f"{model.service_model.service_name}:{model.name}"
            seen.add((PERMISSION_NAMES.get(action, action), str(params.get("IndexName", ""))))

    def client(service: str, **limits: Any) -> Any:
        made = make(service, **limits)
        made.meta.events.register("before-parameter-build", record, unique_id="used")
        clients.append(made)
        return made

    monkeypatch.setattr(bootstrap, "client", client)

    def client_without_direct_calls(service: str, _: Any, *, attempts: int) -> Any:
        return client(service, attempts=attempts)

    # Direct calls bypass botocore's hooks.
    monkeypatch.setattr(bootstrap, "direct_client", client_without_direct_calls)
    monkeypatch.setattr(direct_uploads, "endpoint_of", lambda *_: None)
    forget_wiring()
    yield seen
    for made in clients:  # other tests share them
        made.meta.events.unregister("before-parameter-build", unique_id="used")


def allowed(name: str, *more: str) -> set[Permission]:
    """Return a function's permissions on the table, the distribution and the audit trail.

    ``more`` names statements that only some calls need.
    """
    sids = COMPARED_STATEMENTS | {*more}
    compared = [part for part in statements_of(name) if part["Sid"] in sids]
    return {
        (action, resource.partition("/index/")[2])
        for statement in compared
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
