"""The AWS calls that a change costs are those of the table in docs/scale.md."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from products import bootstrap
from products.acceptance import Acceptance
from products.changes import Origin
from products.invalidation import Pace
from tests.pipeline.test_worker_answers import a_lane
from tests.support.builders import fields
from tests.support.fakes import recorded_operations
from tests.support.world import World

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
BATCH = 10
CALLS = (
    "TransactWriteItems",
    "Query",
    "GetItem",
    "BatchGetItem",
    "PutItem",
    "UpdateItem",
    "SendMessage",
    "SendMessageBatch",
    "ReceiveMessage",
    "DeleteMessageBatch",
    "PutObject",
    "CreateInvalidation",
)


def table_rows() -> dict[str, list[str]]:
    """Return the rows of the page's tables by their first cell."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    rows = [[cell.strip(" `*") for cell in line.split("|")[1:-1]] for line in lines]
    return {row[0]: row for row in rows}


def documented_calls(column: int) -> dict[str, float]:
    """Return the calls of one change in a column of the table."""
    rows = table_rows()
    return {name: float(rows[name][column]) for name in CALLS}


def calls_of(
    count: int, world: World, acceptance: Acceptance, ann: Origin, folder: Path
) -> Counter[str]:
    """Count the calls of updates that a worker takes together, from request to last effect."""
    keys = [(f"p{number}", 2) for number in range(count)]
    buckets, purges = len(world.audit_records()), len(world.invalidations())
    dynamodb, sqs = bootstrap.dynamodb(), bootstrap.sqs()
    with recorded_operations(dynamodb) as of_dynamodb, recorded_operations(sqs) as of_sqs:
        for product_id, _ in keys:
            acceptance.update(product_id, {"price": "7"}, ann)
        with ThreadPoolExecutor(1) as others:
            a_lane(world, others, folder)._step()
        pipeline = bootstrap.pipeline()
        later = replace(
            pipeline, pace=Pace(), clock=lambda: pipeline.clock() + timedelta(seconds=30)
        )
        assert later.purge(keys) == {}
    calls = Counter(of_dynamodb + of_sqs)
    # Polls are made by boto3. The step of the purge receives and deletes its messages, too.
    calls += Counter({"ReceiveMessage": 2, "DeleteMessageBatch": 1})
    calls["PutObject"] = len(world.audit_records()) - buckets
    calls["CreateInvalidation"] = len(world.invalidations()) - purges
    for product_id, version in keys:
        change = bootstrap.table().change(product_id, version)
        assert change
        assert not change.open
    return calls


@pytest.mark.parametrize(("count", "column"), [(1, 2), (BATCH, 3)], ids=["alone", "together"])
def test_a_change_costs_the_calls_that_the_page_says(
    world: World, acceptance: Acceptance, ann: Origin, tmp_path: Path, count: int, column: int
) -> None:
    for number in range(count):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
    world.work()
    calls = calls_of(count, world, acceptance, ann, tmp_path)
    assert {name: calls[name] / count for name in CALLS} == documented_calls(column)
    assert calls.keys() <= set(CALLS)


def dollars(amount: Decimal) -> str:
    return str(amount.quantize(Decimal("0.01"), ROUND_HALF_UP))


def test_the_dollars_follow_from_units_calls_and_prices() -> None:
    rows = table_rows()
    units = [row for name, row in rows.items() if name.startswith("DynamoDB ")]
    for row in units:
        amounts = re.findall(r"[\d.]+", row[0])
        assert row[2:] == [dollars(Decimal(amount) * price_in(row)) for amount in amounts]
    messages = [name for name in CALLS if "Message" in name]
    for column in (1, 2, 3):
        count = sum(Decimal(rows[name][column]) for name in messages)
        assert rows["SQS"][column + 1] == dollars(count * price_in(rows["SQS"]))
    summed = [*units, rows["SQS"], rows["S3, audit records"]]
    sums = [sum(Decimal(row[column]) for row in summed) for column in (2, 3, 4)]
    assert [Decimal(total) for total in rows["all of these"][2:]] == sums


def price_in(row: list[str]) -> Decimal:
    return Decimal(row[1].split()[0])
