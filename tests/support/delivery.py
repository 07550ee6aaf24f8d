"""Deliveries of messages by hand, and changes that are altered behind the product's back."""

from collections.abc import Callable, Sequence
from typing import Any

from products.changes import ChangeKey
from products.effects import Failures
from products.pipeline import Pipeline
from tests.support.fakes import Clock, FakeDoorbell
from tests.support.world import World

METHODS = {"persist": "store", "invalidate": "purge", "index": "index", "audit": "audit"}
"""The pipeline's method for each task."""


def deliver(step: Callable[[Sequence[ChangeKey]], Failures], product_id: str, version: int) -> None:
    """Deliver one message to a step of the pipeline, and raise the error of its change."""
    for error in step([(product_id, version)]).values():
        raise error


def run_task(pipeline: Pipeline, task: str, product_id: str, version: int) -> None:
    deliver(getattr(pipeline, METHODS[task]), product_id, version)


def deliver_all(pipeline: Pipeline, doorbell: FakeDoorbell, clock: Clock) -> None:
    """Deliver every message after its delay, until none is left."""
    while messages := doorbell.take_all():
        for task, product_id, version, delay in sorted(messages, key=lambda message: message[3]):
            clock.advance(delay)
            run_task(pipeline, task, product_id, version)


def alter_change(
    world: World, product_id: str, update: str, values: dict[str, Any] | None = None
) -> None:
    """Apply an update expression to the item of a product's first change."""
    arguments: dict[str, Any] = {"UpdateExpression": update}
    if values:
        arguments["ExpressionAttributeValues"] = values
    if "#after" in update:
        arguments["ExpressionAttributeNames"] = {"#after": "after"}
    key = {"PK": {"S": f"PRODUCT#{product_id}"}, "SK": {"S": f"CHANGE#{1:012d}"}}
    world.dynamodb.update_item(TableName=world.table, Key=key, **arguments)
