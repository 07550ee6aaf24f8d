"""Messages that Celery sends are read without Celery."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bbws_products.celery import app
from tasks.messages import InvalidMessage, read_message
from tests.support.world import World


def sent_body(world: World, task: str, **options: Any) -> str:
    """Send a task with Celery, and return the body of its message."""
    app.send_task(task, **options)
    (message,) = world.messages("products.persist")
    return str(message["Body"])


def test_a_message_of_celery_is_read(world: World) -> None:
    arguments = {"product_id": "é", "version": 1}
    headers = {"request_id": "r1", "change_id": "c1"}
    body = sent_body(world, "products.persist", kwargs=arguments, headers=headers, task_id="t1")
    message = read_message(body)
    assert (message.name, message.task_id) == ("products.persist", "t1")
    assert message.kwargs == arguments
    assert headers.items() <= message.headers.items()
    assert (message.eta, message.expires) == (None, None)
    assert message.key == ("é", 1)


def test_times_of_a_message_of_celery_are_read(world: World) -> None:
    began = datetime.now(UTC)
    message = read_message(sent_body(world, "products.relay", countdown=30, expires=60))
    assert message.eta
    assert message.expires
    margin = timedelta(seconds=20)
    assert timedelta(seconds=30) <= message.eta - began < timedelta(seconds=30) + margin
    assert timedelta(seconds=60) <= message.expires - began < timedelta(seconds=60) + margin


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"product_id": "p1"},
        {"product_id": 1, "version": 1},
        {"product_id": "", "version": 1},
        {"product_id": "p1", "version": "1"},
        {"product_id": "p1", "version": True},
        {"product_id": "p1", "version": 0},
        {"product_id": "p1", "version": 10**12},
    ],
)
def test_a_message_without_a_change_is_invalid(world: World, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidMessage):
        read_message(sent_body(world, "products.persist", kwargs=arguments))


def test_positional_arguments_are_invalid(world: World) -> None:
    with pytest.raises(InvalidMessage, match="positional"):
        read_message(sent_body(world, "products.persist", args=["p1", 1]))
