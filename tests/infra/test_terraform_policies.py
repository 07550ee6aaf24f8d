"""Policies have no wildcards, and exactly the permissions that each function uses."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from deploy.functions import full_name
from products import bootstrap, maintenance, scheduling
from products.bulk.job import JobKind
from products.bulk.rows import planned_row
from products.changes import Change, Origin
from products.lists import SortKey
from products.pipeline import Pipeline
from products.plans.drafts import Draft, DraftRow
from tests.infra.used_permissions import (
    POLICIES,
    Permission,
    allowed,
    normalised,
    statements_of,
)
from tests.support.api_client import Api
from tests.support.builders import fields
from tests.support.commands import output
from tests.support.delivery import deliver
from tests.support.processes import until
from tests.support.terraform import PlannedEnvironment
from tests.support.world import World

ROLES = [
    name
    for name in POLICIES
    if not name.startswith(("key-", "topic-", "trust-", "search-domain", "vault"))
]
pytestmark = [pytest.mark.timeout(900), pytest.mark.needs("terraform", "terraform-offline")]

NO_RESOURCE_LEVEL = {
    "xray:PutTraceSegments": "X-Ray has no resources to write to",
    "xray:PutTelemetryRecords": "the same",
    "ecr:GetAuthorizationToken": "a token is for the whole registry",
}
"""Actions that AWS allows on `*` only, and why."""
CONTENTS = re.compile(r"^[^*]+(:\*|/\*)$")
"""A wildcard for the contents of one named resource: a log's streams, a bucket's objects."""


@pytest.mark.parametrize("name", ROLES)
def test_roles_have_no_wildcard_permissions(name: str) -> None:
    for statement in statements_of(name):
        assert statement["Effect"] == "Allow"
        assert [action for action in statement["Action"] if "*" in action] == []
        for resource in statement["Resource"]:
            if resource == "*":
                assert set(statement["Action"]) <= set(NO_RESOURCE_LEVEL)
            else:
                assert "*" not in resource or CONTENTS.match(resource), resource


def test_terraform_fills_in_policies_as_these_tests_do(infra: PlannedEnvironment) -> None:
    """The other tests read the templates; this one compares them with the planned policies."""
    policies = {
        role["role"]: json.loads(role["policy"])
        for role in infra.of_type("aws_iam_role_policy").values()
    }
    for name, function in infra.functions.items():
        role = function["role"].rpartition(":")[2]
        statements = [normalised(statement) for statement in policies[role]["Statement"]]
        expected = [statement["Action"] for statement in statements_of(name)]
        assert [statement["Action"] for statement in statements] == expected
        text = json.dumps(statements)
        assert "${" not in text
        assert f"/aws/lambda/{full_name(name, infra.env)}" in text
        assert set(re.findall(r"-(dev|sit|prod)\b", text)) == {infra.env}


def test_each_consumer_reads_only_its_own_queue() -> None:
    consumed = {
        name: statement["Resource"]
        for name in ROLES
        for statement in statements_of(name)
        if "sqs:ReceiveMessage" in statement["Action"]
    }
    queues = {
        "creator": "change",
        "cache-invalidator": "cache",
        "search-indexer": "search",
        "audit-logger": "audit",
    }
    dead_letter_queues = [f"<{queue}_dlq_arn>" for queue in queues.values()]
    assert consumed.pop("operator") == dead_letter_queues
    assert consumed.pop("web") == dead_letter_queues
    assert consumed.pop("worker") == [f"<{queue}_queue_arn>" for queue in queues.values()]
    assert consumed == {name: [f"<{queue}_queue_arn>"] for name, queue in queues.items()}


COMMANDS = (
    ("seed_products",),
    ("requeue_open_changes", "--failed"),
    ("verify_catalogue", "--repair"),
    ("verify_audit",),
    ("rebuild_search_index",),
    ("redrive", "--drop-done"),
    ("tokens",),
    ("switch_plans", "--due"),
    ("add_indexes",),
)
"""What operators run in tasks of the image, with the role of the migration."""


@pytest.mark.django_db
def test_list_has_the_permissions_it_uses(
    public: Api, staff: Api, six: None, used: set[Permission]
) -> None:
    used.clear()
    queries = ("", "?q=hosting", "?ids=p1", "?updatedSince=2026-03-01T12:00:00Z")
    orders = [f"?sortBy={key}" for key in SortKey]
    for path in (f"/products{query}" for query in [*queries, *orders]):
        assert public("get", path).status_code == staff("get", path).status_code == 200
    assert staff("get", "/products?active=all&q=hosting&sortBy=price").status_code == 200
    assert used == allowed("list")


@pytest.mark.django_db
def test_get_has_the_permissions_it_uses(
    public: Api, staff: Api, six: None, used: set[Permission]
) -> None:
    used.clear()
    assert public("get", "/products/p1").status_code == 200
    versions = ("?asOf=1", "?asOf=2026-01-01T00:00:00Z", "?asOf=2999-01-01T00:00:00Z")
    for path in ("", *versions, "/changes", "/changes/1"):
        assert staff("get", f"/products/p1{path}").status_code in {200, 404}
    assert used == allowed("get", "ComingSwitches")


@pytest.mark.django_db
def test_create_has_the_permissions_it_uses(api: Api, used: set[Permission]) -> None:
    for _ in range(2):
        created = api("post", "/products", fields(productId="p1"), Idempotency_Key="k")
        assert created.status_code == 202
    assert api("post", "/products?dryRun=true", fields(name="Another one")).status_code == 200
    assert api("post", "/products", fields(productId="p2")).status_code == 409
    assert used == allowed("create")


@pytest.mark.django_db
def test_update_has_the_permissions_it_uses(api: Api, p1: str, used: set[Permission]) -> None:
    used.clear()
    assert api("patch", p1, {"name": "Another name"}, Idempotency_Key="k").status_code == 202
    assert api("put", p1, {"name": "Another name"}, Idempotency_Key="l").status_code == 200
    assert api("post", f"{p1}/changes/1/restore").status_code == 202
    items = [
        {"action": "create", "productId": "p2", "product": fields(name="A second one")},
        {"action": "update", "productId": "p1", "product": {"name": "A third name"}},
    ]
    each = {"mode": "each", "items": items}
    assert api("post", "/products:batch", each, Idempotency_Key="e").status_code == 202
    together = {"mode": "all", "items": [{"action": "deactivate", "productId": "p1"}]}
    assert api("post", "/products:batch", together, Idempotency_Key="a").status_code == 202
    assert used == allowed("update")


@pytest.mark.django_db
def test_jobs_have_the_permissions_they_use(api: Api, six: None, used: set[Permission]) -> None:
    """Functions read jobs with `get`, export with `list`, and plan jobs with `update`."""
    used.clear()
    export = api.client.get("/v1.0/products.csv", headers=api.headers)
    assert export.getvalue()
    assert used <= allowed("list"), sorted(used - allowed("list"))
    used.clear()
    planned = api.client.post(
        "/v1.0/imports",
        b"productId,price\np1,99.00\n",
        content_type="text/csv",
        headers=api.headers,
    )
    assert planned.status_code == 201, planned.content
    path = planned["Location"].removeprefix("/v1.0")
    assert api("post", f"{path}/start").status_code == 202
    assert api("post", f"{path}/cancel").status_code in {200, 202}
    assert used <= allowed("update", "PlanJobs")
    used.clear()
    for address in (path, f"{path}/rows", "/jobs"):
        assert api("get", address).status_code == 200
    assert used <= allowed("get"), sorted(used - allowed("get"))


@pytest.mark.django_db
def test_plans_have_the_permissions_they_use(api: Api, six: None, used: set[Permission]) -> None:
    """Functions read plans with `list`, and make and change them with `update`."""
    used.clear()
    body = {
        "name": "Sale",
        "select": {"active": "all"},
        "adjust": {"kind": "percent", "by": "-10"},
        "endsAt": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
    }
    planned = api("post", "/plans", body, Idempotency_Key="k")
    assert planned.status_code == 201, planned.content
    path = f"/plans/{planned.json()['planId']}"
    assert api("patch", path, {"name": "Other"}).status_code == 200
    assert api("post", f"{path}/undo").status_code == 200
    assert api("post", f"{path}/end").status_code == 409
    assert api("delete", path).status_code == 200
    updates = allowed("update", "PlanJobs", "PlanChanges", "SelectProducts")
    assert used <= updates, sorted(used - updates)
    used.clear()
    addresses = (path, f"{path}/rows", f"{path}/history", "/plans", "/plans?open=true")
    for address in (*addresses, "/products/p1/plans", "/products?asOf=2999-01-01T00:00:00Z"):
        assert api("get", address).status_code == 200
    assert used <= allowed("list"), sorted(used - allowed("list"))


@pytest.mark.django_db
def test_delete_has_the_permissions_it_uses(api: Api, p1: str, used: set[Permission]) -> None:
    used.clear()
    assert api("delete", p1, Idempotency_Key="k").status_code == 202
    assert api("delete", p1, Idempotency_Key="other").status_code == 204
    assert used == allowed("delete")


def test_consumers_have_the_permissions_they_use(
    world: World, ann: Origin, used: set[Permission]
) -> None:
    bootstrap.acceptance().create("p1", fields(), ann)
    pipeline = bootstrap.pipeline()
    consumers: dict[str, Callable[[str, int], None]] = {
        "search-indexer": partial(deliver, pipeline.index),
        "audit-logger": partial(deliver, pipeline.audit),
        "cache-invalidator": partial(_purge, pipeline),
    }
    for name, work in consumers.items():
        if name == "cache-invalidator":
            deliver(pipeline.store, "p1", 1)
        used.clear()
        work("p1", 1)
        assert used <= allowed(name), name
    assert used == allowed("cache-invalidator")


def _purge(pipeline: Pipeline, product_id: str, version: int) -> None:
    """Purge until the invalidation is confirmed."""

    def is_purged() -> bool:
        deliver(pipeline.purge, product_id, version)
        return "purged" in _change(product_id, version).done

    until(is_purged)


def _change(product_id: str, version: int) -> Change:
    change = bootstrap.table().change(product_id, version)
    assert change
    return change


def test_creator_has_the_permissions_it_uses(
    world: World, ann: Origin, used: set[Permission], settings: Any
) -> None:
    """It also applies the rows of jobs, so it has the permissions for accepting writes."""
    settings.COMBINED_EFFECTS = frozenset()
    bootstrap.acceptance().create("p1", fields(), ann)
    row = planned_row(1, bootstrap.catalogue().newest("p1"), {"name": "Another name"})
    used.clear()
    deliver(bootstrap.pipeline().store, "p1", 1)
    bootstrap.relay().requeue(failed=True)
    maintenance.drift_scan().step()
    job = bootstrap.jobs().plan(JobKind.BULK, "Rename", [row], ann)
    bootstrap.jobs().start(job.job_id, ann)
    bootstrap.jobs().work(job.job_id)
    _make_plan_step(ann)
    assert used <= allowed("creator"), sorted(used - allowed("creator"))
    assert {action for action, _ in used} >= {
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:Query",
    }


@pytest.mark.django_db
def test_operator_has_the_permissions_that_commands_use(
    world: World, ann: Origin, used: set[Permission]
) -> None:
    bootstrap.acceptance().create("p1", fields(), ann)
    deliver(bootstrap.pipeline().store, "p1", 1)
    used.clear()
    for command in COMMANDS:
        output(*command)
    _make_plan_step(ann)
    permissions = allowed("operator", "AddIndexes")
    assert used <= permissions, sorted(used - permissions)
    assert {"dynamodb:DescribeTable", "s3:GetObject"} <= {action for action, _ in used}


def _make_plan_step(origin: Origin) -> None:
    """Make the start of a plan, as the creator does."""
    draft = Draft(
        name="Sale",
        rows=[DraftRow(product_id="p1", edits={"price": "5"})],
        starts_at=None,
        ends_at=None,
        zone="UTC",
    )
    scheduling.plans().create(draft, origin)
    scheduling.switching().announce()
    assert len(scheduling.switching().step()) == 1
