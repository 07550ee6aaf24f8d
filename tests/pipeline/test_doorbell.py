"""The doorbell on SQS and on a missing queue, and its messages compared with Celery's."""

import base64
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings

from bbws_products.celery import app
from deploy.local.resources import create_queues
from products.acceptance import Acceptance
from products.adapters.aws.clients import client
from products.adapters.sqs.doorbell import PAUSE_SECONDS, SqsDoorbell
from products.appending import Notification
from products.bootstrap import new_id
from products.changes import Change, Origin
from tests.support.builders import fields
from tests.support.world import World

OWN_VALUES = {"id", "root_id", "origin", "correlation_id", "delivery_tag", "reply_to", "timelimit"}
"""Fields that differ in each message, or that only Celery fills in.

No process waits for a reply, and the workers know the time limits themselves.
"""
OPTIONAL_HEADERS = {"shadow", "group_index", "replaced_task_nesting", "stamped_headers", "stamps"}
"""Celery's headers that have no value here; its protocol makes them optional."""


def sqs_doorbell(**options: Any) -> SqsDoorbell:
    return SqsDoorbell(client("sqs", attempts=1), settings.TASK_URLS, new_id, **options)


@pytest.fixture
def change(acceptance: Acceptance, world: World, ann: Origin) -> Change:
    change = acceptance.create("p1", fields(), ann).change
    assert change
    world.empty_queues("products.persist")
    return change


def test_a_message_names_only_a_version(acceptance: Acceptance, world: World, ann: Origin) -> None:
    acceptance.create("p1", fields(), ann)
    (message,) = world.messages("products.persist")
    assert world.payload(message) == {"product_id": "p1", "version": 1}
    assert world.headers(message)["request_id"] == "request-of-ann"
    assert "Basic hosting" not in message["Body"]


def test_messages_are_those_that_celery_sends(change: Change, world: World) -> None:
    def sent() -> list[dict[str, Any]]:
        return [comparable(message) for message in world.messages("products.persist")]

    sqs_doorbell().notify([Notification("persist", change)])
    sqs_doorbell().notify_job("j1")
    ours = sent()
    arguments = {"product_id": "p1", "version": 1}
    ids = {"request_id": change.origin.request_id, "change_id": change.change_id}
    app.send_task("products.persist", kwargs=arguments, headers=ids)
    app.send_task("products.job", kwargs={"job_id": "j1"}, headers={"request_id": "j1"})
    theirs = sent()
    assert len(ours) == 2
    for part in ("headers", "properties", "body"):
        assert [message[part] for message in ours] == [message[part] for message in theirs]
    assert ours == theirs


def comparable(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message's envelope without the fields that differ in each message."""
    envelope = json.loads(message["Body"])
    envelope["body"] = json.loads(base64.b64decode(envelope["body"]))
    headers, properties = envelope["headers"], envelope["properties"]
    assert headers["id"] == headers["root_id"] == properties["correlation_id"]
    assert not any(headers.get(name) for name in OPTIONAL_HEADERS)
    headers["ignore_result"] = True  # Celery leaves it to the task; all of ours ignore results
    envelope["headers"] = {
        name: headers[name] for name in headers.keys() - OWN_VALUES - OPTIONAL_HEADERS
    }
    envelope["properties"] = {
        name: properties[name] for name in properties.keys() - OWN_VALUES - {"delay_seconds"}
    }
    return dict(envelope)


def test_a_delayed_message_is_delayed(change: Change, world: World) -> None:
    sqs_doorbell().notify([Notification("persist", change, 60)])
    assert list(world.messages("products.persist")) == []
    assert world.depth(world.queue("products.persist")) == 1


@pytest.fixture
def no_index_queue(world: World) -> Iterator[None]:
    """The search queue does not exist during the test."""
    world.sqs.delete_queue(QueueUrl=world.queue_url(world.queue("products.index")))
    yield
    create_queues(world.env, visibility=60)


@pytest.mark.usefixtures("no_index_queue")
def test_a_message_that_is_not_sent_is_only_logged(
    change: Change, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        sqs_doorbell().notify([Notification("index", change)])
    assert "message not sent; the relay will requeue it" in caplog.text


@pytest.mark.usefixtures("no_index_queue")
def test_nothing_is_sent_for_a_pause_after_a_slow_failure(change: Change, world: World) -> None:
    now = iter([0.0, 3.0, 3.0, 4.0, 3.0 + PAUSE_SECONDS])
    doorbell = sqs_doorbell(clock=lambda: next(now))
    doorbell.notify([Notification("index", change)])
    doorbell.notify([Notification("persist", change)])  # a second later, so it is not sent
    assert world.depth(world.queue("products.persist")) == 0
    doorbell.notify([Notification("persist", change)])  # after the pause
    assert world.depth(world.queue("products.persist")) == 1


def test_many_messages_are_sent_in_batches(change: Change, world: World) -> None:
    versions = [replace(change, after=change.after, version=number) for number in range(1, 26)]
    sqs_doorbell().notify([Notification("persist", one) for one in versions])
    sent = [world.payload(message)["version"] for message in world.messages("products.persist")]
    assert sorted(sent) == list(range(1, 26))


def test_a_message_that_sqs_refuses_in_a_batch_is_logged(
    change: Change, caplog: pytest.LogCaptureFixture
) -> None:
    class RefusingClient:
        def send_message_batch(self, **arguments: Any) -> dict[str, Any]:
            return {"Successful": [], "Failed": [{"Id": "1", "Code": "InternalError"}]}

    doorbell = SqsDoorbell(RefusingClient(), settings.TASK_URLS, new_id)
    with caplog.at_level(logging.INFO):
        doorbell.notify([Notification("persist", replace(change, version=v)) for v in (1, 2)])
    assert [record.getMessage() for record in caplog.records] == [
        "message sent",
        "message not sent; the relay will requeue it",
    ]
