"""Fill a table with a catalogue of any size, from several processes."""

import os
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from itertools import batched
from typing import Any

import boto3

from deploy.local.sample_catalogue import sample_product
from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.items import record_item
from products.product import Product

BATCH = 25  # DynamoDB's limit for one BatchWriteItem
CHUNK = 5000


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
    for numbers in batched(range(first, end), BATCH):
        put_all(client, table, (stored(sample_product(number)) for number in numbers))


def stored(product: Product) -> dict[str, Any]:
    return record_item(product, product.updated_at)


def put_all(client: Any, table: str, items: Iterable[dict[str, Any]]) -> None:
    left = {table: [{"PutRequest": {"Item": encoded(item)}} for item in items]}
    while left:
        left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]
