"""A worker and a function outlive every answer of SQS and every message of every form."""

import itertools
import json
import random
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from products import bootstrap
from products.acceptance import Acceptance
from products.adapters.aws.clients import client
from products.adapters.sqs.task_messages import task_message
from products.changes import Origin
from tasks.aws_lambda import handler
from tasks.running import Delivery, read_deliveries, run_effects, run_other
from tasks.worker import MAX_STEP_SECONDS, Lane, hung_queues
from tests.plugin import ENV
from tests.support.builders import fields
from tests.support.lambda_events import LambdaContext
from tests.support.processes import until
from tests.support.wiring import forget_wiring
from tests.support.world import World

SEED = 20261129
MESSAGE = {
    "MessageId": "m",
    "ReceiptHandle": "h",
    "Body": "garbage",
    "Attributes": {"ApproximateReceiveCount": "1"},
}
VALUES: list[Any] = [None, 0, -1, 1.5, True, "", "text", "\x00", [], {}, [[]], {"a": {}}, 10**30]
STATUSES = (200, 200, 200, 204, 302, 400, 403, 404, 413, 429, 500, 503)
FRAMINGS = ("length", "length", "too long", "chunked", "broken chunk", "close", "reset", "no head")


def message_shapes() -> Iterator[Any]:
    """Yield messages of an answer: without each field, and with each field of each wrong kind."""
    for name in MESSAGE:
        yield {key: value for key, value in MESSAGE.items() if key != name}
        for value in VALUES:
            yield MESSAGE | {name: value}
    for value in VALUES:
        yield MESSAGE | {"Attributes": {"ApproximateReceiveCount": value}}


def answer_bodies() -> list[bytes]:
    shapes: list[Any] = [*VALUES, *({"Messages": value} for value in VALUES)]
    shapes += [{"Messages": [value]} for value in VALUES]
    shapes += [{"Messages": [MESSAGE, shape]} for shape in message_shapes()]
    shapes += [{"__type": "com.amazonaws.sqs#OverLimit"}, {"Successful": None, "Failed": None}]
    bodies = [json.dumps(shape).encode() for shape in shapes]
    return [*bodies, b"", b"{", b"\xff\xfe", b"<html>", b"[" * 20_000, b" " * 100_000]


def framed(status: int, framing: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} Any\r\nContent-Type: application/x-amz-json-1.0\r\n".encode()
    if framing == "chunked":
        chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n"
    if framing == "broken chunk":
        return head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + body
    if framing == "close":
        return head + b"Connection: close\r\n\r\n" + body
    if framing == "no head":
        return body
    length = len(body) + (10 if framing == "too long" else 0)
    return head + b"Content-Length: %d\r\n\r\n" % length + body


class StrangeSqs:
    """A server that answers each call as ``answer`` says, and closes the connection."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    connection.sendall(self.answer(read_request(connection)))
                except OSError:
                    continue

    def close(self) -> None:
        self.listener.close()


def read_request(connection: socket.socket) -> bytes:
    """Return the head and the body of a request."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65_536)
        if not part:
            return received
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    missing = int(lengths[0].split(b":")[1]) - len(body) if lengths else 0
    while missing > 0:
        part = connection.recv(missing)
        received, missing = received + part, missing - len(part)
    return received


@pytest.fixture
def strange(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Callable[[bytes], bytes]], StrangeSqs]]:
    servers: list[StrangeSqs] = []

    def start(answer: Callable[[bytes], bytes]) -> StrangeSqs:
        server = StrangeSqs(answer)
        servers.append(server)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", server.url)
        forget_wiring()
        return server

    yield start
    for server in servers:
        server.close()
    forget_wiring()


@pytest.mark.timeout(280)
def test_a_worker_outlives_every_answer(
    strange: Callable[[Callable[[bytes], bytes]], StrangeSqs],
    acceptance: Acceptance,
    world: World,
    ann: Origin,
    tmp_path: Path,
) -> None:
    acceptance.create("p1", fields(), ann)
    chooser = random.Random(SEED)  # repeatable
    bodies = answer_bodies()
    forms = [(status, framing) for status in STATUSES for framing in FRAMINGS]
    answers = [framed(200, "length", body) for body in bodies]
    answers += [framed(*form, chooser.choice(bodies)) for form in forms for _ in range(3)]
    chooser.shuffle(answers)
    left = iter(answers)
    good = MESSAGE | {"Body": persist_message(), "MessageId": "good"}
    ended = threading.Event()

    def answer(request: bytes) -> bytes:
        found = next(left, None)
        if found is not None:
            return found
        ended.set()
        is_poll = b"ReceiveMessage" in request
        return framed(200, "length", json.dumps({"Messages": [good]} if is_poll else {}).encode())

    server = strange(answer)
    stopping = threading.Event()
    with ThreadPoolExecutor(1) as others:
        lane = a_lane(
            world,
            others,
            tmp_path,
            url=f"{server.url}/000000000000/any",
            polls=client("sqs", read=1, attempts=1),
            stopping=stopping,
        )
        thread = threading.Thread(target=lane.run, daemon=True)
        thread.start()
        until(lambda: ended.is_set() and world.record("p1") is not None, seconds=240)
        assert thread.is_alive()
        stopping.set()
        thread.join(30)
    assert not thread.is_alive()


def a_lane(
    world: World, others: ThreadPoolExecutor, folder: Path, *, url: str = "", **changes: Any
) -> Lane:
    queue = world.queue("products.persist")
    defaults: dict[str, Any] = {
        "queue": queue,
        "url": url or world.queue_url(queue),
        "polls": world.sqs,
        "wait_seconds": 0,
        "heartbeat": folder / "beat",
        "others": others,
        "free_threads": threading.Semaphore(1),
        "stopping": threading.Event(),
        "min_pause_seconds": 0.0,
    }
    return Lane(**defaults | changes)


@pytest.mark.parametrize("has_edits", [True, False])
def test_jobs_learn_of_the_edits_in_a_queue(
    world: World, acceptance: Acceptance, ann: Origin, tmp_path: Path, has_edits: bool
) -> None:
    acceptance.create("p1", fields(), ann)
    with ThreadPoolExecutor(1) as others:
        a_lane(world, others, tmp_path, has_edits=has_edits)._step()
    assert (bootstrap.jobs().pace.edited_at is not None) == has_edits


def test_a_lane_that_hangs_ends_the_wait_of_the_worker(world: World, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as others:
        lane = a_lane(world, others, tmp_path)
        lane.stepped_at -= MAX_STEP_SECONDS + 1
        assert hung_queues([lane], lane.stopping) == [lane.queue]
        lane.stopping.set()
        assert hung_queues([lane], lane.stopping) == []


def test_a_lane_whose_polls_fail_does_not_hang(world: World, tmp_path: Path) -> None:
    """A new process could not poll either, so an outage of SQS must not end the worker."""
    with ThreadPoolExecutor(1) as others:
        lane = a_lane(world, others, tmp_path, polls=None)
        lane.stepped_at = before = lane.stepped_at - MAX_STEP_SECONDS - 1
        thread = threading.Thread(target=lane.run, daemon=True)
        thread.start()
        until(lambda: lane.stepped_at > before)
        lane.stopping.set()
        thread.join(30)
        assert not thread.is_alive()


def test_no_task_waits_in_the_worker_for_a_thread(
    acceptance: Acceptance, world: World, ann: Origin, tmp_path: Path
) -> None:
    """With every thread busy, the lane runs the task itself, after the effects of its batch."""
    acceptance.create("p1", fields(), ann)
    queue_url = world.queue_url(world.queue("products.persist"))
    relay = task_message("t", "products.relay", {}, {"request_id": "r"}, queue="q")
    world.sqs.send_message(QueueUrl=queue_url, MessageBody=relay)
    with ThreadPoolExecutor(1) as others:
        lane = a_lane(world, others, tmp_path, free_threads=threading.Semaphore(0))
        thread = threading.Thread(target=lane.run, daemon=True)
        thread.start()
        until(lambda: world.depth(world.queue("products.persist")) == 0 and world.record("p1"))
        lane.stopping.set()
        thread.join(30)
    assert world.dead_letters("products.persist") == []


def persist_message(product_id: str = "p1", version: Any = 1) -> str:
    arguments = {"product_id": product_id, "version": version}
    task_id = str(uuid.uuid4())
    return task_message(task_id, "products.persist", arguments, {"request_id": "r"}, queue="q")


def mutations(document: Any) -> Iterator[Any]:
    """Yield the document without each part, and with each part of each wrong kind."""
    if isinstance(document, dict):
        for key, value in document.items():
            rest = {other: document[other] for other in document if other != key}
            yield rest
            for strange_value in VALUES:
                yield rest | {key: strange_value}
            for changed in mutations(value):
                yield rest | {key: changed}


def bodies_of_messages() -> list[str]:
    """Return mutated messages in Celery's format, and bodies that are no messages."""
    envelope = json.loads(persist_message())
    mutated = [json.dumps(changed) for changed in mutations(envelope)]
    payloads = [[[], value, {}] for value in VALUES] + [[value] * 3 for value in VALUES]
    encoded = [json.dumps(payload) for payload in payloads]
    mutated += [
        json.dumps(envelope | {"body": body, "properties": {}, "content-encoding": "utf-8"})
        for body in encoded
    ]
    return [*mutated, "", "{", "[]", "null", "\x00", "e30=", "[" * 50_000]


@pytest.mark.usefixtures("world")
def test_every_message_is_done_or_fails_and_none_raises() -> None:
    bodies = bodies_of_messages()
    assert len(bodies) > 400
    for number, batch in enumerate(itertools.batched(bodies, 10)):
        deliveries = [
            Delivery(
                message_id=f"{number}-{position}",
                receipt_handle="h",
                body=body,
                receive_count=1,
                queue=f"bbws-product-change-{ENV}",
            )
            for position, body in enumerate(batch)
        ]
        of_effects, others, invalid = read_deliveries(deliveries)
        failed = invalid | run_effects(of_effects)
        assert failed <= {delivery.message_id for delivery in deliveries}
        for task in others:
            run_other(task)


@pytest.mark.usefixtures("world")
def test_a_function_survives_every_message() -> None:
    arn = f"arn:aws:sqs:eu-west-1:000000000000:bbws-product-change-{ENV}"
    for batch in itertools.batched(bodies_of_messages(), 10):
        records = [
            {
                "messageId": str(position),
                "receiptHandle": "stale",
                "body": body,
                "eventSourceARN": arn,
                "attributes": {"ApproximateReceiveCount": "9"},
            }
            for position, body in enumerate(batch)
        ]
        response = handler({"Records": records}, LambdaContext(10_000))
        assert response is not None
        assert len(response["batchItemFailures"]) <= len(batch)


def test_poison_among_good_messages_takes_none_along(
    acceptance: Acceptance, world: World, ann: Origin
) -> None:
    """Poison at every position, of every kind, among nine good messages."""
    for number in range(9):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
    chooser = random.Random(SEED)  # repeatable
    kinds = ["garbage", persist_message("nobody"), persist_message("p1", 99), *bodies_of_messages()]
    good = [persist_message(f"p{number}") for number in range(9)]
    queue = f"bbws-product-change-{ENV}"
    for number in range(200):
        poison = kinds[number] if number < 3 else chooser.choice(kinds)
        position = number % 10
        bodies = [*good[:position], poison, *good[position:]]
        deliveries = [
            Delivery(
                message_id="poison" if at == position else str(at),
                receipt_handle="h",
                body=body,
                receive_count=1,
                queue=queue,
            )
            for at, body in enumerate(bodies)
        ]
        of_effects, _, invalid = read_deliveries(deliveries)
        assert invalid | run_effects(of_effects) <= {"poison"}
    assert all(world.record(f"p{number}") for number in range(9))
    assert bootstrap.catalogue().receipt("p0", 1).done
