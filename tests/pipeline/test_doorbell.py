"""The doorbell, with Celery and without it as on Lambda, on SQS and on a missing queue."""

import base64
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings

from deploy.local.resources import create_queues
from products.acceptance import Acceptance
from products.adapters.aws.clients import client
from products.adapters.sqs.doorbell import PAUSE_SECONDS, QueueDoorbell
from products.adapters.sqs.doorbell_celery import send_by_celery
from products.adapters.sqs.doorbell_direct import SqsSender
from products.changes import Change, Origin
from tests.support.builders import fields
from tests.support.world import World

OWN_VALUES = {"id", "root_id", "origin", "correlation_id", "delivery_tag", "reply_to", "timelimit"}
"""Fields that differ in each message, or that only Celery fills in.

No process waits for a reply, and the workers know the time limits themselves.
"""
OPTIONAL_HEADERS = {"shadow", "group_index", "replaced_task_nesting", "stamped_headers", "stamps"}
"""Celery's headers that have no value here; its protocol makes them optional."""


def celery_doorbell(**options: Any) -> QueueDoorbell:
    return QueueDoorbell(send_by_celery, **options)


def sqs_doorbell(**options: Any) -> QueueDoorbell:
    sender = SqsSender(client("sqs", attempts=1), settings.TASK_URLS)
    return QueueDoorbell(sender.send, **options)


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


def test_messages_are_the_same_without_celery(change: Change, world: World) -> None:
    def sent_by(doorbell: QueueDoorbell) -> list[dict[str, Any]]:
        doorbell.notify("persist", change)
        doorbell.notify_job("j1")
        return [comparable(message) for message in world.messages("products.persist")]

    ours, theirs = sent_by(sqs_doorbell()), sent_by(celery_doorbell())
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


@pytest.mark.parametrize("create_doorbell", [celery_doorbell, sqs_doorbell])
def test_a_delayed_message_is_delayed(
    create_doorbell: Callable[..., QueueDoorbell], change: Change, world: World
) -> None:
    create_doorbell().notify("persist", change, delay=60)
    assert list(world.messages("products.persist")) == []
    assert world.depth(world.queue("products.persist")) == 1


@pytest.fixture
def no_index_queue(world: World) -> Iterator[None]:
    """The search queue does not exist during the test."""
    world.sqs.delete_queue(QueueUrl=world.queue_url(world.queue("products.index")))
    yield
    create_queues(world.env, visibility=60)


@pytest.mark.usefixtures("no_index_queue")
@pytest.mark.parametrize("create_doorbell", [celery_doorbell, sqs_doorbell])
def test_a_message_that_is_not_sent_is_only_logged(
    create_doorbell: Callable[..., QueueDoorbell], change: Change, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        create_doorbell().notify("index", change)
    assert "message not sent; the relay will requeue it" in caplog.text


@pytest.mark.usefixtures("no_index_queue")
@pytest.mark.parametrize("create_doorbell", [celery_doorbell, sqs_doorbell])
def test_nothing_is_sent_for_a_pause_after_a_slow_failure(
    create_doorbell: Callable[..., QueueDoorbell], change: Change, world: World
) -> None:
    now = iter([0.0, 3.0, 3.0, 4.0, 3.0 + PAUSE_SECONDS])
    doorbell = create_doorbell(clock=lambda: next(now))
    doorbell.notify("index", change)
    doorbell.notify("persist", change)  # a second later, so it is not sent
    assert world.depth(world.queue("products.persist")) == 0
    doorbell.notify("persist", change)  # after the pause
    assert world.depth(world.queue("products.persist")) == 1
