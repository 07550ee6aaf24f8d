"""Large files are planned by a worker, step by step, with the same result as in one go."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from products import bootstrap
from products.acceptance import Acceptance
from products.adapters.dynamodb.jobs import DynamoJobTable
from products.adapters.dynamodb.uploads import DynamoUploads
from products.amounts import DecimalMark
from products.bulk import importing
from products.bulk.import_steps import EXPIRED, Upload
from products.bulk.importing import MAX_QUICK_TEXT, MAX_ROWS_AT_ONCE, Imports
from products.bulk.imports import ImportOptions
from products.bulk.job import CHUNK_SIZE, Job, JobState, JobStateConflict
from products.bulk.jobs import TIME_BUDGET
from products.bulk.rows import Row
from products.changes import Origin
from products.permissions import WRITING
from products.product import BillingCycle
from tests.support.builders import NOON, fields, origin
from tests.support.fakes import Clock, FakeDoorbell
from tests.support.faults import FaultyAdapters, ProcessKilled, kill_process
from tests.support.import_files import csv_of, xlsx_of
from tests.support.world import World

pytestmark = pytest.mark.engines
EVE = origin("eve", reason="Autumn")
HEAD = ["productId", "name", "price", "description"]
COUNT = 4 * CHUNK_SIZE + 30


@pytest.fixture
def bell() -> FakeDoorbell:
    return FakeDoorbell()


@pytest.fixture
def imports(world: World, bell: FakeDoorbell) -> Imports:
    made = bootstrap.imports()
    return replace(made, jobs=replace(made.jobs, doorbell=bell))


@pytest.fixture
def sheet(acceptance: Acceptance, world: World, ann: Origin) -> list[list[str]]:
    """Return rows that are about each other across chunks: doubles, freed and taken names."""
    acceptance.create("p1", fields(name="First hosting"), ann)
    acceptance.create("p2", fields(name="Second hosting"), ann)
    rows = [["", f"New hosting {n:03}", "95.00", f"Hosting number {n}."] for n in range(COUNT)]
    rows[1] = ["p1", "Renamed hosting", "95.00", ""]
    rows[CHUNK_SIZE + 3] = ["p1", "Renamed again", "95.00", ""]
    rows[3 * CHUNK_SIZE] = ["", "new HOSTING  003", "95.00", "A double of line 5."]
    rows[4 * CHUNK_SIZE + 7] = ["", "First hosting", "95.00", "A name that is free by now."]
    rows[4 * CHUNK_SIZE + 8] = ["", "Second hosting", "-1", "A wrong price."]
    rows[4 * CHUNK_SIZE + 9] = ["x9", "New hosting 005", "95.00", "A double of line 7."]
    return rows


def plan(imports: Imports, data: str | bytes, **options: Any) -> Job:
    encoded = data.encode() if isinstance(data, str) else data
    return imports.plan(encoded, ImportOptions(**options), EVE, file_name="prices.csv")


def finish(imports: Imports, bell: FakeDoorbell, job: Job) -> Job:
    while bell.jobs:
        imports.work_on(bell.jobs.pop(0))
    return imports.jobs.job(job.job_id)


def rows_of(imports: Imports, job: Job) -> list[Row]:
    return list(imports.jobs.rows(job))


def planned_at_once(imports: Imports, data: str, monkeypatch: pytest.MonkeyPatch) -> Job:
    with monkeypatch.context() as patch:
        patch.setattr(importing, "MAX_ROWS_AT_ONCE", COUNT)
        return plan(imports, data)


def test_steps_plan_what_one_go_plans(
    imports: Imports, bell: FakeDoorbell, sheet: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = csv_of([HEAD, *sheet])
    expected = planned_at_once(imports, data, monkeypatch)
    job = plan(imports, data)
    assert (job.state, job.rows, len(bell.jobs)) == (JobState.PLANNING, 0, 1)
    clock = Clock(NOON)
    jobs = replace(imports.jobs, clock=lambda: ticking(clock))
    imports = replace(imports, jobs=jobs)
    steps = 0
    while bell.jobs:
        imports.work_on(bell.jobs.pop())
        steps += 1
    planned = imports.jobs.job(job.job_id)
    assert steps > 1
    assert rows_of(imports, planned) == rows_of(imports, expected)
    messages = [row.message for row in rows_of(imports, planned) if row.message]
    assert len(messages) == 5
    assert planned.state == JobState.PLANNED
    for name in ("rows", "chunks", "chunk", "notes", "permissions"):
        assert getattr(planned, name) == getattr(expected, name), name
    assert {state: n for state, n in planned.counts.items() if n} == expected.counts


def ticking(clock: Clock) -> Any:
    clock.advance(TIME_BUDGET.total_seconds() / 2)
    return clock.now


def test_progress_is_seen_and_planning_can_be_cancelled(
    imports: Imports, bell: FakeDoorbell, sheet: list[list[str]]
) -> None:
    job = plan(imports, csv_of([HEAD, *sheet]))
    with pytest.raises(JobStateConflict, match="still being read"):
        imports.jobs.start(job.job_id, EVE)
    clock = Clock(NOON)
    replace(imports, jobs=replace(imports.jobs, clock=lambda: ticking(clock))).work_on(job.job_id)
    under_way = imports.jobs.job(job.job_id)
    assert (under_way.rows, under_way.done) == (COUNT, 4 * CHUNK_SIZE)
    imports.jobs.cancel(job.job_id, EVE)
    assert finish(imports, bell, job).state == JobState.CANCELLED


@pytest.mark.parametrize("when", ["before", "after"])
def test_plan_survives_a_worker_that_dies_at_any_call(
    imports: Imports,
    bell: FakeDoorbell,
    world: World,
    sheet: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    when: str,
) -> None:
    data = csv_of([HEAD, *sheet])
    expected = rows_of(imports, planned_at_once(imports, data, monkeypatch))
    parts = FaultyAdapters(search_url="")
    table = DynamoJobTable(parts.dynamodb, world.table)
    dying = replace(
        imports,
        jobs=replace(imports.jobs, table=table),
        uploads=DynamoUploads(parts.dynamodb, world.table),
    )
    call, reached = 0, True
    while reached:
        call += 1
        job = plan(imports, data)
        parts.injector.arm(call, when, kill_process)
        with suppress(ProcessKilled):
            dying.work_on(job.job_id)
        reached = parts.injector.disarm()
        bell.jobs.append(job.job_id)  # the message is redelivered
        planned = finish(imports, bell, job)
        assert planned.state == JobState.PLANNED
        assert rows_of(imports, planned) == expected
    assert call > 8


def test_two_workers_plan_each_row_once(
    imports: Imports, bell: FakeDoorbell, sheet: list[list[str]]
) -> None:
    job = plan(imports, csv_of([HEAD, *sheet]))
    other = iter([lambda: imports.work_on(job.job_id)])
    finder = Interrupted(imports.products, other)
    replace(imports, products=finder).work_on(job.job_id)
    planned = imports.jobs.job(job.job_id)
    assert (planned.state, planned.done) == (JobState.PLANNED, 5)
    assert sum(planned.counts.values()) == COUNT


@dataclasses.dataclass
class Interrupted:
    """A finder that runs a callback before its first answer."""

    products: Any
    callbacks: Iterator[Callable[[], None]]

    def __getattr__(self, name: str) -> Any:
        next(self.callbacks, lambda: None)()
        return getattr(self.products, name)


REFUSALS = [
    (csv_of([HEAD, *([["", "x", "1", "y"]] * 10_001)]), "Must have at most 10000 rows"),
    ("name\n" + "Hosting\n" * 60_000, "Must have at most 10000 rows"),
    (b"\x00\x01" * MAX_QUICK_TEXT, ""),
]


@pytest.mark.parametrize(("data", "sentence"), REFUSALS)
def test_file_that_can_t_be_read_ends_its_job_with_the_reason(
    imports: Imports, bell: FakeDoorbell, data: str | bytes, sentence: str
) -> None:
    padded = data if isinstance(data, bytes) else data + "\n" * MAX_QUICK_TEXT
    job = finish(imports, bell, plan(imports, padded))
    assert job.state == JobState.CANCELLED
    assert job.message
    assert sentence in job.message


def test_upload_keeps_its_options_and_content(world: World, imports: Imports) -> None:
    options = ImportOptions(
        columns={0: "name", 2: ""},
        mark=DecimalMark.COMMA,
        currency="ZAR",
        billing_cycle=BillingCycle.YEARLY,
    )
    job = plan(imports, "x" * (MAX_QUICK_TEXT + 1))
    content = bytes(range(256)) * 5000
    for kept in (options, ImportOptions()):
        upload = Upload(content, kept, WRITING)
        imports.uploads.put_upload(job, upload)
        assert imports.uploads.upload(job.job_id) == upload
    assert imports.uploads.upload("other") is None


def test_job_without_its_file_says_so(
    imports: Imports, bell: FakeDoorbell, world: World, sheet: list[list[str]]
) -> None:
    job = plan(imports, csv_of([HEAD, *sheet]))
    key = {"PK": {"S": f"JOB#{job.job_id}"}, "SK": {"S": "FILE#000000"}}
    world.dynamodb.delete_item(TableName=world.table, Key=key)
    assert finish(imports, bell, job).message == EXPIRED


def test_large_workbook_is_not_read_in_the_request(
    imports: Imports, bell: FakeDoorbell, sheet: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MAX_QUICK_WORKBOOK", 1000)
    data = xlsx_of(HEAD, *sheet)
    with monkeypatch.context() as patch:
        patch.setattr(importing, "read_sheet", None)
        job = plan(imports, data)
    assert finish(imports, bell, job).rows == COUNT


def test_small_file_is_planned_in_the_request(imports: Imports, bell: FakeDoorbell) -> None:
    rows = [["", f"Hosting {n}", "95", "Hosting as it is."] for n in range(MAX_ROWS_AT_ONCE)]
    assert plan(imports, csv_of([HEAD, *rows])).state == JobState.PLANNED
    assert bell.jobs == []
