"""Measure how changes become searchable on a real node, in batches and one by one."""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

import boto3

from deploy.local.sample_catalogue import CREATED_FROM, sample_product
from products.adapters.dynamodb.table import DynamoProductTable
from products.adapters.opensearch.documents import bulk_action, send_bulk
from products.adapters.opensearch.index import connect
from products.changes import Change, Effect, next_change
from tests.bench.fill import put_all
from tests.bench.measurement import cpu_seconds, percentile
from tests.bench.memory import message
from tests.bench.report import Row
from tests.bench.stack import Stack
from tests.bench.staff import TABLE, change_attributes
from tests.support.builders import origin

INDEXED = 1_000  # products in the index before; a refresh costs more in a larger one
BULK_SIZE = 1_000
SECONDS_BY_PACE = {2: 3, 100: 2, 500: 1}
TICK_SECONDS = 0.05
MESSAGES = 10  # SQS's limit for one request
LIMIT_SECONDS = 300.0
MAX_LONE_SECONDS = 0.2
MAX_SHARE = 0.25
ONE_BY_ONE = "from tasks import worker; worker.BATCH_SIZE = 1; worker.main()"


@dataclass(frozen=True)
class Outcome:
    """What changes needed: CPU time of each in ms, seconds until each was searchable, and rate."""

    node_cpu: float
    worker_cpu: float
    seconds: list[float]
    rate: float

    @property
    def cpu(self) -> float:
        return self.node_cpu + self.worker_cpu

    def figure(self) -> str:
        shares = (percentile(self.seconds, share) for share in (0.5, 0.95))
        times = "/".join(f"{1000 * seconds:.0f}" for seconds in shares)
        cpu = f"{self.worker_cpu:.1f} + {self.node_cpu:.1f} ms CPU"
        return f"{self.rate:.0f} changes/s, {cpu}, p50/p95 {times} ms"


def measure(stack: Stack, *, rounds: int, count: int) -> list[Row]:
    """Measure each pace once. The load on the machine affects times, hardly the ratio of CPU."""
    del rounds, count
    _index_products(stack)
    worker = stack.worker(4)
    run(stack, worker, 2, 0)
    paces = {
        pace: run(stack, worker, pace, number) for number, pace in enumerate(SECONDS_BY_PACE, 1)
    }
    worker.terminate()
    worker.wait()
    single = stack.start("single", [sys.executable, "-c", ONE_BY_ONE], {"WORKER_CONCURRENCY": "4"})
    run(stack, single, 2, len(paces) + 1)
    one_by_one = run(stack, single, 100, len(paces) + 2)
    return [*map(_pace_row, paces, paces.values()), _ratio_row(paces[100], one_by_one)]


def _pace_row(pace: int, found: Outcome) -> Row:
    what = f"Changes sent at {pace}/s, until searchable"
    if pace > min(SECONDS_BY_PACE):
        return Row(what, found.figure(), "", "")
    is_reached = statistics.median(found.seconds) <= MAX_LONE_SECONDS
    target = f"p50 ≤ {1000 * MAX_LONE_SECONDS:.0f} ms"
    return Row(what, found.figure(), "", "", target, "reached" if is_reached else "**missed**")


def _ratio_row(batches: Outcome, one_by_one: Outcome) -> Row:
    ratio = batches.cpu / one_by_one.cpu
    return Row(
        "The same at 100/s, CPU time of worker and node",
        f"{batches.cpu:.1f} ms",
        f"a refresh for each change: {one_by_one.figure()}",
        f"{ratio:.2f} ×",
        f"≤ {MAX_SHARE:g} ×",
        "reached" if ratio <= MAX_SHARE else "**missed**",
    )


def _index_products(stack: Stack) -> None:
    search = connect(stack.node.url, timeout_seconds=120)
    for numbers in batched(range(INDEXED), BULK_SIZE):
        lines = [line for n in numbers for line in bulk_action(TABLE, sample_product(n))]
        send_bulk(search, lines, refresh=False)
    search.indices.refresh(index=TABLE)


def run(stack: Stack, worker: subprocess.Popen[str], pace: int, number: int) -> Outcome:
    """Send the messages of new changes at this pace, and wait until all are searchable."""
    assert stack.node.process
    changes = _new_changes(pace * SECONDS_BY_PACE[pace], first=number * 10_000)
    node, own = cpu_seconds(stack.node.process.pid), cpu_seconds(worker.pid)
    sent = _send(stack, changes, pace)
    done = [_await_effect(change) for change in changes]
    node = cpu_seconds(stack.node.process.pid) - node
    own = cpu_seconds(worker.pid) - own
    seconds = [(at - start).total_seconds() for at, start in zip(done, sent, strict=True)]
    rate = len(changes) / (max(done) - min(sent)).total_seconds()
    return Outcome(1000 * node / len(changes), 1000 * own / len(changes), seconds, rate)


def _new_changes(count: int, first: int) -> list[Change]:
    """Write changes that wait only for their effect in the search index."""
    changes = [_new_change(INDEXED + first + number) for number in range(count)]
    client = boto3.client("dynamodb")
    for some in batched(changes, 25):
        put_all(client, TABLE, map(change_attributes, some))
    return changes


def _new_change(number: int) -> Change:
    product = replace(sample_product(number), updated_by="bench")
    return next_change(
        None,
        product,
        origin("bench", source="admin"),
        at=CREATED_FROM + timedelta(seconds=number),
        change_id=f"{number:036}",
        effects=frozenset({Effect.SEARCHABLE}),
    )


def _send(stack: Stack, changes: Sequence[Change], pace: int) -> list[datetime]:
    """Send the messages of the index task in small groups. Return when each was sent."""
    sqs: Any = boto3.client("sqs")
    url = f"{stack.variables['SQS_QUEUE_URL_PREFIX']}/bbws-product-search-dev"
    sent: list[datetime] = []
    began = time.monotonic()
    for group in batched(changes, max(round(pace * TICK_SECONDS), 1)):
        time.sleep(max(0.0, began + len(sent) / pace - time.monotonic()))
        for some in batched(group, MESSAGES):
            entries = [
                {"Id": str(n), "MessageBody": message("index", change)}
                for n, change in enumerate(some)
            ]
            sent += [datetime.now(UTC)] * len(some)
            sqs.send_message_batch(QueueUrl=url, Entries=entries)
    return sent


def _await_effect(change: Change) -> datetime:
    table = DynamoProductTable(boto3.client("dynamodb"), TABLE)
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        found = table.change(change.product_id, 1)
        if found and Effect.SEARCHABLE in found.done:
            return found.done[Effect.SEARCHABLE]
        if time.monotonic() > deadline:
            raise TimeoutError(f"{change.product_id} is not searchable")
        time.sleep(0.1)
