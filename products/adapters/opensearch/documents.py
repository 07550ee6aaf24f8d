"""What all writers of the search index share: the mapping and bulk requests."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

from opensearchpy import OpenSearch

from products.adapters.opensearch.faults import is_replaced, raise_for_status, translate_errors
from products.errors import DependencyUnavailable, EffectRefused
from products.parallel import MapFunction
from products.product import Product
from products.retries import Retries, no_check
from products.search.document import to_search_document

logger = logging.getLogger(__name__)

BULK_SIZE = 500  # documents in one request
MAX_BULK_BYTES = 5_000_000  # of documents in one request; small instances on Amazon take 10 MiB
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


def bulk_action(alias: str, product: Product, *, version_type: str = "external") -> list[str]:
    """Return the two lines of a bulk request that index a product.

    The document has the product's version, so an overdue write can't undo a newer one.
    """
    return bulk_actions([alias], product, version_type=version_type)


def bulk_actions(
    aliases: Sequence[str], product: Product, *, version_type: str = "external"
) -> list[str]:
    """Return the lines that index a product behind each alias."""
    document = _to_json(to_search_document(product))
    lines = []
    for alias in aliases:
        target = {
            "_index": alias,
            "_id": product.product_id,
            "version": product.version,
            "version_type": version_type,
            "require_alias": True,
        }
        lines += [_to_json({"index": target}), document]
    return lines


def _to_json(content: dict[str, Any]) -> str:
    """Return the content on one line; amounts are texts."""
    return json.dumps(content, default=str, ensure_ascii=False)


def send_bulk(client: OpenSearch, lines: Sequence[str], *, refresh: bool) -> list[dict[str, Any]]:
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
    client: OpenSearch, lines: Sequence[str], parameters: dict[str, str]
) -> list[dict[str, Any]]:
    with translate_errors():
        response = client.bulk(body=lines, params=parameters)
    return [next(iter(item.values())) for item in response["items"]]


@dataclass(frozen=True, slots=True)
class _Write:
    """The lines of a bulk request that index one product."""

    product_id: str
    lines: list[str]

    @property
    def size(self) -> int:
        return sum(len(line.encode(errors="surrogatepass")) for line in self.lines)


@dataclass
class _Batch:
    """Writes of one bulk request; ``waiting`` are those that OpenSearch has not answered for."""

    client: OpenSearch
    waiting: list[_Write]
    refresh: bool
    new_count: int = 0

    def send(self) -> None:
        """Index the waiting products. A refused document is logged.

        Raises: DependencyUnavailable when some of them must be sent again.
        """
        lines = [line for write in self.waiting for line in write.lines]
        results = send_bulk(self.client, lines, refresh=self.refresh)
        unavailable: list[tuple[_Write, DependencyUnavailable]] = []
        for write, result in zip(self.waiting, results, strict=True):
            try:
                self.new_count += raise_for_status(result)
            except EffectRefused as refusal:
                facts = {"product_id": write.product_id, "fault": str(refusal)}
                logger.error("document refused", extra=facts)
            except DependencyUnavailable as fault:
                unavailable.append((write, fault))
        self.waiting = [write for write, _ in unavailable]
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
        new_count = 0
        for writes in _requests(alias, some):
            batch = _Batch(client, writes, refresh)
            retries.run(batch.send, check)
            new_count += batch.new_count
        return new_count

    return sum(map_function(index, batched(products, BULK_SIZE)))


def _requests(alias: str, products: Iterable[Product]) -> Iterator[list[_Write]]:
    """Yield the writes of each request: as many as fit, or one that is too large alone."""
    writes: list[_Write] = []
    size = 0
    for product in products:
        write = _Write(product.product_id, bulk_action(alias, product))
        if writes and size + write.size > MAX_BULK_BYTES:
            yield writes
            writes, size = [], 0
        writes.append(write)
        size += write.size
    if writes:
        yield writes
