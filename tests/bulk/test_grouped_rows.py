"""Jobs write their rows in groups, with the results of writing them one by one."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from products import bootstrap
from products.acceptance import Acceptance
from products.adapters.dynamodb.jobs import DynamoJobTable
from products.bulk.job import Job, JobKind, JobState
from products.bulk.jobs import Jobs
from products.bulk.rows import Row, RowState
from products.catalogue import Catalogue
from products.changes import Change
from products.documents import to_document
from products.errors import CatalogueError, CorruptChange, Unavailable
from products.grouped_writes import GROUP_SIZE, Request, Result
from tests.support.builders import NOON, fields, origin
from tests.support.fakes import Clock, FakeDoorbell, OvertakenTable, recorded_operations
from tests.support.faults import FaultyAdapters, ProcessKilled, kill_process
from tests.support.world import World

pytestmark = pytest.mark.engines

EVE = origin("eve", reason="Autumn")
ANN = origin("ann")
EXISTING = ("p1", "p2", "p3", "p4")
NAMES = ("Alpha", "ALPHA", "Beta", "Gamma", "Delta", "Epsilon")
MAX_STEPS = 60
CALLS = 40
"""More calls than the longest job of the generated ones makes."""
RUNS = count()


@dataclass(frozen=True)
class OneByOne:
    """An acceptance that makes every write of a group alone."""

    acceptance: Acceptance

    def write_grouped(self, requests: Iterable[Request], size: object) -> Iterator[list[Result]]:
        for write, by in requests:
            try:
                yield [self.acceptance.write(write, by)]
            except Unavailable:
                raise
            except (CatalogueError, CorruptChange) as refusal:
                yield [refusal]


@dataclass(frozen=True)
class Run:
    """A job on its own products: ``prefix`` separates them from those of all other runs."""

    prefix: str
    jobs: Jobs
    bell: FakeDoorbell

    def add_products(self, history: Iterable[tuple[int, Mapping[str, Any], bool]]) -> None:
        """Create the existing products, and edit them. Some versions are not stored yet."""
        table = bootstrap.table()
        for number, product_id in enumerate(EXISTING):
            new = self.jobs.acceptance.create(
                self.prefix + product_id, self.named(fields(name=f"Old {number}")), ANN
            )
            table.put_record(new.product, new.product.updated_at)
        for number, edits, is_stored in history:
            product_id = self.prefix + EXISTING[number]
            with suppress(CatalogueError):
                saved = self.jobs.acceptance.update(product_id, self.named(edits), ANN)
                if is_stored:
                    table.put_record(saved.product, saved.product.updated_at)

    def named(self, edits: Mapping[str, Any]) -> dict[str, Any]:
        """Return the edits with a name that no other run uses."""
        name = edits.get("name")
        return {**edits, "name": self.prefix + name} if name and len(name) > 2 else dict(edits)

    def rows(self, rows: Iterable[Row]) -> list[Row]:
        return [
            replace(
                row,
                number=number,
                product_id=self.prefix + row.product_id if row.product_id else None,
                edits=self.named(row.edits),
            )
            for number, row in enumerate(rows, 1)
        ]

    def finish(self, job: Job, cancelled_after: int | None = None) -> list[Row]:
        """Start the job and work on it, and return its rows."""
        self.jobs.start(job.job_id, EVE)
        self.work_off(job, cancelled_after)
        self.jobs.work(job.job_id)  # a message that came twice
        return list(self.jobs.rows(job))

    def work_off(self, job: Job, cancelled_after: int | None = None) -> None:
        for step in range(MAX_STEPS):
            if self.jobs.job(job.job_id).state != JobState.RUNNING:
                return
            if step == cancelled_after:
                self.jobs.cancel(job.job_id, EVE)
            self.jobs.work(job.job_id)
        raise AssertionError("the job does not end")

    def changes(self, catalogue: Catalogue, ids: Iterable[str]) -> list[Change]:
        found: list[Change] = []
        for product_id in sorted(ids):
            with suppress(CatalogueError):
                found += catalogue.history(product_id, limit=100)
        return found


values = {
    "name": st.sampled_from([*NAMES, "Old 0", "Old 1", "x"]),
    "price": st.sampled_from(["95.00", "1500.00", "0"]),
    "description": st.sampled_from(["Hosting for a first site.", "Hosting for many sites."]),
    "active": st.booleans(),
}
edits = st.one_of(
    [st.fixed_dictionaries({name: value}) for name, value in values.items()]
    + [st.fixed_dictionaries({}, optional=values)]
)


def row(product_id: str | None, edits: Mapping[str, Any], **about: Any) -> Row:
    changed = {name: (None, value) for name, value in edits.items()}
    return Row(number=0, product_id=product_id, name="n", edits=edits, changed=changed, **about)


creations = st.builds(
    lambda product_id, given: row(product_id, fields(**given), creates=True),
    st.sampled_from(["p1", "p5", "p6", None, "no id!"]),
    st.fixed_dictionaries({"name": values["name"]}, optional={"price": values["price"]}),
)
updates = st.builds(
    row,
    st.sampled_from([*EXISTING, *EXISTING, "p5", "absent", "no id!"]),
    edits,
    base=st.sampled_from([None, 1, 1, 1, 2, 3, 99]),
    strict=st.booleans(),
)
rows = st.lists(creations | updates, min_size=1, max_size=14)
histories = st.lists(st.tuples(st.integers(0, 3), edits, st.booleans()), max_size=5)


@pytest.fixture
def many(acceptance: Acceptance) -> Jobs:
    """Return the jobs, with quiet workers."""
    bell = FakeDoorbell()
    clock = Clock(NOON)
    quiet = replace(acceptance, doorbell=bell, clock=clock)
    return replace(bootstrap.jobs(), acceptance=quiet, doorbell=bell, clock=clock)


def started(jobs: Jobs, history: Any, seconds: float, *, one_by_one: bool) -> Run:
    """Return a run with its products. Each new ID takes some ``seconds``, so that steps end."""
    bell, clock = FakeDoorbell(), Clock(NOON)

    def slow_id() -> str:
        clock.advance(seconds)
        return bootstrap.new_id()

    acceptance: Any = replace(jobs.acceptance, doorbell=bell, clock=clock)
    run = Run(f"r{next(RUNS)}-", replace(jobs, acceptance=acceptance, doorbell=bell), bell)
    run.add_products(history)
    acceptance = replace(acceptance, new_id=slow_id)
    acceptance = OneByOne(acceptance) if one_by_one else acceptance
    return replace(run, jobs=replace(run.jobs, acceptance=acceptance, clock=clock))


def outcome(run: Run, catalogue: Catalogue, job: Job, done: list[Row]) -> list[Any]:
    """Return all that a job has done, without what differs between two runs."""
    created = {row.product_id for row in done if row.product_id and "prod_" in row.product_id}
    named = {product_id: f"created {row.number}" for row in done if (product_id := row.product_id)}
    named = {product_id: text for product_id, text in named.items() if product_id in created}

    def comparable(text: str) -> str:
        for product_id, name in named.items():
            text = text.replace(product_id, name)
        return text.replace(run.prefix, "").replace(job.job_id, "")

    ids = {row.product_id for row in done if row.product_id}
    ids |= {run.prefix + product_id for product_id in EXISTING}
    changes = [
        (change.change_type, change.origin.actor, change.origin.source, _content(change))
        for change in run.changes(catalogue, ids)
    ]
    results = [
        (row.number, row.state, row.message, row.version, row.product_id, sorted(row.changed))
        for row in done
    ]
    return [comparable(repr(fact)) for fact in [*results, *sorted(map(repr, changes))]]


def _content(change: Change) -> dict[str, Any]:
    document = to_document(change.after)
    return {name: value for name, value in document.items() if not name.endswith("At")}


@given(
    rows=rows,
    history=histories,
    # A step of slow writes has more rows in groups, so it is not cancelled.
    pace=st.sampled_from([(0, None), (0, 0), (0, 1), (1, None)]),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(  # a name that is freed and claimed, and a product twice
    rows=[
        row("p1", {"name": "Alpha"}, base=1),
        row("p5", fields(name="Old 0"), creates=True),
        row("p1", {"price": "95.00"}, base=1),
        row("p1", {"price": "0"}, base=1),
        row(None, fields(name="Alpha"), creates=True),
    ],
    history=[],
    pace=(0, None),
)
@example(  # a version that is not stored yet
    rows=[row("p1", {"price": "95.00"}, base=1), row("p2", {"price": "1500.00"}, base=1)],
    history=[(0, {"price": "95.00"}, False), (1, {"price": "95.00"}, False)],
    pace=(0, None),
)
def test_grouped_rows_end_as_rows_written_one_by_one(
    many: Jobs,
    catalogue: Catalogue,
    rows: list[Row],
    history: Any,
    pace: tuple[float, int | None],
) -> None:
    seconds, cancelled_after = pace
    outcomes = []
    for one_by_one in (True, False):
        run = started(many, history, seconds, one_by_one=one_by_one)
        job = run.jobs.plan(JobKind.BULK, "t", run.rows(rows), EVE)
        done = run.finish(job, cancelled_after)
        found = outcome(run, catalogue, job, done)
        if RowState.ACCEPTED in {row.state for row in done}:
            undo = run.jobs.undo(job.job_id, EVE)
            found += outcome(run, catalogue, undo, run.finish(undo))
        outcomes.append(found)
    assert outcomes[0] == outcomes[1]


@given(
    rows=rows,
    history=histories,
    call=st.integers(1, CALLS),
    when=st.sampled_from(["before", "after", "again"]),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_rows_of_a_killed_worker_take_effect_once(
    many: Jobs,
    catalogue: Catalogue,
    world: World,
    rows: list[Row],
    history: Any,
    call: int,
    when: str,
) -> None:
    parts = FaultyAdapters(search_url="")
    run = started(many, history, 0, one_by_one=False)
    disturbed = replace(
        run.jobs,
        table=DynamoJobTable(parts.dynamodb, world.table),
        acceptance=replace(run.jobs.acceptance, log=parts.table(world)),
    )
    job = run.jobs.plan(JobKind.BULK, "t", run.rows(rows), EVE)
    run.jobs.start(job.job_id, EVE)
    parts.injector.arm(call, when, (lambda: None) if when == "again" else kill_process)
    with suppress(ProcessKilled):
        disturbed.work(job.job_id)
    parts.injector.disarm()
    run.work_off(job)
    done = list(run.jobs.rows(job))
    assert RowState.WAITING not in {row.state for row in done}
    ids = {row.product_id for row in done if row.product_id}
    made = [
        (change.product_id, change.version)
        for change in run.changes(catalogue, ids)
        if change.origin.source == JobKind.BULK
    ]
    accepted = [(r.product_id, r.version) for r in done if r.state == RowState.ACCEPTED]
    assert sorted(made) == sorted(accepted)


def new_rows(count: int) -> list[Row]:
    return [row(f"n{n}", fields(name=f"New {n}"), creates=True) for n in range(count)]


def test_a_group_takes_one_transaction(many: Jobs, world: World) -> None:
    run = started(many, [], 0, one_by_one=False)
    job = run.jobs.plan(JobKind.CSV, "t", run.rows(new_rows(2 * GROUP_SIZE)), EVE)
    run.jobs.start(job.job_id, EVE)
    with recorded_operations(bootstrap.dynamodb()) as operations:
        run.jobs.work(job.job_id)
    assert operations == ["GetItem", "GetItem", *["TransactWriteItems"] * 3]  # with the step
    assert len(run.bell.sent) == len(EXISTING) + 2 * GROUP_SIZE


def test_updates_of_a_group_are_read_in_two_calls(many: Jobs, world: World) -> None:
    run = started(many, [], 0, one_by_one=False)
    edits = [row(product_id, {"price": "7.00"}, base=1) for product_id in EXISTING]
    job = run.jobs.plan(JobKind.BULK, "t", run.rows(edits), EVE)
    run.jobs.start(job.job_id, EVE)
    with recorded_operations(bootstrap.dynamodb()) as operations:
        run.jobs.work(job.job_id)
    calls = ["GetItem"] * 2 + ["BatchGetItem"] * 2 + ["TransactWriteItems"] * 2
    assert operations == calls


def test_rows_that_others_overtake_are_written_around_them(
    many: Jobs, catalogue: Catalogue, world: World
) -> None:
    run = started(many, [], 0, one_by_one=False)

    def overtake() -> None:
        run.jobs.acceptance.update(f"{run.prefix}p2", {"description": "Another text."}, ANN)
        run.jobs.acceptance.update(f"{run.prefix}p3", {"price": "3.00"}, ANN)
        run.jobs.acceptance.create(None, fields(name=f"{run.prefix}New 0"), ANN)

    log = OvertakenTable(run.jobs.acceptance.log, overtake)
    jobs = replace(run.jobs, acceptance=replace(run.jobs.acceptance, log=log))
    edits = [row(product_id, {"price": "7.00"}, base=1) for product_id in EXISTING]
    job = jobs.plan(JobKind.BULK, "t", run.rows([*edits, *new_rows(2)]), EVE)
    jobs.start(job.job_id, EVE)
    jobs.work(job.job_id)
    done = list(jobs.rows(job))
    states = [(row.state, row.version) for row in done]
    accepted = RowState.ACCEPTED
    assert states[:4] == [(accepted, 2), (accepted, 3), (RowState.REFUSED, None), (accepted, 2)]
    assert states[4:] == [(RowState.REFUSED, None), (accepted, 1)]
    assert "belongs to product" in done[4].message
