"""Compare the memory of a web process and of a worker with that after a hundred times the work."""

import os
import time
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import boto3

from products.adapters.sqs.task_messages import task_message
from products.changes import Change
from tests.bench.fill import fill
from tests.bench.measurement import largest, resident
from tests.bench.pipeline import flow
from tests.bench.reads import getting
from tests.bench.report import Row
from tests.bench.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

PRODUCTS = 5_000
QUEUES = {"persist": "change", "invalidate": "cache", "index": "search", "audit": "audit"}
BATCH = 10  # SQS's limit for one request
MAX_WAITING = 4_000
TIMEOUT_SECONDS = 600.0
SETTLE_SECONDS = 3  # until the worker has loaded what it needs


def measure(stack: Stack, *, rounds: int, count: int) -> list[Row]:
    """Measure memory before and after 100 times ``count`` requests and tasks."""
    del rounds  # memory is measured twice in any case
    fill("bbws-products-dev", 0, PRODUCTS)
    web, worker, token = (
        stack.web(HOT_ANSWER_SECONDS="0", THROTTLE_STAFF="1000000"),
        stack.worker(2),
        stack.token(),
    )
    time.sleep(SETTLE_SECONDS)
    started = largest(web.pid), largest(worker.pid)
    read = getting(web, lambda n: f"/v1.0/products/b{n * 7919 % PRODUCTS:07}")
    read(count)
    changes = flow(web, token, count=count // 4).changes
    before = resident(web.pid), resident(worker.pid)
    read(100 * count)
    repeat_tasks(changes, 100 * count)
    after = resident(web.pid), resident(worker.pid)
    return [
        Row.bound("Memory of a web process after its start", started[0], 150, "MiB"),
        Row.bound("Memory of a worker after its start", started[1], 120, "MiB"),
        _memory_row(f"Memory of a web process, {100 * count:,} reads later", before[0], after[0]),
        _memory_row(
            f"Memory of a worker of 2 processes, {100 * count:,} tasks later", before[1], after[1]
        ),
    ]


def repeat_tasks(changes: Sequence[Change], tasks: int) -> None:
    """Send messages for tasks that are already done, so that each task finds nothing to do."""
    sqs = boto3.client("sqs")
    urls = {
        task: f"{os.environ['SQS_QUEUE_URL_PREFIX']}/bbws-product-{queue}-dev"
        for task, queue in QUEUES.items()
    }
    for sent in range(0, tasks, BATCH):
        task = list(QUEUES)[sent // BATCH % len(QUEUES)]
        about = [changes[(sent // len(QUEUES) + number) % len(changes)] for number in range(BATCH)]
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(n), "MessageBody": message(task, change)} for n, change in enumerate(about)
        ]
        failed = sqs.send_message_batch(QueueUrl=urls[task], Entries=entries).get("Failed")
        if failed:
            raise RuntimeError(failed[0])
        if sent % MAX_WAITING == 0:
            _wait_until_taken(sqs, urls.values(), MAX_WAITING)
    _wait_until_taken(sqs, urls.values(), 0)


def message(task: str, change: Change) -> str:
    about = {"product_id": change.product_id, "version": change.version}
    ids = {"request_id": change.origin.request_id, "change_id": change.change_id}
    queue = f"bbws-product-{QUEUES[task]}-dev"
    return task_message(str(uuid.uuid4()), f"products.{task}", about, ids, queue=queue)


def _wait_until_taken(sqs: Any, urls: Any, max_left: int) -> None:
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        queues = [
            sqs.get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"]
            for url in urls
        ]
        left = sum(int(queue[name]) for queue in queues for name in counts)
        if left <= max_left:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{left} messages are still waiting")
        time.sleep(0.5)


def _memory_row(what: str, before: float, after: float) -> Row:
    flat = "reached" if after <= 1.1 * before else "**missed**"
    return Row(
        what,
        f"{after:.0f} MiB",
        f"before: {before:.0f} MiB",
        f"{after / before:.2f} ×",
        "flat: ≤ 1.1 ×",
        flat,
    )
