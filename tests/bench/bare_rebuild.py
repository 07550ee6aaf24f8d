"""The bare calls of a rebuild: ``query`` with ``_bulk``, or one of the two alone.

``python -m tests.bench.bare_rebuild both|read|bulk FOLDER COUNT`` makes the calls. ``prepare``
writes the bodies of the ``_bulk`` requests into the folder beforehand. ``verify`` makes the reads
that a verification can't avoid.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import batched, islice
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from opensearchpy import OpenSearch

from deploy.local.sample_catalogue import sample_product
from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.items import claim_key, product_partition
from products.adapters.opensearch.documents import INDEX_BODY, bulk_action
from products.product import Product

BULK_SIZE = 500
REQUESTS_AT_A_TIME = 3
VERIFY_BATCH, VERIFY_THREADS = 25, 8  # as the product does
TABLE = "bbws-products-dev"
INDEX = "bare-rebuild"
ALIAS = "bare-rebuild-next"


def pages(count: int) -> Iterator[None]:
    """Read the active products, page by page, up to this number."""
    found = (
        boto3.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=TABLE,
            IndexName="ProductsByCreatedIndex",
            KeyConditionExpression="activeFlag = :flag",
            ExpressionAttributeValues={":flag": {"S": "ACTIVE"}},
            PaginationConfig={"PageSize": BULK_SIZE},
        )
    )
    for _ in islice(found, -(-count // BULK_SIZE)):
        yield


def prepare(folder: Path, count: int) -> None:
    """Write the bodies with the documents that the product indexes."""
    for number, batch in enumerate(batched(range(count), BULK_SIZE)):
        lines = [line for one in batch for line in bulk_action(ALIAS, sample_product(one))]
        (folder / f"{number:06}").write_text("\n".join([*lines, ""]))


def send(search: OpenSearch, path: Path) -> None:
    if search.bulk(body=path.read_text())["errors"]:
        raise RuntimeError("OpenSearch refused a document")


def verify(search: OpenSearch, count: int) -> None:
    """Read logs, records, claims and documents of the products, with boto3 in a few threads."""
    dynamodb = boto3.client("dynamodb", config=Config(max_pool_connections=VERIFY_THREADS))

    def read_log(product: Product) -> None:
        partition = {":pk": {"S": product_partition(product.product_id)}}
        found = dynamodb.query(
            TableName=TABLE,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues=partition,
            ConsistentRead=True,
        )
        assert found["Count"] >= 2

    with ThreadPoolExecutor(VERIFY_THREADS) as threads:
        for numbers in batched(range(count), VERIFY_BATCH):
            products = [sample_product(number) for number in numbers]
            list(threads.map(read_log, products))
            keys: Any = [encoded(claim_key(product.name)) for product in products]
            dynamodb.batch_get_item(RequestItems={TABLE: {"Keys": keys, "ConsistentRead": True}})
            search.mget(index=TABLE, body={"ids": [product.product_id for product in products]})


def perform(mode: str, search: OpenSearch, paths: Iterable[Path], count: int) -> None:
    """Make the calls of this mode."""
    if mode == "bulk":
        with ThreadPoolExecutor(REQUESTS_AT_A_TIME) as threads:
            list(threads.map(lambda path: send(search, path), paths))
    elif mode == "read":
        for _ in pages(count):
            pass
    else:
        for _, path in zip(pages(count), paths, strict=False):
            send(search, path)


def main() -> None:
    mode, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if mode == "prepare":
        prepare(folder, count)
        return
    if mode == "verify":
        verify(OpenSearch(os.environ["OPENSEARCH_URL"]), count)
        return
    search = OpenSearch(os.environ["OPENSEARCH_URL"], timeout=120, maxsize=REQUESTS_AT_A_TIME)
    settings = INDEX_BODY["settings"] | {"refresh_interval": "-1", "number_of_replicas": 0}
    body = INDEX_BODY | {"settings": settings, "aliases": {ALIAS: {}}}
    search.indices.create(index=INDEX, body=body)
    perform(mode, search, sorted(folder.iterdir())[: -(-count // BULK_SIZE)], count)
    search.indices.refresh(index=INDEX)
    search.indices.delete(index=INDEX)


if __name__ == "__main__":
    main()
