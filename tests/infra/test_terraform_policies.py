"""What each function may do: nothing by wildcard, and just what its work calls - which is watched while it is done."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from products import bootstrap, maintenance
from products.bulk.job import JobKind
from products.bulk.rows import planned_row
from products.changes import Change, Origin
from products.pipeline import Pipeline
from tests.support.api_client import Api
from tests.support.builders import fields
from tests.support.processes import until
from tests.support.terraform import SOURCE, PlannedEnvironment, policy
from tests.support.wiring import forget_wiring
from tests.support.world import World

POLICIES = sorted(
    path.name.removesuffix(".json.tftpl") for path in (SOURCE / "policies").glob("*.tftpl")
)
ROLES = [
    name for name in POLICIES if not name.startswith(("key-", "topic-", "trust-", "search-domain"))
]
pytestmark = [pytest.mark.timeout(900), pytest.mark.needs("terraform", "terraform-offline")]

NO_RESOURCE_LEVEL = {
    "xray:PutTraceSegments": "X-Ray knows no resources to write to",
    "xray:PutTelemetryRecords": "the same",
    "ecr:GetAuthorizationToken": "a token is for the whole registry",
}
"""Actions that AWS allows on `*` only, and why."""
BELOW = re.compile(r"^[^*]+(:\*|/\*)$")
"""A wildcard only for what is inside a thing that is named: the streams of a log, the objects of a bucket."""


def _names() -> dict[str, str]:
    text = "".join((SOURCE / "policies" / f"{name}.json.tftpl").read_text() for name in POLICIES)
    return {name: f"<{name}>" for name in re.findall(r"\$\{(\w+)\}", text)}


def _statements(name: str) -> list[dict[str, Any]]:
    return [_listed(statement) for statement in policy(name, _names())["Statement"]]


def _listed(statement: dict[str, Any]) -> dict[str, Any]:
    def many(value: Any) -> list[str]:
        return value if isinstance(value, list) else [value]

    return statement | {
        "Action": many(statement["Action"]),
        "Resource": many(statement.get("Resource", [])),
    }


@pytest.mark.parametrize("name", ROLES)
def test_no_role_may_do_anything_by_wildcard(name: str) -> None:
    for statement in _statements(name):
        assert statement["Effect"] == "Allow"
        assert [action for action in statement["Action"] if "*" in action] == []
        for resource in statement["Resource"]:
            if resource == "*":
                assert set(statement["Action"]) <= set(NO_RESOURCE_LEVEL)
            else:
                assert "*" not in resource or BELOW.match(resource), resource


def test_terraform_fills_in_what_these_tests_do(infra: PlannedEnvironment) -> None:
    """So that a test that reads the template tests what is made."""
    made = {
        role["role"]: json.loads(role["policy"])
        for role in infra.of("aws_iam_role_policy").values()
    }
    for name, function in infra.functions.items():
        role = function["role"].rpartition(":")[2]
        statements = [_listed(statement) for statement in made[role]["Statement"]]
        assert [s["Action"] for s in statements] == [s["Action"] for s in _statements(name)]
        text = json.dumps(statements)
        assert "${" not in text
        assert f"/aws/lambda/bbws-product-{name}-{infra.env}" in text
        assert set(re.findall(r"-(dev|sit|prod)\b", text)) == {infra.env}


def test_each_consumer_consumes_its_own_queue_only() -> None:
    statements = [(name, statement) for name in ROLES for statement in _statements(name)]
    consumed = {
        name: s["Resource"] for name, s in statements if "sqs:ReceiveMessage" in s["Action"]
    }
    queues = {
        "creator": "change",
        "cache-invalidator": "cache",
        "search-indexer": "search",
        "audit-logger": "audit",
    }
    containers, redriving = consumed.pop("worker"), [consumed.pop("operator"), consumed.pop("web")]
    assert consumed == {name: [f"<{queue}_queue_arn>"] for name, queue in queues.items()}
    assert containers == [f"<{queue}_queue_arn>" for queue in queues.values()]
    assert redriving == [[f"<{queue}_dlq_arn>" for queue in queues.values()]] * 2


# What the work calls: each client is asked, before a call, for the call's name and arguments.

WRITES = {
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "Update": "UpdateItem",
    "ConditionCheck": "ConditionCheckItem",
}
ALSO_CALLED = {"s3:ListObjectsV2": "s3:ListBucket"}
Permission = tuple[str, str]
"""An action, and the index it is on, if it is on one."""


@pytest.fixture
def called(
    world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[set[Permission]]:
    """The permissions that were needed of DynamoDB, CloudFront and, to verify, S3 since it was last emptied."""
    seen: set[Permission] = set()
    clients: list[Any] = []
    make = bootstrap.client

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name == "TransactWriteItems":
            seen.update(
                (f"dynamodb:{WRITES[kind]}", "")
                for write in params["TransactItems"]
                for kind in write
            )
        else:
            action = f"{model.service_model.service_name}:{model.name}"
            seen.add((ALSO_CALLED.get(action, action), str(params.get("IndexName", ""))))

    def client(service: str, **limits: Any) -> Any:
        made = make(service, **limits)
        made.meta.events.register("before-parameter-build", note, unique_id="called")
        clients.append(made)
        return made

    monkeypatch.setattr(bootstrap, "client", client)
    settings.DIRECT_CALLS = ""  # a direct call asks nobody
    forget_wiring()
    yield seen
    for made in clients:  # they are shared by all tests
        made.meta.events.unregister("before-parameter-build", unique_id="called")


def allowed(name: str) -> set[Permission]:
    """What a function's policy lets it do to the table, to the distribution, and to read the audit trail."""
    watched = [
        s
        for s in _statements(name)
        if s["Sid"] in {"Table", "Indexes", "Purge", "VerifyAudit", "FindAudit"}
    ]
    return {
        (action, resource.partition("/index/")[2])
        for statement in watched
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


@pytest.mark.django_db
def test_list_may_do_what_it_does(
    public: Api, staff: Api, six: None, called: set[Permission]
) -> None:
    called.clear()
    for path in ("/products", "/products?sortBy=price", "/products?q=hosting"):
        assert public("get", path).status_code == staff("get", path).status_code == 200
    assert staff("get", "/products?active=all&q=hosting&sortBy=price").status_code == 200
    assert called == allowed("list")


@pytest.mark.django_db
def test_get_may_do_what_it_does(
    public: Api, staff: Api, six: None, called: set[Permission]
) -> None:
    called.clear()
    assert public("get", "/products/p1").status_code == 200
    for path in ("", "?asOf=1", "?asOf=2026-01-01T00:00:00Z", "/changes", "/changes/1"):
        assert staff("get", f"/products/p1{path}").status_code in {200, 404}
    assert called == allowed("get")


@pytest.mark.django_db
def test_create_may_do_what_it_does(api: Api, called: set[Permission]) -> None:
    for status in (202, 202):
        assert (
            api("post", "/products", fields(productId="p1"), Idempotency_Key="k").status_code
            == status
        )
    assert api("post", "/products?dryRun=true", fields(name="Another one")).status_code == 200
    assert api("post", "/products", fields(productId="p2")).status_code == 409
    assert called == allowed("create")


@pytest.mark.django_db
def test_update_may_do_what_it_does(api: Api, p1: str, called: set[Permission]) -> None:
    called.clear()
    assert api("patch", p1, {"name": "Another name"}, Idempotency_Key="k").status_code == 202
    assert api("put", p1, {"name": "Another name"}, Idempotency_Key="l").status_code == 200
    assert api("post", f"{p1}/changes/1/restore").status_code == 202
    items = [
        {"action": "create", "productId": "p2", "product": fields(name="A second one")},
        {"action": "update", "productId": "p1", "product": {"name": "A third name"}},
    ]
    gone = [{"action": "deactivate", "productId": "p1"}]
    assert (
        api(
            "post", "/products:batch", {"mode": "each", "items": items}, Idempotency_Key="e"
        ).status_code
        == 202
    )
    assert (
        api(
            "post", "/products:batch", {"mode": "all", "items": gone}, Idempotency_Key="a"
        ).status_code
        == 202
    )
    assert called == allowed("update")


@pytest.mark.django_db
def test_delete_may_do_what_it_does(api: Api, p1: str, called: set[Permission]) -> None:
    called.clear()
    assert api("delete", p1, Idempotency_Key="k").status_code == 202
    assert api("delete", p1, Idempotency_Key="other").status_code == 204
    assert called == allowed("delete")


def test_consumers_may_do_what_they_do(world: World, ann: Origin, called: set[Permission]) -> None:
    bootstrap.catalogue().create("p1", fields(), ann)
    pipeline = bootstrap.pipeline()
    for name, work in {
        "search-indexer": pipeline.index,
        "audit-logger": pipeline.audit,
        "cache-invalidator": lambda *change: _purged(pipeline, *change),
    }.items():
        if name == "cache-invalidator":
            pipeline.store("p1", 1)
        called.clear()
        work("p1", 1)
        assert called <= allowed(name), name
    assert called == allowed("cache-invalidator")


def _purged(pipeline: Pipeline, product_id: str, version: int) -> None:
    until(
        lambda: pipeline.purge(product_id, version) or "purged" in _change(product_id, version).done
    )


def _change(product_id: str, version: int) -> Change:
    change = bootstrap.table().change(product_id, version)
    assert change
    return change


def test_creator_may_do_what_it_does(world: World, ann: Origin, called: set[Permission]) -> None:
    """It also writes the rows of jobs, so it may do all that those who accept may."""
    catalogue = bootstrap.catalogue()
    catalogue.create("p1", fields(), ann)
    row = planned_row(1, catalogue.newest("p1"), {"name": "Another name"})
    called.clear()
    bootstrap.pipeline().store("p1", 1)
    bootstrap.pipeline().relay(failed=True)
    maintenance.drift_scan().step()
    job = bootstrap.jobs().plan(JobKind.BULK, "Rename", [row], actor="ann")
    bootstrap.jobs().start(job.job_id)
    bootstrap.jobs().work(job.job_id)
    assert called <= allowed("creator")
    assert {action for action, _ in called} >= {
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:Query",
    }
