"""Messages that Celery sends are read without Celery."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app

from bbws_products.celery import app
from tasks.messages import read_message
from tasks.products import TASKS
from tests.support.world import World


def sent_body(world: World, task: str, **options: Any) -> str:
    """Send a task with Celery, and return the body of its message."""
    current_app.send_task(task, **options)
    (message,) = world.messages("products.persist")
    return str(message["Body"])


def test_a_message_of_celery_is_read(world: World) -> None:
    arguments = {"product_id": "é", "version": 1}
    headers = {"request_id": "r1", "change_id": "c1"}
    body = sent_body(world, "products.persist", kwargs=arguments, headers=headers, task_id="t1")
    message = read_message(body)
    assert (message.name, message.task_id) == ("products.persist", "t1")
    assert (message.args, message.kwargs) == ([], arguments)
    assert headers.items() <= message.headers.items()
    assert (message.eta, message.expires) == (None, None)
    assert message.run is TASKS["products.persist"]


def test_times_of_a_message_of_celery_are_read(world: World) -> None:
    began = datetime.now(UTC)
    message = read_message(sent_body(world, "products.relay", countdown=30, expires=60))
    assert message.eta
    assert message.expires
    margin = timedelta(seconds=20)
    assert timedelta(seconds=30) <= message.eta - began < timedelta(seconds=30) + margin
    assert timedelta(seconds=60) <= message.expires - began < timedelta(seconds=60) + margin


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_registered_with_celery(name: str) -> None:
    app.loader.import_default_modules()
    assert app.tasks[name].run is TASKS[name]
