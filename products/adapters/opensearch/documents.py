"""What all writers of the search index share: the mapping and bulk requests."""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

from opensearchpy import OpenSearch

from products.adapters.opensearch.faults import is_replaced, raise_for_status, translate_errors
from products.adapters.opensearch.retries import Retries, no_check
from products.errors import DependencyUnavailable, EffectRefused
from products.parallel import MapFunction
from products.product import Product
from products.search.document import to_search_document

logger = logging.getLogger(__name__)

BULK_SIZE = 500  # documents in one request
NOT_SEARCHED = {"type": "text", "index": False}
WORDS = {"type": "text", "analyzer": "whitespace", "norms": False, "index_options": "docs"}
STARTS = {**WORDS, "analyzer": "starts", "search_analyzer": "whitespace"}
INDEX_BODY: dict[str, Any] = {
    "settings": {
        "number_of_shards": 1,
        "analysis": {
            "analyzer": {
                "starts": {"type": "custom", "tokenizer": "whitespace", "filter": ["starts"]}
            },
            "filter": {"starts": {"type": "edge_ngram", "min_gram": 1, "max_gram": 20}},
        },
    },
    "mappings": {
        "dynamic": "strict",
        "properties": {
            "productId": {"type": "keyword"},
            "name": NOT_SEARCHED,
            "description": NOT_SEARCHED,
            "features": NOT_SEARCHED,
            "words": {
                "properties": {
                    "key": {"type": "keyword"},
                    "nameLength": {"type": "keyword"},
                    "name": WORDS,
                    "description": WORDS,
                    "features": WORDS,
                    "facts": WORDS,
                    "nameStarts": STARTS,
                    "starts": STARTS,
                }
            },
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


def lacks_fields(client: OpenSearch, alias: str) -> bool:
    """Whether the index has no place for the words of this version of the product."""
    expected = INDEX_BODY["mappings"]["properties"]["words"]["properties"].keys()
    with translate_errors():
        found = client.indices.get_mapping(index=alias)
    fields = [index["mappings"].get("properties", {}) for index in found.values()]
    return any(expected - one.get("words", {}).get("properties", {}).keys() for one in fields)


def next_alias(alias: str) -> str:
    """Return the alias of the index that a rebuild fills; writers write to it as well."""
    return f"{alias}-next"


def bulk_action(
    alias: str, product: Product, *, version_type: str = "external"
) -> list[dict[str, Any]]:
    """Return the two lines of a bulk request that index a product.

    The document has the product's version, so an overdue write can't undo a newer one.
    """
    target = {
        "_index": alias,
        "_id": product.product_id,
        "version": product.version,
        "version_type": version_type,
        "require_alias": True,
    }
    document = json.loads(json.dumps(to_search_document(product), default=str))
    return [{"index": target}, document]


def send_bulk(
    client: OpenSearch, lines: list[dict[str, Any]], *, refresh: bool
) -> list[dict[str, Any]]:
    """Send a bulk request; return the result of each action, in order.

    OpenSearch resolves the aliases first. If a rebuild deletes an index before the write to it, the
    request is sent again, and finds the new index. What has succeeded is then a conflict.
    """
    parameters = {"refresh": "true"} if refresh else {}
    results = _send(client, lines, parameters)
    if any(is_replaced(result) for result in results):
        results = _send(client, lines, parameters)
    return results


def _send(
    client: OpenSearch, lines: list[dict[str, Any]], parameters: dict[str, str]
) -> list[dict[str, Any]]:
    with translate_errors():
        response = client.bulk(body=lines, params=parameters)
    return [next(iter(item.values())) for item in response["items"]]


@dataclass
class _Batch:
    """Products of one bulk request; ``waiting`` are those that OpenSearch has not answered for."""

    client: OpenSearch
    alias: str
    waiting: list[Product]
    refresh: bool
    new_count: int = 0

    def send(self) -> None:
        """Index the waiting products. A refused document is logged.

        Raises: DependencyUnavailable when some of them must be sent again.
        """
        lines = [line for product in self.waiting for line in bulk_action(self.alias, product)]
        results = send_bulk(self.client, lines, refresh=self.refresh)
        unavailable: list[tuple[Product, DependencyUnavailable]] = []
        for product, result in zip(self.waiting, results, strict=True):
            try:
                self.new_count += raise_for_status(result)
            except EffectRefused as refusal:
                facts = {"product_id": product.product_id, "fault": str(refusal)}
                logger.error("document refused", extra=facts)
            except DependencyUnavailable as fault:
                unavailable.append((product, fault))
        self.waiting = [product for product, _ in unavailable]
        if unavailable:
            raise unavailable[0][1]


def index_products(
    client: OpenSearch,
    alias: str,
    products: Iterable[Product],
    retries: Retries,
    *,
    refresh: bool,
    check: Callable[[], bool] = no_check,
    map_function: MapFunction = map,
) -> int:
    """Index products in bulk; return how many documents are new.

    A refused document is logged, and the others are indexed. What OpenSearch can't take now is
    sent again; see ``Retries`` for ``check``. ``map_function`` may send several requests at a time.
    """

    def index(some: Sequence[Product]) -> int:
        batch = _Batch(client, alias, list(some), refresh)
        retries.run(batch.send, check)
        return batch.new_count

    return sum(map_function(index, batched(products, BULK_SIZE)))
