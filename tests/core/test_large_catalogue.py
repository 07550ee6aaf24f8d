"""A walk through thousands of products while others write."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest

from products import bootstrap
from products.errors import DependencyUnavailable
from products.product import Product
from tests.support.api_client import Api
from tests.support.builders import NOON, a_product
from tests.support.world import World

pytestmark = [pytest.mark.engines, pytest.mark.django_db, pytest.mark.timeout(900)]

COUNT = int(os.environ.get("WALKED_PRODUCTS", "500"))
"""`make test-engines` walks 10,000, which take the embedded DynamoDB more than a minute."""


def test_a_walk_sees_each_product_exactly_once_in_order(world: World) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store, map(numbered, range(COUNT))))
    is_over = threading.Event()
    writer = threading.Thread(target=write_until, args=(is_over,))
    writer.start()
    try:
        seen = walk()
    finally:
        is_over.set()
        writer.join()
    existing = [product_id for product_id in seen if int(product_id[1:]) < COUNT]
    assert existing == [f"p{number:05}" for number in range(COUNT)]
    assert len(seen) == len(set(seen))


def numbered(number: int, version: int = 1, price: str = "5.00") -> Product:
    """Return product ``number``, whose creation time follows from the number."""
    created = NOON + timedelta(seconds=number)
    return a_product(
        product_id=f"p{number:05}",
        created_at=created,
        updated_at=created,
        version=version,
        price=Decimal(price),
    )


def store(product: Product) -> None:
    """Write the record, and repeat while the busy machine's DynamoDB times out."""
    while True:
        try:
            bootstrap.table().put_record(product, product.updated_at)
        except DependencyUnavailable:
            continue
        return


def write_until(is_over: threading.Event) -> None:
    """Change existing products in place, and append new ones behind the end of the list."""
    number = 0
    while not is_over.is_set():
        number = (number + 997) % COUNT
        store(numbered(number, version=2, price=f"{number % 90 + 1}.00"))
        store(numbered(COUNT + number))


def walk() -> list[str]:
    """Read every page as the API asks clients to: wait after a 503, then go on."""
    public, seen, cursor = Api(anonymous=True), list[str](), ""
    while True:
        response = public("get", f"/products?limit=100{cursor}")
        if response.status_code == 503:
            time.sleep(float(response["Retry-After"]))
            continue
        body = response.json()
        seen += [product["productId"] for product in body["products"]]
        if not body["moreAvailable"]:
            return seen
        cursor = f"&startAt={body['nextStartAt']}"
