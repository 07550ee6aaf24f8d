"""Jobs: every row takes effect once, whatever happens meanwhile, and can be taken back."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest

from products import bootstrap
from products.bulk.jobs import MAX_ROWS, Job, JobKind, JobNotFound, Jobs, JobState, JobStateConflict
from products.bulk.rows import CHUNK, Row, RowState, planned_row
from products.catalogue import Catalogue
from products.changes import Origin
from products.errors import DependencyUnavailable, Invalid
from products.lists import ListQuery
from tests.support.builders import NOON, fields
from tests.support.fakes import Clock, FakeDoorbell
from tests.support.faults import FaultyAdapters, ProcessKilled, kill_process

pytestmark = pytest.mark.engines


@pytest.fixture
def bell() -> FakeDoorbell:
    return FakeDoorbell()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def shop(catalogue: Catalogue, bell: FakeDoorbell, clock: Clock) -> Catalogue:
    return replace(catalogue, doorbell=bell, clock=clock)


@pytest.fixture
def jobs(shop: Catalogue, bell: FakeDoorbell, clock: Clock) -> Jobs:
    return replace(bootstrap.jobs(), catalogue=shop, doorbell=bell, clock=clock)


def some(shop: Catalogue, ann: Origin, count: int) -> None:
    for number in range(count):
        shop.create(f"p{number:03}", fields(name=f"Hosting {number:03}"), ann)


def dearer(shop: Catalogue, count: int) -> list[Row]:
    """A row for each product, which makes it R10 dearer."""
    found = (shop.newest(f"p{number:03}") for number in range(count))
    return [
        planned_row(n, product, {"price": product.price + 10}) for n, product in enumerate(found, 1)
    ]


def planned(jobs: Jobs, rows: list[Row]) -> Job:
    return jobs.plan(JobKind.BULK, "Price + R10", rows, actor="eve", reason="Autumn")


def finished(jobs: Jobs, bell: FakeDoorbell, job: Job) -> Job:
    """The job after a worker has answered every ring."""
    while bell.jobs:
        jobs.work(bell.jobs.pop(0))
    return jobs.job(job.job_id)


def test_a_job_is_planned_looked_at_applied_and_traced(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin
) -> None:
    some(shop, ann, 3)
    job = planned(jobs, [*dearer(shop, 2), planned_row(3, shop.newest("p002"), {"price": "0"})])
    assert [shop.newest("p000").price, bell.jobs] == [Decimal("1500.00"), []]
    shown = list(jobs.rows(job))
    assert shown[0].changed == {"price": (Decimal("1500.00"), Decimal("1510.00"))}
    assert [row.state for row in shown] == [RowState.WAITING, RowState.WAITING, RowState.REFUSED]
    jobs.start(job.job_id)
    done = finished(jobs, bell, job)
    assert (
        done.state,
        done.done,
        done.counts[RowState.ACCEPTED],
        done.counts[RowState.REFUSED],
    ) == ("done", 3, 2, 1)
    change = shop.receipt("p000", 2)
    assert (change.origin.actor, change.origin.source, change.origin.reason) == (
        "eve",
        "bulk",
        "Autumn",
    )
    assert change.origin.request_id == job.job_id
    assert [shop.newest(f"p00{n}").version for n in range(3)] == [2, 2, 1]
    with pytest.raises(JobStateConflict):
        jobs.start(job.job_id)


def test_a_job_goes_on_chunk_by_chunk_with_one_message_at_a_time(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin
) -> None:
    count = CHUNK + 7
    some(shop, ann, count)
    job = planned(jobs, dearer(shop, count))
    jobs.start(job.job_id)
    assert len(bell.jobs) == 1
    jobs.work(bell.jobs.pop())
    assert (jobs.job(job.job_id).done, len(bell.jobs)) == (CHUNK, 1)
    assert finished(jobs, bell, job).counts[RowState.ACCEPTED] == count
    assert [row.number for row in jobs.rows(job)] == list(range(1, count + 1))


def test_a_turn_is_short_and_the_next_goes_on_where_it_ended(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, clock: Clock, ann: Origin
) -> None:
    some(shop, ann, 4)
    job = planned(jobs, dearer(shop, 4))
    jobs.start(job.job_id)

    def slow() -> str:
        clock.advance(2)
        return bootstrap.new_id()

    slowly = replace(jobs, catalogue=replace(shop, new_id=slow))
    slowly.work(bell.jobs.pop())
    assert jobs.job(job.job_id).done == 3
    assert finished(jobs, bell, job).counts[RowState.ACCEPTED] == 4
    assert [shop.newest(f"p00{n}").version for n in range(4)] == [2] * 4


def test_messages_that_come_twice_or_late_do_nothing(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin
) -> None:
    some(shop, ann, 2)
    job = planned(jobs, dearer(shop, 2))
    jobs.work(job.job_id)
    assert shop.newest("p000").version == 1  # nobody has started it
    jobs.start(job.job_id)
    for _ in range(3):
        jobs.work(job.job_id)
    jobs.work("no-such-job")
    assert [shop.newest(f"p00{n}").version for n in range(2)] == [2, 2]


def test_two_workers_at_one_chunk_do_each_row_once(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin
) -> None:
    some(shop, ann, 3)
    job = planned(jobs, dearer(shop, 3))
    jobs.start(job.job_id)
    other = replace(jobs, catalogue=Interrupted(shop, lambda: jobs.work(job.job_id)))  # type: ignore[arg-type]
    other.work(job.job_id)
    assert jobs.job(job.job_id).counts == {RowState.ACCEPTED: 3, RowState.WAITING: 0}
    assert [shop.newest(f"p00{n}").version for n in range(3)] == [2, 2, 2]


class Interrupted:
    """A catalogue on whose first write something else happens before."""

    def __init__(self, catalogue: Catalogue, happen: Callable[[], None]) -> None:
        self.catalogue, self.happen = catalogue, happen

    def write(self, *args: object) -> object:
        happen, self.happen = self.happen, lambda: None
        happen()
        return self.catalogue.write(*args)  # type: ignore[arg-type]


def test_a_job_that_stands_still_is_rung_for_again(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, clock: Clock, ann: Origin
) -> None:
    some(shop, ann, 1)
    job = planned(jobs, dearer(shop, 1))
    assert jobs.requeue_stalled() == 0
    jobs.start(job.job_id)
    bell.jobs.clear()
    assert jobs.requeue_stalled() == 0
    clock.advance(jobs.requeue_after.total_seconds())
    assert jobs.requeue_stalled() == 1
    assert finished(jobs, bell, job).state == JobState.DONE
    clock.advance(3600)
    assert jobs.requeue_stalled() == 0


@pytest.mark.parametrize("when", ["before", "after", "again"])
def test_a_worker_may_die_at_any_call_and_each_row_takes_effect_once(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin, when: str
) -> None:
    some(shop, ann, 2)
    parts = FaultyAdapters(search_url="")
    table = replace(jobs.table, client=parts.dynamodb)  # type: ignore[type-var]
    there = replace(
        jobs, table=table, catalogue=replace(shop, table=replace(shop.table, client=parts.dynamodb))
    )  # type: ignore[type-var, arg-type]
    call, reached = 0, True
    while reached:
        call += 1
        start = shop.newest("p000").version
        job = planned(jobs, dearer(shop, 2))
        jobs.start(job.job_id)
        parts.injector.arm(call, when, (lambda: None) if when == "again" else kill_process)
        with suppress(ProcessKilled):
            there.work(job.job_id)
        reached = parts.injector.disarm()
        bell.jobs.append(job.job_id)  # the message comes back
        assert finished(jobs, bell, job).counts[RowState.ACCEPTED] == 2
        assert [shop.newest(f"p00{n}").version for n in range(2)] == [start + 1] * 2
    assert call > 6


def test_an_engine_that_is_away_brings_the_message_back(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin
) -> None:
    some(shop, ann, 2)
    job = planned(jobs, dearer(shop, 2))
    jobs.start(job.job_id)

    def away() -> None:
        raise DependencyUnavailable("DynamoDB")

    with pytest.raises(DependencyUnavailable):
        replace(jobs, catalogue=Interrupted(shop, away)).work(job.job_id)  # type: ignore[arg-type]
    assert jobs.job(job.job_id).done == 0
    assert finished(jobs, bell, job).counts[RowState.ACCEPTED] == 2


def test_a_row_whose_field_somebody_changed_meanwhile_is_refused_and_the_others_go_on(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin, ben: Origin
) -> None:
    some(shop, ann, 3)
    job = planned(jobs, dearer(shop, 3))
    shop.update("p000", {"price": "7"}, ben)
    shop.update("p001", {"description": "Another description."}, ben)
    jobs.start(job.job_id)
    assert finished(jobs, bell, job).counts[RowState.REFUSED] == 1
    rows = list(jobs.rows(job))
    assert "changed price too" in rows[0].message
    assert [row.state for row in rows] == [RowState.REFUSED, RowState.ACCEPTED, RowState.ACCEPTED]
    assert shop.newest("p001").description == "Another description."


def test_undo_takes_back_all_but_what_somebody_edited_since(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin, ben: Origin
) -> None:
    some(shop, ann, 3)
    new = Row(
        number=4,
        product_id="new",
        name="New",
        edits=fields(name="New one", features=["Mail"]),
        creates=True,
    )
    job = planned(jobs, [*dearer(shop, 3), new])
    jobs.start(job.job_id)
    finished(jobs, bell, job)
    assert [row.message for row in jobs.rows(job) if row.message] == []
    shop.update("p001", {"description": "Another description."}, ben)
    undo = jobs.undo(job.job_id, actor="eve")
    assert (undo.undo_of, undo.title) == (job.job_id, "Undo: Price + R10")
    assert next(jobs.rows(undo)).changed == {"price": (Decimal("1510.00"), Decimal("1500.00"))}
    jobs.start(undo.job_id)
    assert finished(jobs, bell, undo).counts == {
        RowState.ACCEPTED: 3,
        RowState.SKIPPED: 1,
        RowState.WAITING: 0,
    }
    assert [row.message for row in jobs.rows(undo) if row.message] == ["ben saved version 3 since."]
    prices = [shop.newest(f"p00{n}").price for n in range(3)]
    assert prices == [Decimal("1500.00"), Decimal("1510.00"), Decimal("1500.00")]
    assert shop.newest("new").active is False
    assert shop.receipt("p000", 3).origin.source == "undo"


def test_a_job_is_cancelled_between_its_turns(
    jobs: Jobs, shop: Catalogue, bell: FakeDoorbell, ann: Origin
) -> None:
    some(shop, ann, CHUNK + 1)
    job = planned(jobs, dearer(shop, CHUNK + 1))
    with pytest.raises(JobStateConflict):
        jobs.undo(job.job_id, actor="eve")
    jobs.start(job.job_id)
    jobs.work(bell.jobs.pop())
    jobs.cancel(job.job_id)
    assert finished(jobs, bell, job).counts == {RowState.ACCEPTED: CHUNK, RowState.WAITING: 1}
    assert jobs.undo(job.job_id, actor="eve").rows == CHUNK
    with pytest.raises(JobStateConflict):
        jobs.cancel(job.job_id)


def test_jobs_are_listed_newest_first_and_bounded(jobs: Jobs, shop: Catalogue, ann: Origin) -> None:
    some(shop, ann, 1)
    made = [planned(jobs, dearer(shop, 1)).job_id for _ in range(3)]
    assert [job.job_id for job in jobs.table.jobs(2)] == made[:0:-1]
    row = dearer(shop, 1)[0]
    for rows in ([], [row] * (MAX_ROWS + 1)):
        with pytest.raises(Invalid):
            planned(jobs, rows)
    with pytest.raises(JobNotFound):
        jobs.job("nobody")


def test_a_walk_gives_the_products_of_a_list_up_to_a_bound(shop: Catalogue, ann: Origin) -> None:
    some(shop, ann, 5)
    assert [product.product_id for product in shop.walk(ListQuery(active=None), 3)] == [
        "p000",
        "p001",
        "p002",
    ]
    assert len(list(shop.walk(ListQuery(active=None, text="hosting", by_relevance=True), 10))) == 5
