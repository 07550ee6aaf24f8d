"""Many products at once - a rebuild of the search index, a CSV import - against the bare bulk calls; and memory after
many requests and tasks."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

from deploy.local.engines import ROOT
from tests.bench.filling import fill
from tests.bench.measuring import resident
from tests.bench.pipelining import flow
from tests.bench.reading import getting
from tests.bench.report import Row
from tests.bench.stack import Stack

REBUILT = 5_000


def measure(stack: Stack, *, rounds: int, count: int) -> list[Row]:
    fill("bbws-products-dev", 0, REBUILT)
    ours, bare = [], []
    for _ in range(max(rounds // 2, 1)):
        ours.append(timed(lambda: command(stack, "rebuild_search_index")))
        bare.append(timed(lambda: bare_bulk(stack)))
    mine, theirs = sorted(ours)[len(ours) // 2], sorted(bare)[len(bare) // 2]
    return [
        Row(
            f"Index rebuilt from {REBUILT:,} records",
            f"{REBUILT / mine:,.0f} products/s",
            f"a process with bare `query` + `_bulk`: {REBUILT / theirs:,.0f}/s",
            f"{mine / theirs:.2f} × the time",
        ),
        *remembering(stack, count),
    ]


def timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def command(stack: Stack, *words: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=stack.variables, check=True, capture_output=True
    )


def bare_bulk(stack: Stack) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.bench.bulk"], cwd=ROOT, env=stack.variables, check=True, capture_output=True
    )


def remembering(stack: Stack, count: int) -> list[Row]:
    """MiB of a web process and of a worker, early and after many times as much work."""
    web, worker, token = stack.web(HOT_ANSWER_SECONDS="0", THROTTLE_STAFF="1000000"), stack.worker(2), stack.token()
    read = getting(web, lambda n: f"/v1.0/products/b{n * 7919 % REBUILT:07}")
    read(2_000)
    flow(web, token, count=100)
    early = resident(web.pid), resident(worker.pid)
    read(20 * count)
    flow(web, token, count=count // 2)
    late = resident(web.pid), resident(worker.pid)
    return [
        _held(f"Memory of a web process after {20 * count:,} more reads", early[0], late[0]),
        _held(f"Memory of a worker of 2 processes after {4 * (count // 2):,} more tasks", early[1], late[1]),
    ]


def _held(what: str, early: float, late: float) -> Row:
    flat = "reached" if late <= 1.1 * early else "**missed**"
    return Row(what, f"{late:.0f} MiB", f"before: {early:.0f} MiB", f"{late / early:.2f} ×", "flat: ≤ 1.1 ×", flat)


def main() -> None:
    """The least that a rebuild takes: read the index by pages, send them to `_bulk`."""
    import boto3  # noqa: PLC0415 # this is the bare process, which has nothing else to import
    from opensearchpy import OpenSearch  # noqa: PLC0415

    dynamodb, search = boto3.client("dynamodb"), OpenSearch(os.environ["OPENSEARCH_URL"], timeout=60)
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
            plain = {name: next(iter(value.values())) for name, value in item.items()}
            lines += [
                json.dumps({"index": {"_index": "bare", "_id": plain["productId"]}}),
                json.dumps({"name": plain["name"], "description": plain["description"]}),
            ]
        search.bulk(body="\n".join([*lines, ""]))
    search.indices.refresh(index="bare")


if __name__ == "__main__":
    main()
