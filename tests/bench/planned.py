"""Measure planned changes: how late they are, and what a public read pays for the calendar."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import django

from tests.bench.bulk import wait_until
from tests.bench.fill import fill
from tests.bench.load import drive, request
from tests.bench.measurement import Contender, percentile, ratio, side_by_side
from tests.bench.report import Row
from tests.bench.stack import Server, Stack
from tests.bench.writes import NUMBERS, new_product
from tests.support.builders import origin

BENCH = origin("bench")
PRODUCTS = 1_000
THREADS = 8
LEAD_SECONDS = 20
QUIET_SECONDS = 10.0  # from the plans' time until their products are read
TRANSACTION_SIZE = 100  # the most changes that DynamoDB appends in one transaction
MAX_LATE_SECONDS = 1.0  # of the 99th percentile
MAX_READ_RATIO = 1.02
QUIET_TABLE = "bbws-products-quiet"


def measure(stack: Stack, *, rounds: int, count: int) -> list[Row]:
    """Measure plans of ``PRODUCTS`` products that are due in the same second."""
    django.setup()
    ids = _create_products(PRODUCTS)
    bare_seconds = _bare_transactions()
    stack.worker(1)
    return [
        _lateness("1,000 plans of one product", [[one] for one in ids], ids, bare_seconds),
        _lateness("One plan of 1,000 products", [ids], ids, bare_seconds),
        _read_cost(stack, rounds=rounds, count=count),
    ]


def _create_products(count: int) -> list[str]:
    """Create products with their changes, and store them."""
    from products.bootstrap import jobs  # noqa: PLC0415 # reads the stack's environment
    from products.writes import Write  # noqa: PLC0415

    requests = []
    for body in (new_product(next(NUMBERS)) for _ in range(count)):
        product_id = str(body.pop("productId"))
        edits = {_core_name(name): value for name, value in body.items()}
        requests.append((Write(product_id=product_id, edits=edits, creates=True), BENCH))
    results = [one for some in jobs().acceptance.write_grouped(requests) for one in some]
    return [result.product.product_id for result in results]  # type: ignore[union-attr]


def _core_name(name: str) -> str:
    return {"renewalPrice": "renewal_price", "billingCycle": "billing_cycle"}.get(name, name)


@dataclass(frozen=True)
class Lateness:
    """How late the starts were accepted, in seconds."""

    seconds: Sequence[float]

    @property
    def text(self) -> str:
        p50, p99 = (1000 * percentile(self.seconds, share) for share in (0.5, 0.99))
        return f"p50 {p50:,.0f} ms, p99 {p99:,.0f} ms"


def _lateness(
    what: str, groups: Sequence[Sequence[str]], ids: Sequence[str], bare_seconds: float
) -> Row:
    """Plan a price for each group, and compare how late it is with the bare transactions."""
    starts_at = datetime.now(UTC) + timedelta(seconds=LEAD_SECONDS + len(groups) * 0.03)
    price = f"{next(NUMBERS) % 900_000 + 1}.50"
    plan = _planner(price, starts_at)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(plan, groups))
    if datetime.now(UTC) > starts_at:
        raise RuntimeError("the plans were not made in time")
    found: dict[str, float] = {}
    time.sleep((starts_at - datetime.now(UTC)).total_seconds() + QUIET_SECONDS)
    wait_until(lambda: _add_switched(found, ids, price, starts_at))
    late = Lateness(list(found.values()))
    slowest = percentile(late.seconds, 0.99)
    return Row(
        f"{what}, due in the same second: how late",
        late.text,
        f"the bare transactions: {1000 * bare_seconds:,.0f} ms",
        f"{slowest / bare_seconds:.2f} ×",
        f"p99 ≤ {MAX_LATE_SECONDS:g} s",
        "reached" if slowest <= MAX_LATE_SECONDS else "**missed**",
    )


def _add_switched(
    found: dict[str, float], ids: Sequence[str], price: str, starts_at: datetime
) -> bool:
    """Add how late each product is that has switched since, and return whether all have."""
    from products.bootstrap import table  # noqa: PLC0415

    log = table()
    for product_id in (one for one in ids if one not in found):
        newest = log.newest(product_id)
        if newest and newest.origin.source == "plan" and f"{newest.after.price:f}" == price:
            found[product_id] = (newest.accepted_at - starts_at).total_seconds()
    return len(found) == len(ids)


def _planner(price: str, starts_at: datetime) -> Callable[[Sequence[str]], Any]:
    from products.plans.drafts import Draft, DraftRow  # noqa: PLC0415
    from products.scheduling import plans  # noqa: PLC0415

    def plan(ids: Sequence[str]) -> object:
        rows = [DraftRow(product_id=one, edits={"price": price}) for one in ids]
        draft = Draft(name="Bench", rows=rows, starts_at=starts_at, ends_at=None, zone="UTC")
        return plans().create(draft, BENCH)

    return plan


def _bare_transactions() -> float:
    """Return the seconds of as many bare Puts in as few transactions, four at a time."""
    client = boto3.client("dynamodb")

    def transact(number: int) -> None:
        puts = [
            {"PK": {"S": f"BARE#{number}#{one}"}, "SK": {"S": "X"}, "text": {"S": "x" * 1500}}
            for one in range(TRANSACTION_SIZE)
        ]
        client.transact_write_items(
            TransactItems=[
                {
                    "Put": {
                        "TableName": "bbws-products-dev",
                        "Item": item,
                        "ConditionExpression": "attribute_not_exists(PK)",
                    }
                }
                for item in puts
            ]
        )

    began = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(transact, range(PRODUCTS // TRANSACTION_SIZE)))
    return time.perf_counter() - began


def _read_cost(stack: Stack, *, rounds: int, count: int) -> Row:
    """Compare reads of a product with a table in which a thousand plans are coming."""
    from deploy.local.resources import create_table  # noqa: PLC0415

    create_table(QUIET_TABLE)
    for name in (QUIET_TABLE, "bbws-products-dev"):
        fill(name, 0, 100)
    ids = _create_products(PRODUCTS)
    plan = _planner("77.50", datetime.now(UTC) + timedelta(hours=2))
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(plan, [[one] for one in ids]))
    planned = stack.web(HOT_ANSWER_SECONDS="0", THROTTLE_PUBLIC="0")
    quiet = stack.web(HOT_ANSWER_SECONDS="0", THROTTLE_PUBLIC="0", PRODUCTS_TABLE=QUIET_TABLE)
    figures = side_by_side(
        [
            Contender("planned", planned.pid, _reads(planned)),
            Contender("quiet", quiet.pid, _reads(quiet)),
        ],
        rounds=rounds,
        count=count,
    )
    ours, theirs = figures["planned"], figures["quiet"]
    found = ratio(ours, theirs)
    return Row(
        "A public read of a product, with 1,000 plans to come",
        f"{ours.cpu:.2f} ms CPU",
        f"without plans: {theirs.cpu:.2f} ms",
        f"{found:.2f} ×",
        f"≤ {MAX_READ_RATIO:g} ×",
        "reached" if found <= MAX_READ_RATIO else "**missed**",
    )


def _reads(server: Server) -> Callable[[int], list[float]]:
    def run(count: int) -> list[float]:
        paths = (f"/v1.0/products/b{number % 100:07}" for number in range(count))
        asked = (request("GET", path) for path in paths)
        return drive(server.port, asked, connections=2, expected=200)

    return run
