"""Compare a rebuild of the search index and a CSV import with the bare calls that they need."""

import csv
import io
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import django

from deploy.local.engines import ROOT
from tests.bench.fill import fill
from tests.bench.reads import bare_of
from tests.bench.report import Row
from tests.bench.stack import Stack
from tests.bench.writes import new_product
from tests.support.builders import origin

REBUILT = 2_000  # the embedded index needs about 10 ms per document
IMPORTED = 1_000
BENCH = origin("bench")
PATIENCE = 900.0
KEYS = {"PK", "SK", "activeFlag", "activeCurrency", "createdSort", "priceSort"}


def measure(stack: Stack, *, rounds: int, count: int) -> list[Row]:
    return [rebuilding(stack, max(rounds // 2, 1)), *importing(stack, min(count, IMPORTED))]


# The search index


def rebuilding(stack: Stack, rounds: int) -> Row:
    fill("bbws-products-dev", 0, REBUILT)
    ours, bare = [], []
    for number in range(rounds):
        ours.append(timed(partial(command, stack, "manage.py", "rebuild_search_index")))
        bare.append(timed(partial(command, stack, "-m", "tests.bench.bulk", f"bare-{number}")))
    mine, theirs = statistics.median(ours), statistics.median(bare)
    return Row(
        f"Search index rebuilt from {REBUILT:,} records",
        f"{REBUILT / mine:,.0f} products/s",
        f"bare `query` and `_bulk`: {REBUILT / theirs:,.0f}/s",
        f"{mine / theirs:.2f} × the time",
    )


def timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def command(stack: Stack, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=stack.variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr[-2000:]}")


def main() -> None:
    """Rebuild an index with bare calls: query the table by pages and send them to `_bulk`."""
    import boto3  # noqa: PLC0415 # only the bare process needs these imports
    from boto3.dynamodb.types import TypeDeserializer  # noqa: PLC0415
    from opensearchpy import OpenSearch  # noqa: PLC0415

    from products.adapters.opensearch.documents import INDEX_BODY  # noqa: PLC0415

    name, plain = sys.argv[1], TypeDeserializer().deserialize
    dynamodb, search = (
        boto3.client("dynamodb"),
        OpenSearch(os.environ["OPENSEARCH_URL"], timeout=120),
    )
    search.indices.create(index=name, body=INDEX_BODY)
    pages = dynamodb.get_paginator("query").paginate(
        TableName="bbws-products-dev",
        IndexName="ProductsByCreatedIndex",
        KeyConditionExpression="activeFlag = :flag",
        ExpressionAttributeValues={":flag": {"S": "ACTIVE"}},
        PaginationConfig={"PageSize": 500},
    )
    for page in pages:
        lines = []
        for item in page["Items"]:
            product = {key: plain(value) for key, value in item.items() if key not in KEYS}
            lines += [{"index": {"_index": name, "_id": product["productId"]}}, product]
        if lines:  # the last page of a query may be empty
            answer = search.bulk(
                body="\n".join([*(json.dumps(line, default=str) for line in lines), ""])
            )
            if answer["errors"]:
                raise RuntimeError(answer["items"][0])
    search.indices.refresh(index=name)


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


if __name__ == "__main__":
    main()
