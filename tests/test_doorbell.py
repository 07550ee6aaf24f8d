"""The doorbell on a running SQS, and on one that is not there."""

import logging
from collections.abc import Iterator

import pytest

from deploy.local.resources import create_queues
from products.adapters.queue import PAUSE_SECONDS, CeleryDoorbell
from products.catalogue import Catalogue
from products.changes import Origin
from tests.builders import fields
from tests.worlds import World


def test_a_ring_is_a_message_that_says_only_which_version(catalogue: Catalogue, world: World, ann: Origin) -> None:
    catalogue.create("p1", fields(), ann)
    (message,) = world.messages("products.persist")
    assert world.payload(message) == {"product_id": "p1", "version": 1}
    assert world.headers(message)["request_id"] == "request-of-ann"
    assert "Basic hosting" not in message["Body"]


@pytest.fixture
def no_index_queue(world: World) -> Iterator[None]:
    """The search queue does not exist for a while."""
    world.sqs.delete_queue(QueueUrl=world.queue_url(world.queue("products.index")))
    yield
    create_queues(world.env, visibility=60)


@pytest.mark.usefixtures("no_index_queue")
def test_a_ring_nobody_hears_is_logged_and_no_error(
    catalogue: Catalogue, ann: Origin, caplog: pytest.LogCaptureFixture
) -> None:
    change = catalogue.create("p1", fields(), ann).change
    assert change
    with caplog.at_level(logging.WARNING):
        CeleryDoorbell().ring("index", change)
    assert "doorbell not rung; the relay will" in caplog.text


@pytest.mark.usefixtures("no_index_queue")
def test_after_a_slow_failure_nobody_waits_for_the_next(catalogue: Catalogue, world: World, ann: Origin) -> None:
    change = catalogue.create("p1", fields(), ann).change
    assert change
    world.empty_queues("products.persist")
    now = iter([0.0, 3.0, 3.0, 4.0, 3.0 + PAUSE_SECONDS])
    bell = CeleryDoorbell(clock=lambda: next(now))
    bell.ring("index", change)
    bell.ring("persist", change)  # a second later: not tried
    assert world.depth(world.queue("products.persist")) == 0
    bell.ring("persist", change)  # after the pause
    assert world.depth(world.queue("products.persist")) == 1
