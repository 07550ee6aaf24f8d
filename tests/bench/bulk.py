"""Compare a CSV import with the bare calls that it needs."""

import csv
import io
import time
from collections.abc import Callable
from typing import Any

import django

from tests.bench.reads import bare_of
from tests.bench.report import Row
from tests.bench.stack import Stack
from tests.bench.writes import new_product
from tests.support.builders import origin

IMPORTED = 1_000
BENCH = origin("bench")
PATIENCE = 900.0


def measure(stack: Stack, *, rounds: int, count: int) -> list[Row]:
    del rounds  # the import is measured once
    return importing(stack, min(count, IMPORTED))


def timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


# A CSV import


def importing(stack: Stack, count: int) -> list[Row]:
    """Plan a CSV import here, as the admin's web process does, and let a worker execute it.

    The worker also completes the effects of the changes.
    """
    django.setup()
    from products import bootstrap  # noqa: PLC0415 # needs settings
    from products.bulk.imports import ImportOptions  # noqa: PLC0415
    from products.bulk.job import JobState  # noqa: PLC0415
    from products.bulk.rows import RowState  # noqa: PLC0415

    def plan() -> Any:
        data = file_of(count)
        return bootstrap.imports().plan(data, ImportOptions(), BENCH, file_name="bench")

    stack.worker(4)
    began = time.monotonic()
    job = plan()
    planned = time.monotonic() - began
    bootstrap.jobs().start(job.job_id, BENCH)
    while (state := bootstrap.jobs().job(job.job_id)).state == JobState.RUNNING:
        if time.monotonic() - began > PATIENCE:
            raise TimeoutError(f"the import still runs: {state.counts}")
        time.sleep(0.2)
    took = time.monotonic() - began - planned
    if state.counts.get(RowState.ACCEPTED) != count:
        raise RuntimeError(f"not every row was accepted: {state.counts}")
    bare = bare_of(stack, threads=1)
    theirs = timed(lambda: bare.run("create", count))
    return [
        Row(
            f"A CSV of {count:,} new products: read, checked, planned",
            f"{count / planned:,.0f} products/s",
            "",
            "",
        ),
        Row(
            "The same import executed, while the same worker completes the effects",
            f"{count / took:,.0f} products/s",
            f"bare `transact_write_items` + `send_message`, nothing else: {count / theirs:,.0f}/s",
            f"{took / theirs:.1f} × the time",
        ),
    ]


def file_of(count: int) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    products = [new_product(10_000_000 + number) for number in range(count)]
    writer.writerow(products[0])
    for product in products:
        features = product["features"]
        assert isinstance(features, list)
        writer.writerow((product | {"features": "\n".join(features)}).values())
    return text.getvalue().encode()
