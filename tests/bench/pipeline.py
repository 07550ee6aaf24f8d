"""Measure the time from the 202 to each effect, and the changes per second of one worker."""

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import boto3

from products.adapters.dynamodb.table import DynamoProductTable
from products.changes import Change, Effect
from tests.bench.load import drive, request
from tests.bench.measurement import cpu_seconds, percentile
from tests.bench.report import Row
from tests.bench.stack import Server, Stack
from tests.bench.writes import NUMBERS, new_product

TIMEOUT_SECONDS = 300.0
EFFECTS = (Effect.STORED, Effect.SEARCHABLE, Effect.AUDITED, Effect.PURGED)


@dataclass(frozen=True)
class Flow:
    """The completed changes of a number of writes, and the seconds until each had its answer."""

    changes: list[Change]
    answers: list[float]

    @property
    def rate(self) -> float:
        """Changes per second, from the first acceptance to the last effect.

        A purge waits some seconds for an invalidation that covers many changes. So this is a little
        less than the rate of a longer run.
        """
        first = min(change.accepted_at for change in self.changes)
        last = max(change.done[effect] for change in self.changes for effect in EFFECTS)
        return len(self.changes) / (last - first).total_seconds()

    def percentile(self, effect: Effect, share: float) -> float:
        """Return a percentile of the seconds from acceptance to the effect."""
        seconds = [(c.done[effect] - c.accepted_at).total_seconds() for c in self.changes]
        return percentile(seconds, share)

    def percentiles(self, effect: Effect) -> str:
        """Return p50, p95 and p99 of an effect as text."""
        return "/".join(f"{self.percentile(effect, share):.2f}" for share in (0.5, 0.95, 0.99))


def flow(server: Server, token: str, *, count: int, pace: float | None = None) -> Flow:
    """Create ``count`` products and wait until each has all effects.

    ``pace`` is the number of writes per second. Without it they are sent as fast as possible.
    """
    numbers = list(itertools.islice(NUMBERS, count))
    began = time.monotonic()

    def requests() -> Iterator[bytes]:
        for position, number in enumerate(numbers):
            if pace:
                time.sleep(max(0.0, began + position / pace - time.monotonic()))
            body = json.dumps(new_product(number)).encode()
            yield request("POST", "/v1.0/products", body, Authorization=f"Bearer {token}")

    answers = drive(server.port, requests(), connections=1 if pace else 4, expected=202)
    table = DynamoProductTable(boto3.client("dynamodb"), "bbws-products-dev")
    return Flow([_await_completion(table, f"w{number:07}") for number in numbers], answers)


def _await_completion(table: DynamoProductTable, product_id: str) -> Change:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while (change := table.change(product_id, 1)) is None or change.open:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{product_id} is still open: {change}")
        time.sleep(0.2)
    return change


def measure(stack: Stack, *, rounds: int, count: int) -> list[Row]:
    web, worker, token = stack.web(THROTTLE_STAFF="1000000"), stack.worker(4), stack.token()
    flow(web, token, count=20)
    low = flow(web, token, count=30, pace=2)
    cpu = cpu_seconds(worker.pid)
    saturated = flow(web, token, count=count // 2)
    cpu_per_change = 1000 * (cpu_seconds(worker.pid) - cpu) / len(saturated.changes)
    steady = flow(
        web, token, count=int(min(count // 2, 40 * saturated.rate)), pace=0.8 * saturated.rate
    )
    pace = f"{0.8 * saturated.rate:.1f}/s, 80 % of saturation"
    waits = [
        (effect, f"{steady.percentiles(effect)} s", f"2/s: {low.percentiles(effect)} s")
        for effect in EFFECTS
    ]
    rows = [
        Row(
            "One worker, saturated",
            f"{saturated.rate:.1f} changes/s",
            f"{cpu_per_change:.0f} ms CPU a change",
            "",
        ),
        *(
            Row(f"Accepted → {effect}, p50/p95/p99 at {pace}", found, slow, "")
            for effect, found, slow in waits
        ),
    ]
    last = max(steady.percentile(effect, 0.99) for effect in EFFECTS)
    searchable = steady.percentile(Effect.SEARCHABLE, 0.95)
    return [
        *rows,
        Row.bound("End to end, p99 at 80 % of saturation", last, 5, "s"),
        Row.bound("Searchable, p95 at 80 % of saturation", searchable, 2, "s"),
    ]
