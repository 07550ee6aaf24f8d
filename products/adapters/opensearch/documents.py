"""What all writers of the search index share: the mapping, bulk requests and errors."""

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

DEPENDENCY = "OpenSearch"
BULK_SIZE = 500  # documents in one request
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
REFUSALS_OF_A_DOCUMENT = {
    "document_parsing_exception",
    "mapper_parsing_exception",
    "max_bytes_length_exceeded_exception",
    "strict_dynamic_mapping_exception",
}
"""The errors that name a document; it is refused again until the mapping or the product changes.

All others are about the index, the cluster or our rights: a write block, a closed or missing index,
a full queue. They pass, or an operator ends them.
"""
VERSION_CONFLICT = 409  # the index has this version or a later one


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
    document = json.loads(json.dumps(to_document(product), default=str))
    return [{"index": target}, document]


def send_bulk(
    client: OpenSearch, lines: list[dict[str, Any]], *, refresh: bool
) -> list[dict[str, Any]]:
    """Send a bulk request; return the result of each action, in order."""
    parameters = {"refresh": "true"} if refresh else {}
    with translate_errors():
        response = client.bulk(body=lines, params=parameters)
    return [next(iter(item.values())) for item in response["items"]]


def raise_for_status(result: dict[str, Any]) -> bool:
    """Whether the document is new: the index had neither this version nor a later one.

    Raises: DependencyUnavailable, or EffectRefused when OpenSearch refuses the document.
    """
    status = result["status"]
    if status == VERSION_CONFLICT:
        return False
    if status >= 400:
        raise _fault_of(result["error"])
    return True


def _fault_of(error: Any) -> DependencyUnavailable | EffectRefused:
    """Return the fault that OpenSearch reports for an action or a request."""
    if not isinstance(error, dict):
        return DependencyUnavailable(DEPENDENCY, f"does not serve us: {error}")
    causes = {error.get("type"), error.get("caused_by", {}).get("type")}
    if causes & REFUSALS_OF_A_DOCUMENT:
        return EffectRefused(f"OpenSearch refused the document: {error}")
    reason = f"{error.get('type')}: {error.get('reason')}"
    return DependencyUnavailable(DEPENDENCY, f"does not serve us: {reason}")


def index_products(
    client: OpenSearch, alias: str, products: Iterable[Product], *, refresh: bool
) -> int:
    """Index products in bulk; return how many documents are new.

    A refused document is logged, and the others are indexed.
    """
    count = 0
    for batch in batched(products, BULK_SIZE):
        lines = [line for product in batch for line in bulk_action(alias, product)]
        results = send_bulk(client, lines, refresh=refresh)
        for product, result in zip(batch, results, strict=True):
            try:
                count += raise_for_status(result)
            except EffectRefused as refusal:
                facts = {"product_id": product.product_id, "fault": str(refusal)}
                logger.error("document refused", extra=facts)
    return count


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise DependencyUnavailable for a failed request, or EffectRefused for a refused document."""
    try:
        yield
    except exceptions.ConnectionError as fault:
        raise DependencyUnavailable(DEPENDENCY) from fault
    except exceptions.TransportError as fault:
        info = fault.info if isinstance(fault.info, dict) else {}
        raise _fault_of(info.get("error", fault.error)) from fault
