"""Thousands of products, walked while others write: each that existed throughout is seen exactly once, in order."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest

from products import bootstrap
from products.catalogue import Catalogue
from products.pipeline import Pipeline
from tests.support.api_client import Api
from tests.support.builders import NOON, a_product
from tests.support.world import World

COUNT = int(
    os.environ.get("WALKED_PRODUCTS", "2000")
)  # 10000 take the embedded engine more than a minute


@pytest.mark.django_db
@pytest.mark.timeout(300)
def test_a_walk_over_thousands_of_products_sees_each_once(
    world: World, catalogue: Catalogue, pipeline: Pipeline
) -> None:
    table = bootstrap.table()

    def store(number: int, version: int = 1, price: str = "5.00") -> None:
        made = NOON + timedelta(seconds=number)
        table.put_record(
            a_product(
                product_id=f"p{number:05}",
                created_at=made,
                updated_at=made,
                version=version,
                price=Decimal(price),
            )
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store, range(COUNT)))
    walking = threading.Event()
    walking.set()

    def disturb() -> None:
        number = 0
        while walking.is_set():
            number = (number + 997) % COUNT
            store(number, version=2, price=f"{number % 90 + 1}.00")  # changed where it stands
            store(COUNT + number)  # and new ones behind the end

    others = threading.Thread(target=disturb)
    others.start()
    try:
        seen = walk()
    finally:
        walking.clear()
        others.join()
    assert [product_id for product_id in seen if int(product_id[1:]) < COUNT] == [
        f"p{n:05}" for n in range(COUNT)
    ]
    assert len(seen) == len(set(seen))


def walk() -> list[str]:
    public, seen, cursor = Api(anonymous=True), [], ""
    while True:
        body = public("get", f"/products?limit=100{cursor}").json()
        seen += [product["productId"] for product in body["products"]]
        if not body["moreAvailable"]:
            return seen
        cursor = f"&startAt={body['nextStartAt']}"
