"""Compare plain reads with those while a thousand callers wait for an effect."""

import json
import socket
import statistics
import time

from tests.bench.fill import fill
from tests.bench.load import drive, request
from tests.bench.report import Row
from tests.bench.stack import Server, Stack
from tests.bench.writes import NUMBERS, new_product

WAITERS = 1_000
PRODUCTS = 1_000
READS = 400
MAX_RATIO = 1.2


def measure(stack: Stack, *, rounds: int, count: int) -> list[Row]:
    """Measure reads with and without callers that wait. No worker runs, so all wait 10 s."""
    del count  # the time in which all wait is limited
    fill("bbws-products-dev", 0, PRODUCTS)
    web, token = (
        stack.web(HOT_ANSWER_SECONDS="0", THROTTLE_STAFF="0", THROTTLE_PUBLIC="0"),
        stack.token(),
    )
    _reads(web, READS)
    found = [_round(web, token) for _ in range(min(rounds, 3))]
    waiting, busy, quiet = sorted(found, key=lambda one: one[1] / one[2])[len(found) // 2]
    ratio = busy / quiet
    return [
        Row(
            f"A product, while {waiting:,} callers wait in one process",
            f"p50 {1000 * busy:.1f} ms",
            f"without them: p50 {1000 * quiet:.1f} ms",
            f"{ratio:.2f} ×",
            f"≤ {MAX_RATIO:g} ×",
            "reached" if ratio <= MAX_RATIO else "**missed**",
        )
    ]


def _round(web: Server, token: str) -> tuple[int, float, float]:
    """Return how many callers waited, and the median of reads with and without them.

    On a slow machine the first callers have their answer before the last one is accepted.
    """
    quiet = statistics.median(_reads(web, READS))
    channels = [start_wait(web, token) for _ in range(WAITERS)]
    time.sleep(1)
    busy = statistics.median(_reads(web, READS))
    waiting = WAITERS - sum(_has_answer(channel) for channel in channels)
    for channel in channels:
        channel.settimeout(30)
        if not channel.recv(12).endswith(b" 202"):
            raise RuntimeError("a caller got no 202")
        channel.close()
    return waiting, busy, quiet


def _reads(server: Server, count: int) -> list[float]:
    paths = (f"/v1.0/products/b{number * 7919 % PRODUCTS:07}" for number in range(count))
    return drive(server.port, (request("GET", path) for path in paths), connections=2, expected=200)


def start_wait(server: Server, token: str) -> socket.socket:
    """Send a write that waits. Return its connection once the write is likely accepted."""
    channel = socket.create_connection(("127.0.0.1", server.port))
    body = json.dumps(new_product(next(NUMBERS))).encode()
    headers = {"Authorization": f"Bearer {token}", "Prefer": "wait=10"}
    channel.sendall(request("POST", "/v1.0/products", body, **headers))
    time.sleep(0.003)
    return channel


def _has_answer(channel: socket.socket) -> bool:
    channel.setblocking(False)
    try:
        return bool(channel.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
