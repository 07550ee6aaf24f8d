"""The doorbell on a running SQS, and on one that is not there: through Celery, and without it as on Lambda."""

import base64
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings

from deploy.local.resources import create_queues
from products.adapters.aws.clients import client
from products.adapters.sqs.doorbell import PAUSE_SECONDS, Doorbell
from products.adapters.sqs.doorbell_celery import CeleryDoorbell
from products.adapters.sqs.doorbell_direct import SqsDoorbell
from products.catalogue import Catalogue
from products.changes import Change, Origin
from tests.support.builders import fields
from tests.support.world import World

OF_ITS_OWN = {"id", "root_id", "origin", "correlation_id", "delivery_tag", "reply_to", "timelimit"}
"""Nobody awaits a reply; and Celery repeats a task's time limits where it is loaded, though every worker knows them."""
LEFT_OUT = {"shadow", "group_index", "replaced_task_nesting", "stamped_headers", "stamps"}
"""Headers of Celery's that say nothing here: its protocol makes them optional."""


def by_celery(**options: Any) -> Doorbell:
    return CeleryDoorbell(**options)


def by_sqs(**options: Any) -> Doorbell:
    return SqsDoorbell(client=client("sqs", attempts=1), urls=settings.TASK_URLS, **options)


@pytest.fixture
def change(catalogue: Catalogue, world: World, ann: Origin) -> Change:
    change = catalogue.create("p1", fields(), ann).change
    assert change
    world.empty_queues("products.persist")
    return change


def test_a_ring_is_a_message_that_says_only_which_version(
    catalogue: Catalogue, world: World, ann: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    (message,) = world.messages("products.persist")
    assert world.payload(message) == {"product_id": "p1", "version": 1}
    assert world.headers(message)["request_id"] == "request-of-ann"
    assert "Basic hosting" not in message["Body"]


def test_the_message_is_the_same_without_celery(change: Change, world: World) -> None:
    def rung(bell: Doorbell) -> list[dict[str, Any]]:
        bell.notify("persist", change)
        bell.notify_job("j1")
        return [said(message) for message in world.messages("products.persist")]

    ours, theirs = rung(by_sqs()), rung(by_celery())
    assert len(ours) == 2
    for part in ("headers", "properties", "body"):
        assert [message[part] for message in ours] == [message[part] for message in theirs]
    assert ours == theirs


def said(message: dict[str, Any]) -> dict[str, Any]:
    """What a message says, without what differs between any two of them."""
    envelope = json.loads(message["Body"])
    envelope["body"] = json.loads(base64.b64decode(envelope["body"]))
    headers, properties = envelope["headers"], envelope["properties"]
    assert headers["id"] == headers["root_id"] == properties["correlation_id"]
    assert not any(headers.get(name) for name in LEFT_OUT)
    headers["ignore_result"] = True  # Celery leaves it to the task, and all of ours ignore theirs
    envelope["headers"] = {name: headers[name] for name in headers.keys() - OF_ITS_OWN - LEFT_OUT}
    envelope["properties"] = {
        name: properties[name] for name in properties.keys() - OF_ITS_OWN - {"delay_seconds"}
    }
    return dict(envelope)


@pytest.mark.parametrize("made", [by_celery, by_sqs])
def test_a_late_ring_is_late(made: Callable[..., Doorbell], change: Change, world: World) -> None:
    made().notify("persist", change, delay=60)
    assert list(world.messages("products.persist")) == []
    assert world.depth(world.queue("products.persist")) == 1


@pytest.fixture
def no_index_queue(world: World) -> Iterator[None]:
    """The search queue does not exist for a while."""
    world.sqs.delete_queue(QueueUrl=world.queue_url(world.queue("products.index")))
    yield
    create_queues(world.env, visibility=60)


@pytest.mark.usefixtures("no_index_queue")
@pytest.mark.parametrize("made", [by_celery, by_sqs])
def test_a_ring_nobody_hears_is_logged_and_no_error(
    made: Callable[..., Doorbell], change: Change, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        made().notify("index", change)
    assert "message not sent; the relay will requeue it" in caplog.text


@pytest.mark.usefixtures("no_index_queue")
@pytest.mark.parametrize("made", [by_celery, by_sqs])
def test_after_a_slow_failure_nobody_waits_for_the_next(
    made: Callable[..., Doorbell], change: Change, world: World
) -> None:
    now = iter([0.0, 3.0, 3.0, 4.0, 3.0 + PAUSE_SECONDS])
    bell = made(clock=lambda: next(now))
    bell.notify("index", change)
    bell.notify("persist", change)  # a second later: not tried
    assert world.depth(world.queue("products.persist")) == 0
    bell.notify("persist", change)  # after the pause
    assert world.depth(world.queue("products.persist")) == 1
