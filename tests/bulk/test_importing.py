"""The use case of an import: jobs with clashes to decide, remembered columns, large rows."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from products import bootstrap
from products.acceptance import Acceptance
from products.adapters.dynamodb.jobs import _chunk_items, _row_item, _to_row
from products.bulk.clashes import Clashes, NoClash, Side
from products.bulk.csv_files import product_rows
from products.bulk.import_context import MAX_KEPT
from products.bulk.import_steps import REMEMBERED
from products.bulk.importing import Imports
from products.bulk.imports import ImportOptions
from products.bulk.job import CHUNK_SIZE, Job, JobStateConflict, NotYourJob
from products.bulk.jobs import Jobs
from products.bulk.rows import Row, RowState
from products.catalogue import Catalogue
from products.changes import Origin
from products.errors import NotAllowed
from products.merging import Clash
from products.permissions import Permission
from products.product import LENGTHS, MAX_FEATURES
from tests.support.builders import fields, origin
from tests.support.import_files import csv_of, xlsx_of
from tests.support.world import World

pytestmark = pytest.mark.engines

EVE = origin("eve", reason="Autumn")


@pytest.fixture
def imports(world: World) -> Imports:
    return bootstrap.imports()


@pytest.fixture
def jobs(imports: Imports) -> Jobs:
    return imports.jobs


@pytest.fixture
def clashes(jobs: Jobs) -> Clashes:
    return Clashes(jobs)


def plan(imports: Imports, data: str | bytes, who: Origin = EVE, **options: object) -> Job:
    encoded = data.encode() if isinstance(data, str) else data
    chosen = ImportOptions(**options)  # type: ignore[arg-type] # as the test names them
    return imports.plan(encoded, chosen, who, file_name="prices.csv")


@pytest.fixture
def stale_sheet(acceptance: Acceptance, catalogue: Catalogue, world: World, ann: Origin) -> str:
    """Return an export of three products, after which ben has changed the first two prices."""
    for number in range(3):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}", price="149.00"), ann)
    world.work()
    products = catalogue.by_ids(["p0", "p1", "p2"]).values()
    edited = [
        replace(product, price=Decimal("99.00"), description=f"{product.description} Edited.")
        for product in sorted(products, key=lambda product: product.product_id)
    ]
    for product_id in ("p0", "p1"):
        acceptance.update(product_id, {"price": "175.00"}, origin("ben"))
    world.work()
    return csv_of(product_rows(edited))


def test_clashes_are_decided_before_the_job_runs(
    imports: Imports,
    jobs: Jobs,
    clashes: Clashes,
    catalogue: Catalogue,
    world: World,
    stale_sheet: str,
) -> None:
    job = plan(imports, stale_sheet)
    assert job.counts == {RowState.CLASH: 2, RowState.WAITING: 1}
    first = next(jobs.rows(job))
    clash = first.clashes["price"]
    assert (clash.base, clash.yours, clash.theirs) == (149, 99, 175)
    with pytest.raises(NotYourJob):
        clashes.decide(job.job_id, 1, {"price": Side.MINE}, origin("ben"))
    with pytest.raises(NoClash):
        clashes.decide(job.job_id, 3, {"price": Side.MINE}, EVE)
    clashes.decide(job.job_id, 1, {"price": Side.MINE}, EVE)
    assert clashes.decide_all(job.job_id, Side.THEIRS, EVE).counts[RowState.CLASH] == 0
    jobs.start(job.job_id, EVE)
    with pytest.raises(JobStateConflict):
        clashes.decide_all(job.job_id, Side.MINE, EVE)
    world.work()
    assert jobs.job(job.job_id).counts[RowState.ACCEPTED] == 3
    products = [catalogue.newest(f"p{number}") for number in range(3)]
    assert [product.price for product in products] == [99, 175, 99]
    assert all(product.description.endswith("Edited.") for product in products)


def test_undecided_clash_is_left_as_it_is(
    imports: Imports, jobs: Jobs, catalogue: Catalogue, world: World, stale_sheet: str
) -> None:
    job = plan(imports, stale_sheet)
    jobs.start(job.job_id, EVE)
    world.work()
    assert jobs.job(job.job_id).counts[RowState.CLASH] == 2
    assert [catalogue.newest(f"p{n}").price for n in range(3)] == [175, 175, 99]


def test_deciding_needs_the_permission_of_the_edit(
    imports: Imports, clashes: Clashes, stale_sheet: str
) -> None:
    job = plan(imports, stale_sheet)
    weak = replace(EVE, permissions=frozenset({Permission.ADD}))
    with pytest.raises(NotAllowed):
        clashes.decide(job.job_id, 1, {"price": Side.MINE}, weak)
    assert plan(imports, stale_sheet, weak).counts == {RowState.REFUSED: 3}


def test_chosen_columns_are_remembered_by_the_head_line(imports: Imports, world: World) -> None:
    data = "Nr,Wat,Koste,Meer\nX-1,New hosting,99,Hosting for small shops\n"
    chosen = {0: "productId", 1: "name", 2: "price", 3: "description"}
    assert plan(imports, data, columns=chosen).counts == {RowState.WAITING: 1}
    again = plan(imports, data.replace("X-1", "X-2").replace("Nr,Wat", "NR,wat"))
    assert again.counts == {RowState.WAITING: 1}
    assert again.notes[0] == REMEMBERED
    _, columns = imports.columns(data.encode())
    assert [found.column.field for found in columns] == list(chosen.values())
    assert columns[1].samples == ("New hosting",)


def test_rows_of_the_largest_legal_products_are_stored(
    imports: Imports, jobs: Jobs, world: World
) -> None:
    feature = "機" * LENGTHS["feature"][1]
    rows = [
        [f"big-{number}", f"Big {number}", "説" * 500, 99, "\n".join([feature] * MAX_FEATURES)]
        for number in range(60)
    ]
    head = ["productId", "name", "description", "price", "features"]
    job = plan(imports, xlsx_of(head, *rows))
    stored = list(jobs.rows(job))
    assert [row.number for row in stored] == list(range(1, 61))
    assert stored[59].edits["features"] == (feature,) * MAX_FEATURES
    assert [row.line for row in stored] == list(range(2, 62))
    jobs.start(job.job_id, EVE)
    world.work()
    assert jobs.job(job.job_id).counts[RowState.ACCEPTED] == 60


def test_refused_rows_with_endless_cells_are_stored(imports: Imports, jobs: Jobs) -> None:
    head = ["productId", "name", "description", "price", "renewalPrice", "period", "features"]
    rows = [["😀" * 30_000] * len(head) for _ in range(4)]
    job = plan(imports, csv_of([head, *rows]))
    job = finished_plan(imports, job)
    assert job.counts[RowState.REFUSED] == 4
    assert len(next(jobs.rows(job)).edits["description"]) == MAX_KEPT


def finished_plan(imports: Imports, job: Job) -> Job:
    imports.work_on(job.job_id)
    return imports.jobs.job(job.job_id)


def test_chunk_of_the_largest_rows_fits_one_transaction() -> None:
    """DynamoDB takes 4 MB in one transaction. Every row here is a clash in every field."""
    widest = "😀"
    values = {
        "name": widest * LENGTHS["name"][1],
        "description": widest * LENGTHS["description"][1],
        "features": (widest * LENGTHS["feature"][1],) * MAX_FEATURES,
        "period": widest * 100,
    }
    clashes = {name: Clash(value, value, value) for name, value in values.items()}
    row = Row(
        number=1,
        product_id="p" * 64,
        name=values["name"],  # type: ignore[arg-type] # a text
        edits=values,
        changed={name: (value, value) for name, value in values.items()},
        clashes=clashes,
        state=RowState.CLASH,
        note=widest * 200,
    )
    job = SimpleNamespace(job_id="j", created_at=datetime.now(UTC))
    items = _chunk_items(job, 0, [row] * CHUNK_SIZE)  # type: ignore[arg-type] # as far as it reads
    sizes = [len(json.dumps(item, ensure_ascii=False).encode()) for item in items]
    assert max(sizes) < 400_000
    assert sum(sizes) < 4_000_000
    assert len(items) < 99
    assert _to_row(_row_item(row)) == row
