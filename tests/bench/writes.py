"""Compare writes up to the 202 with the bare transaction and the bare message that they need."""

import itertools
import json
from collections.abc import Callable, Iterator

from tests.bench.load import drive, request
from tests.bench.measurement import Contender, side_by_side
from tests.bench.reads import CONNECTIONS, bare_of
from tests.bench.report import Row
from tests.bench.stack import Server, Stack

NUMBERS = itertools.count()


def new_product(number: int) -> dict[str, object]:
    """Return the body that creates a product with a unique name."""
    return {
        "productId": f"w{number:07}",
        "name": f"Written {number}",
        "description": f"Product {number} of the benchmark, which measures the cost of writes.",
        "price": "1500.00",
        "renewalPrice": "1000.00",
        "billingCycle": "yearly",
        "features": [
            "50 GB of SSD storage, mirrored",
            "Daily backups, kept for 30 days",
            "Free SSL certificate",
        ],
    }


def writing(
    server: Server, token: str, request_of: Callable[[int], tuple[str, str, dict[str, object]]]
) -> Callable[[int], list[float]]:
    def requests(count: int) -> Iterator[bytes]:
        for number in itertools.islice(NUMBERS, count):
            method, path, body = request_of(number)
            yield request(method, path, json.dumps(body).encode(), Authorization=f"Bearer {token}")

    return lambda count: drive(server.port, requests(count), connections=CONNECTIONS, expected=202)


def creating(server: Server, token: str) -> Callable[[int], list[float]]:
    return writing(server, token, lambda number: ("POST", "/v1.0/products", new_product(number)))


def changing(server: Server, token: str, first: int, products: int) -> Callable[[int], list[float]]:
    """Change the price of each product that ``creating`` made, in turn."""

    def request_of(number: int) -> tuple[str, str, dict[str, object]]:
        price = f"{number % 900_000 + 1}.50"
        return "PATCH", f"/v1.0/products/w{first + number % products:07}", {"price": price}

    return writing(server, token, request_of)


def measure(stack: Stack, *, rounds: int, count: int) -> list[Row]:
    web, bare, token = stack.web(THROTTLE_STAFF="1000000"), bare_of(stack), stack.token()
    first = next(NUMBERS) + 1
    creating(web, token)(400)
    writes = side_by_side(
        [
            Contender("create", web.pid, creating(web, token)),
            Contender("bare create", bare.pid, lambda n: bare.run("create", n)),
            Contender("change", web.pid, changing(web, token, first, 400)),
            Contender("bare change", bare.pid, lambda n: bare.run("update", n)),
        ],
        rounds=rounds,
        count=count // 2,
    )
    reference = "bare `transact_write_items` + `send_message`"
    created, changed = writes["create"], writes["change"]
    return [
        Row.of(
            "A product created, to the 202",
            created,
            writes["bare create"],
            reference,
            max_ratio=1.5,
        ),
        Row.of(
            "A price changed, to the 202", changed, writes["bare change"], reference, max_ratio=1.5
        ),
        Row.times("Latency of a change", changed, writes["bare change"]),
    ]
