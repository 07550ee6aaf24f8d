"""The consumers' handler: messages, schedules, and everything it must refuse."""

import base64
import json
import logging
import uuid
from typing import Any

import pytest

from products.acceptance import Acceptance
from products.adapters.sqs.task_messages import task_message
from products.changes import Origin
from tasks.aws_lambda import TaskNotScheduled, handler
from tasks.queues import BACKOFF_SECONDS
from tests.plugin import ENV
from tests.support.builders import fields
from tests.support.lambda_events import LambdaContext, receive_records
from tests.support.world import World

ARN = f"arn:aws:sqs:eu-west-1:000000000000:bbws-product-change-{ENV}"


@pytest.fixture(autouse=True)
def one_effect_per_function(settings: Any) -> None:
    settings.COMBINED_EFFECTS = frozenset()


def handle(event: dict[str, Any], remaining_milliseconds: int = 10_000) -> Any:
    return handler(event, LambdaContext(remaining_milliseconds))


def failed_ids(record: dict[str, Any], remaining_milliseconds: int = 10_000) -> list[str]:
    """Handle a batch of one message; return the ids of the failed messages."""
    response = handle({"Records": [record]}, remaining_milliseconds)
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def record(body: str, **changes: Any) -> dict[str, Any]:
    """Return a message as SQS hands it to a function."""
    return {
        "messageId": "m1",
        "receiptHandle": "stale",
        "body": body,
        "eventSourceARN": ARN,
        "attributes": {"ApproximateReceiveCount": "1"},
        **changes,
    }


def persist_message(product_id: str = "p1", **headers: Any) -> str:
    arguments = {"product_id": product_id, "version": 1}
    headers = {"request_id": "r", **headers}
    return task_message(str(uuid.uuid4()), "products.persist", arguments, headers, queue="q")


def test_a_message_runs_its_task(acceptance: Acceptance, world: World, ann: Origin) -> None:
    acceptance.create("p1", fields(), ann)
    batch = receive_records(world, "products.persist")
    assert handle({"Records": batch}) == {"batchItemFailures": []}
    assert world.record("p1")
    assert world.depth(world.queue("products.audit")) == 1


def test_a_message_without_time_left_returns_soon(
    acceptance: Acceptance, world: World, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    (only,) = receive_records(world, "products.persist")
    assert failed_ids(only, remaining_milliseconds=4_000) == [only["messageId"]]
    assert world.record("p1") is None
    # It is visible again after its backoff, long before its visibility timeout of a minute.
    response = world.sqs.receive_message(
        QueueUrl=world.queue_url(world.queue("products.persist")),
        WaitTimeSeconds=BACKOFF_SECONDS[1] + 3,
    )
    assert len(response["Messages"]) == 1


# A Celery worker acknowledges a message with an invalid body, and so loses it.
INVALID_BODY = json.dumps({**json.loads(persist_message()), "body": "!!!"})


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "body",
    [
        "garbage",
        "",
        "[1, 2]",
        "{}",
        '{"properties": {}, "headers": {}}',
        '{"headers": ' + "[" * 100_000,
        "bm8gSlNPTg==",
        persist_message().replace("products.persist", "products.nosuch"),
        persist_message().replace("application/json", "application/x-python-serialize"),
        INVALID_BODY,
        persist_message(eta="2099-01-01T00:00:00+00:00"),
        persist_message(eta="tomorrow"),
    ],
)
def test_a_message_that_is_no_task_fails(body: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "tasks.aws_lambda"):
        assert failed_ids(record(body)) == ["m1"]
    assert "message rejected" in caplog.text


@pytest.mark.usefixtures("world")
def test_a_message_of_an_unknown_queue_fails() -> None:
    other = record(persist_message(), eventSourceARN=ARN.replace("change", "other"))
    assert failed_ids(other) == ["m1"]


def test_a_message_in_base64_is_decoded(acceptance: Acceptance, world: World, ann: Origin) -> None:
    """Base64 is Celery's default, and an older release used it."""
    acceptance.create("p1", fields(), ann)
    body = base64.b64encode(persist_message().encode()).decode()
    assert failed_ids(record(body)) == []
    assert world.record("p1")


@pytest.mark.usefixtures("world")
def test_an_expired_message_is_deleted() -> None:
    expired = persist_message("nobody", expires="2026-01-01T00:00:00+00:00")
    assert failed_ids(record(expired)) == []


@pytest.mark.usefixtures("world")
def test_a_refused_backoff_does_not_hide_the_failure(caplog: pytest.LogCaptureFixture) -> None:
    """SQS refuses to change the visibility, because the receipt handle is invalid."""
    with caplog.at_level(logging.WARNING, "tasks.aws_lambda"):
        assert failed_ids(record(persist_message("nobody"))) == ["m1"]
    assert "message will return after its visibility time-out" in caplog.text


@pytest.mark.usefixtures("world")
def test_a_schedule_starts_only_listed_tasks() -> None:
    assert handle({"task": "products.relay"}) is None
    other_names = ["products.persist", "celery.backend_cleanup", ["x"], None]
    events: list[dict[str, Any]] = [{"task": name} for name in other_names]
    for event in [*events, {}, {"manage": "shell"}]:
        with pytest.raises(TaskNotScheduled, match="A schedule may start"):
            handle(event)
