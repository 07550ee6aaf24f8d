"""Compare GETs of a product and of a list page with the bare calls and with the peer."""

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

from deploy.local.sample_catalogue import CREATED_FROM, sample_product
from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.items import change_item, claim_key
from products.changes import Effect, next_change
from products.documents import to_document
from tests.bench.fill import fill
from tests.bench.load import drive, request
from tests.bench.measurement import Contender, side_by_side
from tests.bench.report import Row
from tests.bench.stack import Bare, Server, Stack
from tests.support.builders import origin as build_origin

CONNECTIONS = 4
PRODUCTS = 2000
FIRST_PAGE = "/v1.0/products"


def clients() -> Iterator[str]:
    """Yield client addresses, so many that none reaches its rate limit."""
    return (f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in itertools.cycle(range(2**20)))


ADDRESSES = clients()


def getting(
    server: Server,
    path: Callable[[int], str],
    expected: int = 200,
    connections: int = CONNECTIONS,
    **headers: str,
) -> Callable[[int], list[float]]:
    """Return a function that sends ``count`` GETs, each of the next number's path."""
    numbers = itertools.count()

    def run(count: int) -> list[float]:
        requests = (
            request("GET", path(number), b"", X_Forwarded_For=next(ADDRESSES), **headers)
            for number in itertools.islice(numbers, count)
        )
        return drive(server.port, requests, connections=connections, expected=expected)

    return run


def nth(number: int) -> str:
    return f"b{number * 7919 % PRODUCTS:07}"


def bare_of(stack: Stack, *, threads: int = CONNECTIONS, **about: Any) -> Bare:
    product = sample_product(1)
    origin = build_origin("bench", source="api", request_id="0" * 36)
    change = next_change(
        None, product, origin, at=CREATED_FROM, change_id="1" * 36, effects=frozenset(Effect)
    )
    items = [
        encoded(change_item(change)),
        encoded({**claim_key(product.name), "productId": product.product_id}),
    ]
    queue = f"{os.environ['SQS_QUEUE_URL_PREFIX']}/bbws-product-change-dev"
    return Bare(
        stack,
        table="bbws-products-dev",
        queue=queue,
        products=PRODUCTS,
        items=items,
        threads=threads,
        **about,
    )


def peer_of(stack: Stack) -> Server:
    from tests.bench.peer.models import Product  # noqa: PLC0415 # reads the stack's environment

    if not Product.exists():
        Product.create_table(wait=True)
        with Product.batch_write() as batch:
            for number in range(PRODUCTS):
                document = to_document(sample_product(number))
                kept = {
                    k: str(v)
                    for k, v in document.items()
                    if k in {"price", "renewalPrice", "currency"}
                }
                kept |= {
                    k: document[k]
                    for k in (
                        "productId",
                        "name",
                        "description",
                        "billingCycle",
                        "features",
                        "version",
                        "createdAt",
                        "updatedAt",
                    )
                }
                attributes: dict[str, Any] = kept | {
                    "activeFlag": "ACTIVE",
                    "period": "once-off + R99/year",
                }
                batch.save(Product(**attributes))
    return stack.peer()


def measure(stack: Stack, *, rounds: int, count: int) -> list[Row]:
    fill("bbws-products-dev", 0, PRODUCTS)
    # Each read without the microcache, then with it, which is the default.
    web, warm, peer, bare = (
        stack.web(HOT_ANSWER_SECONDS="0"),
        stack.web(),
        peer_of(stack),
        bare_of(stack),
    )
    product, hot = (
        getting(web, lambda n: f"/v1.0/products/{nth(n)}"),
        getting(warm, lambda n: "/v1.0/products/b0000007"),
    )
    fresh = getting(warm, lambda n: "/v1.0/products/b0000007", 304, If_None_Match='"v1"')
    reads = side_by_side(
        [
            Contender("read", web.pid, product),
            Contender("bare", bare.pid, lambda n: bare.run("read", n)),
            Contender("peer", peer.pid, getting(peer, lambda n: f"/products/{nth(n)}")),
            Contender("hot", warm.pid, hot),
            Contender("hot 304", warm.pid, fresh),
        ],
        rounds=rounds,
        count=count,
    )
    lists = side_by_side(
        [
            Contender("list", web.pid, getting(web, lambda n: FIRST_PAGE)),
            Contender("bare", bare.pid, lambda n: bare.run("page", n)),
            Contender("peer", peer.pid, getting(peer, lambda n: "/products")),
        ],
        rounds=rounds,
        count=count // 3,
    )
    return [
        Row.of(
            "A product, each time another one",
            reads["read"],
            reads["bare"],
            "bare `get_item`",
            max_ratio=1.25,
        ),
        Row.of("", reads["read"], reads["peer"], "DRF + PynamoDB"),
        Row.rate("A popular product", reads["hot"], reads["bare"], "bare `get_item`", min_ratio=5),
        Row.rate(
            "The same, answered 304",
            reads["hot 304"],
            reads["bare"],
            "bare `get_item`",
            min_ratio=5,
        ),
        Row.of(
            "A page of 25 products", lists["list"], lists["bare"], "bare `query`", max_ratio=1.4
        ),
        Row.of("", lists["list"], lists["peer"], "DRF + PynamoDB"),
    ]
