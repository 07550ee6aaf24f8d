"""The rows of a job are stored in its own step, so that other edits do not wait behind them."""

from dataclasses import replace

import pytest

from products import bootstrap
from products.acceptance import Acceptance
from products.appending import Notification
from products.bulk.job import JobKind
from products.bulk.rows import Row
from products.bulk.storing_doorbell import StoringDoorbell
from products.catalogue import Catalogue
from products.changes import Change, Effect
from products.effects import Failures
from products.errors import DependencyUnavailable
from tests.support.builders import fields, origin
from tests.support.fakes import FakeDoorbell, recorded_operations
from tests.support.world import World

pytestmark = pytest.mark.engines

EVE = origin("eve")
CHANGES = "products.persist"


def created_rows(count: int) -> list[Row]:
    return [
        Row(number=n + 1, product_id=f"p{n}", name="", edits=fields(name=f"New {n}"), creates=True)
        for n in range(count)
    ]


def test_rows_are_stored_without_messages_about_each(world: World, catalogue: Catalogue) -> None:
    jobs = bootstrap.jobs()
    job = jobs.plan(JobKind.CSV, "t", created_rows(3), EVE)
    jobs.start(job.job_id, EVE)
    jobs.work(job.job_id)
    assert all(world.record(f"p{number}") for number in range(3))
    [only] = world.messages(CHANGES)
    assert world.headers(only)["task"] == "products.job"
    opened = {effect for n in range(3) for effect in catalogue.receipt(f"p{n}", 1).open}
    assert opened == {Effect.PURGED}


def test_rows_are_stored_as_they_were_appended(world: World) -> None:
    jobs = bootstrap.jobs()
    job = jobs.plan(JobKind.CSV, "t", created_rows(3), EVE)
    jobs.start(job.job_id, EVE)
    with recorded_operations(bootstrap.dynamodb()) as calls:
        jobs.work(job.job_id)
    assert "BatchGetItem" not in calls


def test_a_row_that_could_not_be_stored_is_left_to_its_own_message(
    acceptance: Acceptance, world: World
) -> None:
    changes: list[Change] = []
    for number in range(2):
        quiet = replace(acceptance, doorbell=FakeDoorbell())
        made = quiet.create(f"p{number}", fields(name=f"New {number}"), EVE).change
        assert made
        changes.append(made)
    bell = FakeDoorbell()
    failure: Failures = {("p1", 1): DependencyUnavailable("DynamoDB")}
    doorbell = StoringDoorbell(lambda appended: failure if appended == changes else {}, bell)
    doorbell.notify([Notification("persist", change) for change in changes])
    assert [(task, product_id) for task, product_id, *_ in bell.sent] == [("persist", "p1")]
