"""The built zip on a ministack that enforces policies, deployed as Terraform deploys it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy.functions import existing
from deploy.package.build import build, download_wheels
from deploy.package.checks import PackageRefused
from deploy.promote import check
from products.adapters.sqs.task_messages import task_message
from tasks.queues import MAX_RECEIVE_COUNT
from tests.support.builders import fields
from tests.support.lambda_stack import ENV, MACHINE, Stack
from tests.support.processes import until
from tests.support.tools import skip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip for this machine's processor."""
    try:
        download_wheels(MACHINE)
    except PackageRefused as refusal:
        skip(f"The package index does not answer: {refusal}")
    path = tmp_path_factory.mktemp("zip") / "products-lambda.zip"
    build(MACHINE, path)
    return path


@pytest.fixture(scope="module")
def stack(zipped: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack"), zipped)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", stack.engines.aws_url)
        # To ministack, these keys are an administrator; the functions have roles.
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        # The session caches the keys it was created with.
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        try:
            stack.start()
            yield stack
        finally:
            stack.stop()


def create(stack: Stack, product_id: str, **changes: Any) -> None:
    body = fields(productId=product_id, **changes)
    status, accepted, _ = stack.call("POST", "/v1.0/products", body)
    assert status == 202, accepted


def test_a_product_is_created_stored_indexed_audited_and_read(stack: Stack) -> None:
    create(stack, "p1")
    receipt = stack.complete("p1")
    states = {name: effect["state"] for name, effect in receipt["effects"].items()}
    assert states == dict.fromkeys(("stored", "purged", "searchable", "audited"), "done")
    assert stack.world.record("p1")
    assert stack.world.document("p1")
    assert len([key for key in stack.world.audit_records() if "/p1_" in key]) == 1
    status, product, _ = stack.call("GET", "/v1.0/products/p1", Authorization="")
    assert (status, product["name"]) == (200, "Basic hosting")
    _, page, _ = stack.call("GET", "/v1.0/products?q=basic", Authorization="")
    assert [found["productId"] for found in page["products"]] == ["p1"]


def test_each_function_answers_the_test_call_of_a_promotion(stack: Stack) -> None:
    """A deployment calls each new version so, before it makes any of them live."""
    for short, name in existing(stack.lambda_, ENV).items():
        version = stack.lambda_.publish_version(FunctionName=name)["Version"]
        check(stack.lambda_, short, name, int(version))


def test_a_product_is_edited_and_deleted(stack: Stack) -> None:
    create(stack, "p2", name="Second hosting")
    assert stack.call("PATCH", "/v1.0/products/p2", {"price": "1700.00"})[0] == 202
    assert stack.call("DELETE", "/v1.0/products/p2")[0] == 202
    stack.complete("p2", 3)
    assert stack.call("GET", "/v1.0/products/p2", Authorization="")[0] == 404


def test_a_plan_starts_and_ends_on_time_with_receipts(stack: Stack) -> None:
    """The function sends the message of the start, and the start that of the end."""
    create(stack, "p3", name="Third hosting", price="1000.00")
    stack.complete("p3")
    starts_at = datetime.now(UTC) + timedelta(seconds=6)
    ends_at = starts_at + timedelta(seconds=6)
    body = {
        "name": "Sale",
        "rows": [{"productId": "p3", "edits": {"price": "800.00"}}],
        "startsAt": starts_at.isoformat(),
        "endsAt": ends_at.isoformat(),
    }
    status, plan, _ = stack.call("POST", "/v1.0/plans", body)
    assert status == 201, plan
    started, ended = (stack.complete("p3", version) for version in (2, 3))
    for receipt, due, step in ((started, starts_at, "start"), (ended, ends_at, "end")):
        late = datetime.fromisoformat(receipt["acceptedAt"]) - due
        assert timedelta() <= late < timedelta(seconds=10), step
        assert (receipt["source"], receipt["requestId"]) == ("plan", f"{plan['planId']}-{step}")
    _, product, _ = stack.call("GET", "/v1.0/products/p3", Authorization="")
    assert product["price"] == "1000.00"
    _, shown, _ = stack.call("GET", f"/v1.0/plans/{plan['planId']}")
    assert shown["state"] == "ended"


def test_a_poison_message_does_not_hold_up_its_batch(stack: Stack) -> None:
    url = stack.world.queue_url(stack.world.queue("products.persist"))
    product_ids = ("n1", "n2")
    for product_id in product_ids:
        create(stack, product_id, name=f"Neighbour {product_id}")
        stack.world.sqs.send_message(QueueUrl=url, MessageBody="poison")
    for product_id in product_ids:
        stack.complete(product_id)

    def both_dead_letters() -> list[Any]:
        letters = stack.world.dead_letters("products.persist")
        return letters if len(letters) == 2 else []

    letters = until(both_dead_letters, seconds=90)
    assert [letter["Body"] for letter in letters] == ["poison"] * 2
    counts = [int(letter["Attributes"]["ApproximateReceiveCount"]) for letter in letters]
    assert min(counts) >= MAX_RECEIVE_COUNT


def test_the_reading_function_can_not_write(stack: Stack) -> None:
    event = {
        "path": "/v1.0/products",
        "httpMethod": "POST",
        "headers": {
            "Host": "api",
            "Authorization": f"Bearer {stack.token()}",
            "Content-Type": "application/json",
        },
        "queryStringParameters": None,
        "body": json.dumps(fields(productId="forbidden")),
        "requestContext": {"path": "/v1.0/products", "identity": {"sourceIp": "192.0.2.1"}},
    }
    response, error = stack.invoke("get", event)
    assert error is None
    assert response["statusCode"] == 503
    assert "AccessDenied" in response["body"]
    assert stack.world.change("forbidden", 1) is None


def test_the_audit_function_can_not_query_open_changes(stack: Stack) -> None:
    queue = stack.world.queue("products.persist")
    record = {
        "messageId": "m1",
        "receiptHandle": "handle",
        "body": task_message("id", "products.relay", {}, {"request_id": "r"}, queue="q"),
        "eventSourceARN": f"arn:aws:sqs:eu-west-1:000000000000:{queue}",
        "attributes": {"ApproximateReceiveCount": "1"},
    }
    response, _ = stack.invoke("audit-logger", {"Records": [record]})
    assert response == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert stack.invoke("creator", {"Records": [record]}) == ({"batchItemFailures": []}, None)


def test_a_schedule_starts_only_scheduled_tasks(stack: Stack) -> None:
    assert stack.invoke("creator", {"task": "products.relay"}) == (None, None)
    response, error = stack.invoke("creator", {"task": "os.system"})
    assert error
    assert "A schedule may start" in response["errorMessage"]
