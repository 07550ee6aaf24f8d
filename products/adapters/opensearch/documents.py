"""What all that writes to the search index shares: the mapping, how a product is written down, what faults mean."""

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import batched
from typing import Any

from opensearchpy import OpenSearch, exceptions

from products.documents import to_document
from products.errors import DependencyUnavailable, EffectRefused
from products.product import Product

logger = logging.getLogger(__name__)
ENGINE = "OpenSearch"
BULK = 500  # documents of one request
TEXT = {
    "type": "text",
    "fields": {"prefix": {"type": "text", "analyzer": "prefix", "search_analyzer": "standard"}},
}
INDEX_BODY = {
    "settings": {
        "number_of_shards": 1,
        "analysis": {
            "analyzer": {
                "prefix": {
                    "type": "custom",
                    "tokenizer": "standard",
                    "filter": ["lowercase", "prefix"],
                }
            },
            "filter": {"prefix": {"type": "edge_ngram", "min_gram": 1, "max_gram": 20}},
        },
    },
    "mappings": {
        "dynamic": "strict",
        "properties": {
            "productId": {"type": "keyword"},
            "name": TEXT,
            "description": TEXT,
            "features": TEXT,
            "price": {"type": "scaled_float", "scaling_factor": 100},
            "renewalPrice": {"type": "scaled_float", "scaling_factor": 100},
            "currency": {"type": "keyword"},
            "billingCycle": {"type": "keyword"},
            "period": {"type": "keyword", "index": False},
            "active": {"type": "boolean"},
            "image": {"type": "keyword", "index": False},
            "version": {"type": "long"},
            "createdAt": {"type": "date_nanos"},
            "updatedAt": {"type": "date_nanos"},
            "updatedBy": {"type": "keyword"},
        },
    },
}
UNAVAILABLE = {404, 429, 500, 502, 503, 504}
"""A missing index is somebody's mistake that may be mended at any time; a refused document stays refused."""
TAKEN = 409  # this version or a later one is there


def next_alias(alias: str) -> str:
    """Of the index that is being built, while one is: whatever is written goes there too."""
    return f"{alias}-next"


def action(alias: str, product: Product, *, version_type: str = "external") -> list[dict[str, Any]]:
    """Two lines of a bulk request. The product's version is the document's, so a late write can't undo a newer one."""
    target = {
        "_index": alias,
        "_id": product.product_id,
        "version": product.version,
        "version_type": version_type,
        "require_alias": True,
    }
    return [{"index": target}, json.loads(json.dumps(to_document(product), default=str))]


def bulk(
    client: OpenSearch, actions: list[dict[str, Any]], *, refresh: bool
) -> list[dict[str, Any]]:
    """What became of each action, in their order."""
    with calling():
        answer = client.bulk(body=actions, params={"refresh": "true"} if refresh else {})
    return [next(iter(item.values())) for item in answer["items"]]


def raise_for_status(item: dict[str, Any]) -> bool:
    """Whether the index had neither this version nor a later one. EngineAway, EffectRefused."""
    if item["status"] in UNAVAILABLE:
        raise DependencyUnavailable(ENGINE)
    if item["status"] >= 400 and item["status"] != TAKEN:
        raise EffectRefused(f"OpenSearch refused the document: {item['error']}")
    return bool(item["status"] != TAKEN)


def fill(client: OpenSearch, alias: str, products: Iterable[Product], *, refresh: bool) -> int:
    """Index many; returns how many were new to it. One that is refused stands in nobody's way; the log names it."""
    count = 0
    for part in batched(products, BULK):
        answers = bulk(
            client, [line for product in part for line in action(alias, product)], refresh=refresh
        )
        for product, answer in zip(part, answers, strict=True):
            try:
                count += raise_for_status(answer)
            except EffectRefused as refusal:
                logger.error(
                    "document refused",
                    extra={"product_id": product.product_id, "fault": str(refusal)},
                )
    return count


@contextmanager
def calling() -> Iterator[None]:
    """Turn a fault of a whole request into what it means."""
    try:
        yield
    except exceptions.ConnectionError as fault:
        raise DependencyUnavailable(ENGINE) from fault
    except exceptions.TransportError as fault:
        if fault.status_code in UNAVAILABLE:
            raise DependencyUnavailable(ENGINE) from fault
        raise EffectRefused(f"OpenSearch refused: {fault.error} {fault.info}") from fault
