"""Measure jobs: rows in groups and one by one, a large import, and single edits during it."""

import csv
import io
import os
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import django

from products.changes import Effect, Origin
from products.idempotency import IdempotencyKey
from tests.bench.measurement import (
    Contender,
    cpu_seconds,
    percentile,
    rate_ratio,
    ratio,
    side_by_side,
)
from tests.bench.pipeline import Flow, flow
from tests.bench.report import Row
from tests.bench.stack import Stack
from tests.bench.writes import NUMBERS, new_product
from tests.support.builders import origin

BENCH = origin("bench")
TIMEOUT_SECONDS = 1_800.0
EDITS, EDITS_PER_SECOND = 80, 2
LIMITED_ROWS = 10_000
MAX_APPLY_SECONDS, MAX_EFFECTS_SECONDS = 90, 180
MAX_DELAY = 2.0  # of single edits while a job runs


def measure(stack: Stack, *, rounds: int, count: int) -> list[Row]:
    """Measure an import of 10 times ``count`` rows."""
    django.setup()
    accepting = accept_rows(min(rounds, 5), max(count // 4, 50))
    return [*accepting, *import_file(stack, 10 * count)]


# Rows that are only accepted


@dataclass
class Writer:
    """Makes the writes of rows in this process. ``versions`` are those of the products it made."""

    acceptance: Any
    write: Callable[..., Any]
    versions: dict[str, int] = field(default_factory=dict)

    def create(self, count: int, *, grouped: bool) -> None:
        requests = []
        for body in (new_product(next(NUMBERS)) for _ in range(count)):
            product_id = str(body.pop("productId"))
            edits = {_core_name(name): value for name, value in body.items()}
            requests.append(self.write(product_id=product_id, edits=edits, creates=True))
        self._make(requests, grouped=grouped)

    def change(self, count: int, *, grouped: bool) -> None:
        price = f"{next(NUMBERS) % 900_000 + 1}.50"
        some = list(self.versions.items())[:count]
        requests = [
            self.write(product_id=product_id, edits={"price": price}, base=version)
            for product_id, version in some
        ]
        self._make(requests, grouped=grouped)

    def _make(self, writes: list[Any], *, grouped: bool) -> None:
        requests = [(write, _keyed()) for write in writes]
        if grouped:
            results = [one for some in self.acceptance.write_grouped(requests) for one in some]
        else:
            results = [self.acceptance.write(*request) for request in requests]
        for result in results:
            if isinstance(result, Exception):
                raise result
            self.versions[result.product.product_id] = result.product.version


def accept_rows(rounds: int, count: int) -> list[Row]:
    """Compare rows in groups with rows one by one. No worker runs."""
    from products import bootstrap  # noqa: PLC0415 # needs settings
    from products.writes import Write  # noqa: PLC0415

    writer = Writer(bootstrap.acceptance(), Write)
    return [
        _compare_ways(what, work, rounds, count)
        for what, work in (
            ("Creations accepted in groups of 25", writer.create),
            ("Updates accepted in groups of 25", writer.change),
        )
    ]


def _compare_ways(what: str, work: Callable[..., None], rounds: int, count: int) -> Row:
    def contender(name: str, *, grouped: bool) -> Contender:
        return Contender(name, os.getpid(), lambda n: [timed(lambda: work(n, grouped=grouped))])

    found = side_by_side(
        [contender("alone", grouped=False), contender("grouped", grouped=True)],
        rounds=rounds,
        count=count,
    )
    grouped, alone = found["grouped"], found["alone"]
    return Row(
        what,
        f"{grouped.rate:,.0f}/s, {grouped.cpu:.2f} ms CPU",
        f"one by one: {alone.rate:,.0f}/s, {alone.cpu:.2f} ms CPU",
        f"{rate_ratio(grouped, alone):.1f} × the rate, {ratio(grouped, alone):.2f} × the CPU time",
    )


def _keyed() -> Origin:
    """Return the origin of a row, with a key of its own."""
    return replace(BENCH, idempotency_key=IdempotencyKey(str(uuid.uuid4()), "bench"))


def _core_name(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


# A CSV import


@dataclass(frozen=True)
class Import:
    """How long an import took, in seconds from its start to each end."""

    applied: float
    complete: float


def import_file(stack: Stack, count: int) -> list[Row]:
    """Plan a CSV import here, as the admin's web process does, and let a worker execute it.

    The worker also completes the effects of the changes. Single edits are made before and
    during the import.
    """
    web, token = stack.web(THROTTLE_STAFF="1000000"), stack.token()
    worker = stack.worker(4)
    flow(web, token, count=50)
    quiet = flow(web, token, count=EDITS, pace=EDITS_PER_SECOND)
    began = time.monotonic()
    job_id = plan_import(count)
    planned = count / (time.monotonic() - began)
    cpu = _cpu_by_process(stack, worker.pid)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(execute, job_id, count)
        busy = flow(web, token, count=EDITS, pace=EDITS_PER_SECOND)
        took = running.result()
    used = {name: end - cpu[name] for name, end in _cpu_by_process(stack, worker.pid).items()}
    return [
        Row(
            f"A CSV of {count:,} new products: read, checked, planned", f"{planned:,.0f}/s", "", ""
        ),
        _import_row(f"{count:,} rows applied", count, took.applied, MAX_APPLY_SECONDS),
        _import_row("The effects of all rows", count, took.complete, MAX_EFFECTS_SECONDS),
        *_cpu_rows(used, count),
        _edit_row("Single edits during the job, to the 202", busy.answers, quiet.answers),
        _edit_row(
            "Single edits during the job, to the record", _until_stored(busy), _until_stored(quiet)
        ),
    ]


def _cpu_by_process(stack: Stack, worker: int) -> dict[str, float]:
    """Return the seconds of CPU time that the worker and each service have used."""
    assert stack.dynamodb.process
    aws, index = stack.engines.running
    processes = {
        "worker": worker,
        "DynamoDB Local": stack.dynamodb.process.pid,
        "SQS with S3": aws.pid,
        "index": index.pid,
    }
    return {name: cpu_seconds(pid) for name, pid in processes.items()}


def _cpu_rows(used: dict[str, float], count: int) -> list[Row]:
    """Return whose CPU time a row costs, and how long the services would need without us."""
    by_name = {name: 1000 * seconds / count for name, seconds in used.items()}
    services = sum(used.values()) - used["worker"]
    cores = os.cpu_count() or 1
    names = ", ".join(f"{name}: {spent:.1f}" for name, spent in by_name.items() if name != "worker")
    return [
        Row(
            "CPU time of a row with its effects",
            f"worker: {by_name['worker']:.1f} ms",
            f"{names} ms",
            f"{services / sum(used.values()):.0%} is the services'",
        ),
        Row(
            f"The same rows by the services alone, on all {cores} cores",
            f"{services / cores:.0f} s",
            f"{count * cores / services:,.0f} rows/s",
            "",
        ),
    ]


def plan_import(count: int) -> str:
    """Plan the import of a file. The worker reads a large one in steps."""
    from products import bootstrap  # noqa: PLC0415 # needs settings
    from products.bulk.imports import ImportOptions  # noqa: PLC0415
    from products.bulk.job import JobState  # noqa: PLC0415

    options = ImportOptions()
    job_id = bootstrap.imports().plan(file_of(count), options, BENCH, file_name="bench").job_id
    wait_until(lambda: bootstrap.jobs().job(job_id).state != JobState.PLANNING)
    return job_id


def execute(job_id: str, count: int) -> Import:
    """Start the job, and wait for its rows and for all effects."""
    from products import bootstrap  # noqa: PLC0415 # needs settings
    from products.bulk.job import JobState  # noqa: PLC0415
    from products.bulk.rows import RowState  # noqa: PLC0415

    jobs, table = bootstrap.jobs(), bootstrap.table()
    began = time.monotonic()
    jobs.start(job_id, BENCH)
    wait_until(lambda: jobs.job(job_id).state != JobState.RUNNING)
    applied = time.monotonic() - began
    counts = jobs.job(job_id).counts
    if counts.get(RowState.ACCEPTED) != count:
        raise RuntimeError(f"not every row was accepted: {counts}")
    wait_until(lambda: not table.open_since(1))
    return Import(applied, time.monotonic() - began)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the job or its effects did not end")
        time.sleep(0.5)


def _until_stored(found: Flow) -> list[float]:
    changes = found.changes
    return [(c.done[Effect.STORED] - c.accepted_at).total_seconds() for c in changes]


def _import_row(what: str, count: int, seconds: float, limit: float) -> Row:
    verdict = "reached" if seconds <= limit * count / LIMITED_ROWS else "**missed**"
    target = f"≤ {limit:g} s for {LIMITED_ROWS:,} rows"
    return Row(what, f"{seconds:.0f} s", f"{count / seconds:,.0f} rows/s", "", target, verdict)


def _edit_row(what: str, busy: Sequence[float], quiet: Sequence[float]) -> Row:
    found = percentile(busy, 0.99) / percentile(quiet, 0.99)
    return Row(
        what,
        f"{_percentiles(busy)} ms",
        f"without the job: {_percentiles(quiet)} ms",
        f"{found:.1f} × at p99",
        f"≤ {MAX_DELAY:g} ×",
        "reached" if found <= MAX_DELAY else "**missed**",
    )


def _percentiles(seconds: Sequence[float]) -> str:
    found = [1000 * percentile(seconds, share) for share in (0.5, 0.95, 0.99)]
    return "p50 {:.0f}, p95 {:.0f}, p99 {:.0f}".format(*found)


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
