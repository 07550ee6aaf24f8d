"""Fill a table with a catalogue of any size, from several processes."""

import os
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3

from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.items import record_item
from products.product import BillingCycle, Product

BATCH = 25  # DynamoDB's limit for one BatchWriteItem
CHUNK = 5000
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
WORDS = (
    "managed",
    "shared",
    "mail",
    "shop",
    "agency",
    "studio",
    "reseller",
    "secure",
    "express",
    "family",
)
FEATURES = [
    "50 GB of SSD storage, mirrored",
    "Unmetered traffic within fair use",
    "Free SSL certificate, renewed for you",
    "Daily backups, kept for 30 days",
    "WordPress with automatic updates",
    "Staging site with one click",
    "Support by people, seven days a week",
    "Malware scan every night",
]


def a_product(number: int) -> Product:
    """Return a product of realistic size with a unique name. Its id is ``b`` and seven digits."""
    at = EPOCH + timedelta(seconds=number)
    word = WORDS[number % len(WORDS)]
    return Product(
        product_id=f"b{number:07}",
        name=f"Hosting {word} {number}",
        description=(
            f"WordPress hosting number {number} for a {word} site: fast disks, backups,"
            " and people who answer. Moves of an existing site are free, and so is the first"
            " domain for a year when it is paid yearly."
        ),
        price=Decimal(number % 99_000 + 100) / 100,
        renewal_price=Decimal("99.00"),
        billing_cycle=BillingCycle.YEARLY,
        features=tuple(FEATURES),
        version=1,
        created_at=at,
        updated_at=at,
        updated_by="bench",
    )


def fill(table: str, first: int, end: int) -> None:
    """Write the records of the products from ``first`` up to ``end``, without changes."""
    chunks = [(table, start, min(start + CHUNK, end)) for start in range(first, end, CHUNK)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for number, _ in enumerate(pool.map(_fill, chunks), 1):
            sys.stderr.write(f"\r  {min(first + number * CHUNK, end):,} products")
    sys.stderr.write("\r" + " " * 40 + "\r")


def _fill(chunk: tuple[str, int, int]) -> None:
    table, first, end = chunk
    client = boto3.client("dynamodb")
    for start in range(first, end, BATCH):
        put_all(
            client,
            table,
            (record_item(a_product(number)) for number in range(start, min(start + BATCH, end))),
        )


def put_all(client: Any, table: str, items: Iterable[dict[str, Any]]) -> None:
    left = {table: [{"PutRequest": {"Item": encoded(item)}} for item in items]}
    while left:
        left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]
