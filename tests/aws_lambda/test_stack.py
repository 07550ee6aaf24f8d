"""The built zip on a ministack that enforces policies: each function under its own role, as Terraform deploys it."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from deploy.package.build import build, download_wheels
from deploy.package.checks import PackageRefused
from products.adapters.sqs.doorbell_direct import task_message
from tasks.queues import MAX_RECEIVE_COUNT
from tests.support.builders import fields
from tests.support.lambda_stack import MACHINE, Stack
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
    made = tmp_path_factory.mktemp("zip") / "products-lambda.zip"
    build(MACHINE, made)
    return made


@pytest.fixture(scope="module")
def stack(zipped: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    made = Stack(tmp_path_factory.mktemp("stack"), zipped)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", made.engines.aws_url)
        patch.setenv(
            "AWS_ACCESS_KEY_ID", "test"
        )  # whom ministack lets do everything; the functions have roles
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setattr(boto3, "DEFAULT_SESSION", None)  # which would remember who we were
        try:
            made.start()
            yield made
        finally:
            made.stop()


def test_a_product_is_created_stored_indexed_audited_and_read(stack: Stack) -> None:
    status, accepted, _ = stack.call("POST", "/v1.0/products", fields(productId="p1"))
    assert status == 202, accepted
    receipt = stack.complete("p1")
    assert {name: effect["state"] for name, effect in receipt["effects"].items()} == dict.fromkeys(
        ("stored", "purged", "searchable", "audited"), "done"
    )
    record, document = stack.world.record("p1"), stack.world.document("p1")
    assert record
    assert document
    assert len([key for key in stack.world.audit_records() if "/p1_" in key]) == 1
    status, product, _ = stack.call("GET", "/v1.0/products/p1", Authorization="")
    assert (status, product["name"]) == (200, "Basic hosting")
    status, page, _ = stack.call("GET", "/v1.0/products?q=hosting", Authorization="")
    assert [found["productId"] for found in page["products"]] == ["p1"]


def test_edits_and_deletion_go_the_same_way(stack: Stack) -> None:
    assert (
        stack.call("POST", "/v1.0/products", fields(productId="p2", name="Second hosting"))[0]
        == 202
    )
    assert stack.call("PATCH", "/v1.0/products/p2", {"price": "1700.00"})[0] == 202
    assert stack.call("DELETE", "/v1.0/products/p2")[0] == 202
    stack.complete("p2", 3)
    assert stack.call("GET", "/v1.0/products/p2", Authorization="")[0] == 404


def test_a_poison_message_dies_alone(stack: Stack) -> None:
    queue = stack.world.queue_url(stack.world.queue("products.persist"))
    for product_id in ("n1", "n2"):
        assert (
            stack.call(
                "POST",
                "/v1.0/products",
                fields(productId=product_id, name=f"Neighbour {product_id}"),
            )[0]
            == 202
        )
        stack.world.sqs.send_message(QueueUrl=queue, MessageBody="poison")
    for product_id in ("n1", "n2"):
        stack.complete(product_id)
    dead = until(
        lambda: both if len(both := stack.world.dead_letters("products.persist")) == 2 else [],
        seconds=90,
    )
    assert [letter["Body"] for letter in dead] == ["poison"] * 2
    assert (
        min(int(letter["Attributes"]["ApproximateReceiveCount"]) for letter in dead)
        >= MAX_RECEIVE_COUNT
    )


def test_a_reader_can_not_write(stack: Stack) -> None:
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
    answer, error = stack.invoke("get", event)
    assert error is None
    assert answer["statusCode"] == 503
    assert "AccessDenied" in answer["body"]
    assert stack.world.change("forbidden", 1) is None


def test_an_auditor_can_not_look_for_open_changes(stack: Stack) -> None:
    record = {
        "messageId": "m1",
        "receiptHandle": "handle",
        "body": task_message("id", "products.relay", {}, {"request_id": "r"}, queue="q"),
        "eventSourceARN": f"arn:aws:sqs:eu-west-1:000000000000:{stack.world.queue('products.persist')}",
        "attributes": {"ApproximateReceiveCount": "9"},
    }
    answer, _ = stack.invoke("audit-logger", {"Records": [record]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert stack.invoke("creator", {"Records": [record]}) == ({"batchItemFailures": []}, None)


def test_a_schedule_starts_the_relay_and_nothing_else(stack: Stack) -> None:
    assert stack.invoke("creator", {"task": "products.relay"}) == (None, None)
    answer, error = stack.invoke("creator", {"task": "os.system"})
    assert error
    assert "A schedule may start" in answer["errorMessage"]
