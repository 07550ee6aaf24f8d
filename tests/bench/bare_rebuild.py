"""The bare calls of a rebuild: ``query`` with ``_bulk``, or one of the two alone.

``python -m tests.bench.bare_rebuild both|read|bulk INDEX COUNT`` prints the seconds of the calls.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import batched, islice
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from opensearchpy import OpenSearch

from deploy.local.sample_catalogue import sample_product
from products.adapters.opensearch.documents import INDEX_BODY
from products.documents import to_document

BULK_SIZE = 500
REQUESTS_AT_A_TIME = 3
KEYS = {"PK", "SK", "activeFlag", "activeCurrency", "createdSort", "priceSort"}


def read(count: int) -> Iterator[dict[str, Any]]:
    """Yield documents of the active products, read page by page."""
    plain = TypeDeserializer().deserialize
    pages = (
        boto3.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName="bbws-products-dev",
            IndexName="ProductsByCreatedIndex",
            KeyConditionExpression="activeFlag = :flag",
            ExpressionAttributeValues={":flag": {"S": "ACTIVE"}},
            PaginationConfig={"PageSize": BULK_SIZE},
        )
    )
    items = (item for page in pages for item in page["Items"])
    for item in islice(items, count):
        yield {key: plain(value) for key, value in item.items() if key not in KEYS}


def bodies(documents: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Yield the bodies of the bulk requests."""
    for batch in batched(documents, BULK_SIZE):
        lines = []
        for document in batch:
            lines += [{"index": {"_id": document["productId"]}}, document]
        yield "\n".join([*(json.dumps(line, default=str) for line in lines), ""])


def send(search: OpenSearch, index: str, body: str) -> None:
    if search.bulk(body=body, index=index)["errors"]:
        raise RuntimeError("OpenSearch refused a document")


def main() -> None:
    mode, index, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    search = OpenSearch(os.environ["OPENSEARCH_URL"], timeout=120, maxsize=REQUESTS_AT_A_TIME)
    if mode != "read":
        settings = INDEX_BODY["settings"] | {"refresh_interval": "-1", "number_of_replicas": 0}
        search.indices.create(index=index, body=INDEX_BODY | {"settings": settings})
    samples = (to_document(sample_product(number)) for number in range(count))
    prepared = list(bodies(samples)) if mode == "bulk" else []
    began = time.monotonic()
    if mode == "bulk":
        with ThreadPoolExecutor(REQUESTS_AT_A_TIME) as threads:
            list(threads.map(lambda body: send(search, index, body), prepared))
    elif mode == "read":
        for _ in read(count):
            pass
    else:
        for body in bodies(read(count)):
            send(search, index, body)
    if mode != "read":
        search.indices.refresh(index=index)
    sys.stdout.write(f"{time.monotonic() - began:.3f}\n")
    if mode != "read":
        search.indices.delete(index=index)


if __name__ == "__main__":
    main()
