"""Jobs: every row takes effect once, also after faults, and can be undone."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from products import bootstrap
from products.acceptance import Acceptance
from products.adapters.dynamodb.jobs import DynamoJobTable
from products.bulk.job import (
    CHUNK_SIZE,
    MAX_ROWS,
    Job,
    JobKind,
    JobNotFound,
    JobState,
    JobStateConflict,
)
from products.bulk.job_pace import SMALL_GROUP_SIZE, JobPace
from products.bulk.jobs import TIME_BUDGET, Jobs
from products.bulk.rows import Row, RowState, planned_row
from products.catalogue import Catalogue
from products.changes import Origin
from products.errors import DependencyUnavailable, Invalid
from products.grouped_writes import GROUP_SIZE, Request, Result
from products.lists import ListQuery
from tests.support.builders import NOON, fields, origin
from tests.support.fakes import Clock, FakeDoorbell
from tests.support.faults import FaultyAdapters, ProcessKilled, kill_process
from tests.support.world import World

pytestmark = pytest.mark.engines

EVE = origin("eve", reason="Autumn")


@pytest.fixture
def bell() -> FakeDoorbell:
    return FakeDoorbell()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def shop(catalogue: Catalogue, clock: Clock) -> Catalogue:
    return replace(catalogue, clock=clock)


@pytest.fixture
def acceptance(acceptance: Acceptance, bell: FakeDoorbell, clock: Clock) -> Acceptance:
    return replace(acceptance, doorbell=bell, clock=clock)


@pytest.fixture
def jobs(acceptance: Acceptance, bell: FakeDoorbell, clock: Clock) -> Jobs:
    return replace(bootstrap.jobs(), acceptance=acceptance, doorbell=bell, clock=clock)


def create_products(jobs: Jobs, ann: Origin, count: int) -> None:
    for number in range(count):
        jobs.acceptance.create(f"p{number:03}", fields(name=f"Hosting {number:03}"), ann)


def versions(shop: Catalogue, count: int) -> list[int]:
    return [shop.newest(f"p{number:03}").version for number in range(count)]


def price_rows(shop: Catalogue, count: int) -> list[Row]:
    """Return a row for each product that raises its price by R10."""
    rows = []
    for number in range(count):
        product = shop.newest(f"p{number:03}")
        rows.append(planned_row(number + 1, product, {"price": product.price + 10}))
    return rows


def plan(jobs: Jobs, rows: list[Row]) -> Job:
    return jobs.plan(JobKind.BULK, "Price + R10", rows, EVE)


def finish(jobs: Jobs, bell: FakeDoorbell, job: Job) -> Job:
    """Work off every message, and return the job."""
    while bell.jobs:
        jobs.work(bell.jobs.pop(0))
    return jobs.job(job.job_id)


def test_job_is_previewed_applied_and_traced(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin
) -> None:
    create_products(jobs, ann, 3)
    job = plan(jobs, [*price_rows(shop, 2), planned_row(3, shop.newest("p002"), {"price": "0"})])
    assert [shop.newest("p000").price, bell.jobs] == [Decimal("1500.00"), []]
    shown = list(jobs.rows(job))
    assert shown[0].changed == {"price": (Decimal("1500.00"), Decimal("1510.00"))}
    assert [row.state for row in shown] == [RowState.WAITING, RowState.WAITING, RowState.REFUSED]
    jobs.start(job.job_id, EVE)
    done = finish(jobs, bell, job)
    assert (done.state, done.done) == ("done", 3)
    assert (done.counts[RowState.ACCEPTED], done.counts[RowState.REFUSED]) == (2, 1)
    change = shop.receipt("p000", 2)
    made_by = change.origin
    assert (made_by.actor, made_by.source, made_by.reason) == ("eve", "bulk", "Autumn")
    assert change.origin.request_id == job.job_id
    assert versions(shop, 3) == [2, 2, 1]
    with pytest.raises(JobStateConflict):
        jobs.start(job.job_id, EVE)


def test_job_is_worked_on_chunk_by_chunk_with_one_message_at_a_time(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin
) -> None:
    count = CHUNK_SIZE + 7
    create_products(jobs, ann, count)
    job = plan(jobs, price_rows(shop, count))
    jobs.start(job.job_id, EVE)
    assert len(bell.jobs) == 1
    jobs.work(bell.jobs.pop())
    assert (jobs.job(job.job_id).done, len(bell.jobs)) == (CHUNK_SIZE, 1)
    assert finish(jobs, bell, job).counts[RowState.ACCEPTED] == count
    assert [row.number for row in jobs.rows(job)] == list(range(1, count + 1))


def test_step_ends_after_its_time_budget_and_the_next_continues(
    acceptance: Acceptance,
    jobs: Jobs,
    shop: Catalogue,
    bell: FakeDoorbell,
    clock: Clock,
    ann: Origin,
) -> None:
    count = GROUP_SIZE + 4
    create_products(jobs, ann, count)
    job = plan(jobs, price_rows(shop, count))
    jobs.start(job.job_id, EVE)

    def slow_id() -> str:
        clock.advance(TIME_BUDGET.total_seconds() / (GROUP_SIZE - 1))
        return bootstrap.new_id()

    slow_jobs = replace(jobs, acceptance=replace(jobs.acceptance, new_id=slow_id))
    slow_jobs.work(bell.jobs.pop())
    assert jobs.job(job.job_id).done == GROUP_SIZE
    assert finish(jobs, bell, job).counts[RowState.ACCEPTED] == count
    assert versions(shop, count) == [2] * count


def test_duplicate_and_delayed_messages_do_nothing(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin
) -> None:
    create_products(jobs, ann, 2)
    job = plan(jobs, price_rows(shop, 2))
    jobs.work(job.job_id)
    assert shop.newest("p000").version == 1  # the job is not started
    jobs.start(job.job_id, EVE)
    for _ in range(3):
        jobs.work(job.job_id)
    jobs.work("no-such-job")
    assert versions(shop, 2) == [2, 2]


def test_two_workers_on_one_chunk_write_each_row_once(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin
) -> None:
    create_products(jobs, ann, 3)
    job = plan(jobs, price_rows(shop, 3))
    jobs.start(job.job_id, EVE)
    interrupt(jobs, lambda: jobs.work(job.job_id)).work(job.job_id)
    assert jobs.job(job.job_id).counts == {RowState.ACCEPTED: 3, RowState.WAITING: 0}
    assert versions(shop, 3) == [2, 2, 2]


@dataclass
class Interrupted:
    """An acceptance that runs a callback before its first writes."""

    acceptance: Acceptance
    callback: Callable[[], None] | None

    def write_grouped(
        self, requests: Iterable[Request], size: Callable[[], int]
    ) -> Iterator[list[Result]]:
        callback, self.callback = self.callback, None
        if callback:
            callback()
        return self.acceptance.write_grouped(requests, size)


class Recorded:
    """An acceptance that records how many writes each transaction takes."""

    def __init__(self, acceptance: Acceptance) -> None:
        self.acceptance = acceptance
        self.sizes: list[int] = []

    def write_grouped(
        self, requests: Iterable[Request], size: Callable[[], int]
    ) -> Iterator[list[Result]]:
        for results in self.acceptance.write_grouped(requests, size):
            self.sizes.append(len(results))
            yield results


def test_groups_are_small_while_there_are_single_edits(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin
) -> None:
    create_products(jobs, ann, GROUP_SIZE)
    job = plan(jobs, price_rows(shop, GROUP_SIZE))
    jobs.start(job.job_id, EVE)
    rests: list[float] = []
    pace = JobPace(clock=time.monotonic, sleep=rests.append)
    pace.note_edit()
    recorded: Any = Recorded(jobs.acceptance)
    replace(jobs, acceptance=recorded, pace=pace).work(bell.jobs.pop())
    number = GROUP_SIZE // SMALL_GROUP_SIZE
    assert (recorded.sizes, len(rests)) == ([SMALL_GROUP_SIZE] * number, number)


def interrupt(jobs: Jobs, callback: Callable[[], None]) -> Jobs:
    """Return the jobs whose first write is interrupted."""
    acceptance: Any = Interrupted(jobs.acceptance, callback)
    return replace(jobs, acceptance=acceptance)


def test_stalled_job_is_requeued(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, clock: Clock, ann: Origin
) -> None:
    create_products(jobs, ann, 1)
    job = plan(jobs, price_rows(shop, 1))
    assert jobs.requeue_stalled() == 0
    jobs.start(job.job_id, EVE)
    bell.jobs.clear()
    assert jobs.requeue_stalled() == 0
    clock.advance(jobs.requeue_after.total_seconds())
    assert jobs.requeue_stalled() == 1
    assert finish(jobs, bell, job).state == JobState.DONE
    clock.advance(3600)
    assert jobs.requeue_stalled() == 0


@pytest.mark.parametrize("when", ["before", "after", "again"])
def test_each_row_takes_effect_once_when_a_worker_dies_at_any_call(
    acceptance: Acceptance,
    world: World,
    jobs: Jobs,
    shop: Catalogue,
    bell: FakeDoorbell,
    ann: Origin,
    when: str,
) -> None:
    create_products(jobs, ann, 2)
    parts = FaultyAdapters(search_url="")
    disturbed_jobs = replace(
        jobs,
        table=DynamoJobTable(parts.dynamodb, world.table),
        acceptance=replace(jobs.acceptance, log=parts.table(world)),
    )
    call, reached = 0, True
    while reached:
        call += 1
        start = shop.newest("p000").version
        job = plan(jobs, price_rows(shop, 2))
        jobs.start(job.job_id, EVE)
        parts.injector.arm(call, when, (lambda: None) if when == "again" else kill_process)
        with suppress(ProcessKilled):
            disturbed_jobs.work(job.job_id)
        reached = parts.injector.disarm()
        bell.jobs.append(job.job_id)  # the message is redelivered
        assert finish(jobs, bell, job).counts[RowState.ACCEPTED] == 2
        assert versions(shop, 2) == [start + 1] * 2
    assert call > 6


def test_unavailable_dependency_makes_the_message_redelivered(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin
) -> None:
    create_products(jobs, ann, 2)
    job = plan(jobs, price_rows(shop, 2))
    jobs.start(job.job_id, EVE)

    def be_unavailable() -> None:
        raise DependencyUnavailable("DynamoDB")

    with pytest.raises(DependencyUnavailable):
        interrupt(jobs, be_unavailable).work(job.job_id)
    assert jobs.job(job.job_id).done == 0
    assert finish(jobs, bell, job).counts[RowState.ACCEPTED] == 2


def test_row_with_a_conflicting_edit_is_refused_and_the_others_applied(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin, ben: Origin
) -> None:
    create_products(jobs, ann, 3)
    job = plan(jobs, price_rows(shop, 3))
    jobs.acceptance.update("p000", {"price": "7"}, ben)
    jobs.acceptance.update("p001", {"description": "Another description."}, ben)
    jobs.start(job.job_id, EVE)
    assert finish(jobs, bell, job).counts[RowState.REFUSED] == 1
    rows = list(jobs.rows(job))
    assert "changed price too" in rows[0].message
    assert [row.state for row in rows] == [RowState.REFUSED, RowState.ACCEPTED, RowState.ACCEPTED]
    assert shop.newest("p001").description == "Another description."


def test_undo_skips_products_edited_since(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin, ben: Origin
) -> None:
    create_products(jobs, ann, 3)
    new = Row(
        number=4,
        product_id="new",
        name="New",
        edits=fields(name="New one", features=["Mail"]),
        creates=True,
    )
    job = plan(jobs, [*price_rows(shop, 3), new])
    jobs.start(job.job_id, EVE)
    finish(jobs, bell, job)
    assert [row.message for row in jobs.rows(job) if row.message] == []
    jobs.acceptance.update("p001", {"description": "Another description."}, ben)
    undo = jobs.undo(job.job_id, EVE)
    assert (undo.undo_of, undo.title) == (job.job_id, "Undo: Price + R10")
    assert next(jobs.rows(undo)).changed == {"price": (Decimal("1510.00"), Decimal("1500.00"))}
    jobs.start(undo.job_id, EVE)
    assert finish(jobs, bell, undo).counts == {
        RowState.ACCEPTED: 3,
        RowState.SKIPPED: 1,
        RowState.WAITING: 0,
    }
    assert [row.message for row in jobs.rows(undo) if row.message] == [
        "ben has saved version 3 since."
    ]
    prices = [shop.newest(f"p00{n}").price for n in range(3)]
    assert prices == [Decimal("1500.00"), Decimal("1510.00"), Decimal("1500.00")]
    assert shop.newest("new").active is False
    assert shop.receipt("p000", 3).origin.source == "undo"


def test_job_is_cancelled_between_its_steps(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin
) -> None:
    create_products(jobs, ann, CHUNK_SIZE + 1)
    job = plan(jobs, price_rows(shop, CHUNK_SIZE + 1))
    with pytest.raises(JobStateConflict):
        jobs.undo(job.job_id, EVE)
    jobs.start(job.job_id, EVE)
    jobs.work(bell.jobs.pop())
    jobs.cancel(job.job_id, EVE)
    assert finish(jobs, bell, job).counts == {RowState.ACCEPTED: CHUNK_SIZE, RowState.WAITING: 1}
    assert jobs.undo(job.job_id, EVE).rows == CHUNK_SIZE
    with pytest.raises(JobStateConflict):
        jobs.cancel(job.job_id, EVE)


def test_jobs_are_listed_newest_first_and_limited(jobs: Jobs, shop: Catalogue, ann: Origin) -> None:
    create_products(jobs, ann, 1)
    made = [plan(jobs, price_rows(shop, 1)).job_id for _ in range(3)]
    assert [job.job_id for job in jobs.table.jobs(2)] == made[:0:-1]
    row = price_rows(shop, 1)[0]
    for rows in ([], [row] * (MAX_ROWS + 1)):
        with pytest.raises(Invalid):
            plan(jobs, rows)
    with pytest.raises(JobNotFound):
        jobs.job("nobody")


def test_walk_yields_the_products_of_a_query_up_to_a_limit(
    jobs: Jobs, shop: Catalogue, ann: Origin
) -> None:
    create_products(jobs, ann, 5)
    assert [product.product_id for product in shop.walk(ListQuery(active=None), 3)] == [
        "p000",
        "p001",
        "p002",
    ]
    assert len(list(shop.walk(ListQuery(active=None, text="hosting", by_relevance=True), 10))) == 5
