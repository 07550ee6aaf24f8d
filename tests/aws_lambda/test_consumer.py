"""What the consumers' handler does with time, with SQS away, and with events that are none of its own."""

import base64
import json
import logging
import uuid
from typing import Any

import pytest

from products.adapters.sqs.doorbell_direct import task_message
from products.catalogue import Catalogue
from products.changes import Origin
from tasks.aws_lambda import TaskNotRunnable, handler
from tasks.queues import BACKOFF_SECONDS
from tests.support.builders import fields
from tests.support.lambda_events import Context, records
from tests.support.world import World

ARN = "arn:aws:sqs:eu-west-1:000000000000:bbws-product-change-test"


def handled(event: dict[str, Any], milliseconds: int = 10_000) -> Any:
    return handler(event, Context(milliseconds))


def failed(answer: Any) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def record(body: str, **changes: Any) -> dict[str, Any]:
    standing = {"messageId": "m1", "receiptHandle": "stale", "body": body, "eventSourceARN": ARN}
    return {**standing, "attributes": {"ApproximateReceiveCount": "1"}, **changes}


def persist(product_id: str = "p1", **headers: Any) -> str:
    about = {"product_id": product_id, "version": 1}
    return task_message(
        str(uuid.uuid4()), "products.persist", about, {"request_id": "r", **headers}, queue="q"
    )


def test_a_message_runs_its_task(catalogue: Catalogue, world: World, ann: Origin) -> None:
    catalogue.create("p1", fields(), ann)
    batch = records(world, "products.persist")
    assert handled({"Records": batch}) == {"batchItemFailures": []}
    assert world.record("p1")
    assert world.depth(world.queue("products.audit")) == 1


def test_what_there_is_no_time_for_comes_back(
    catalogue: Catalogue, world: World, ann: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    (only,) = records(world, "products.persist")
    assert failed(handled({"Records": [only]}, milliseconds=4_000)) == [only["messageId"]]
    assert world.record("p1") is None
    visibility = world.sqs.receive_message(
        QueueUrl=world.queue_url(world.queue("products.persist")),
        WaitTimeSeconds=BACKOFF_SECONDS[1] + 3,
    )
    assert len(visibility["Messages"]) == 1  # not after a minute, as its visibility time-out has it


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "body",
    [
        "garbage",
        "",
        "[1, 2]",
        "{}",
        '{"properties": {}, "headers": {}}',
        "bm8gSlNPTg==",
        persist().replace("products.persist", "products.nosuch"),
        persist().replace("application/json", "application/x-python-serialize"),
        json.dumps(
            {**json.loads(persist()), "body": "!!!"}
        ),  # a Celery worker acknowledges, and loses, this one
        persist(eta="2099-01-01T00:00:00+00:00"),
        persist(eta="tomorrow"),
    ],
)
def test_what_is_no_task_fails(body: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "tasks.aws_lambda"):
        assert failed(handled({"Records": [record(body)]})) == ["m1"]
    assert "message rejected" in caplog.text


@pytest.mark.usefixtures("world")
def test_a_queue_nobody_knows_fails() -> None:
    other = record(persist(), eventSourceARN=ARN.replace("change", "other"))
    assert failed(handled({"Records": [other]})) == ["m1"]


def test_base64_around_a_message_is_taken_off(
    catalogue: Catalogue, world: World, ann: Origin
) -> None:
    """Celery's default, which may be in a queue from before."""
    catalogue.create("p1", fields(), ann)
    assert (
        failed(handled({"Records": [record(base64.b64encode(persist().encode()).decode())]})) == []
    )
    assert world.record("p1")


@pytest.mark.usefixtures("world")
def test_what_has_expired_is_done_with() -> None:
    assert (
        failed(
            handled({"Records": [record(persist("nobody", expires="2026-01-01T00:00:00+00:00"))]})
        )
        == []
    )


@pytest.mark.usefixtures("world")
def test_coming_back_sooner_is_a_courtesy(caplog: pytest.LogCaptureFixture) -> None:
    """SQS refuses the handle, which is none of its own: the message has failed all the same."""
    with caplog.at_level(logging.WARNING, "tasks.aws_lambda"):
        assert failed(handled({"Records": [record(persist("nobody"))]})) == ["m1"]
    assert "message will return after its visibility time-out" in caplog.text


@pytest.mark.usefixtures("world")
def test_a_schedule_starts_what_is_listed_and_nothing_else() -> None:
    assert handled({"task": "products.relay"}) is None
    others = ["products.persist", "celery.backend_cleanup", ["x"], None]
    for event in [*({"task": other} for other in others), {}, {"manage": "shell"}]:
        with pytest.raises(TaskNotRunnable, match="A schedule may start"):
            handled(event)
