"""The search index, and the twin that stands in when there is none."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from opensearchpy import OpenSearch, exceptions, helpers

from products.changes import EffectRefused, EngineAway
from products.listing import Listing
from products.product import Product, to_document

ENGINE = "OpenSearch"
TEXT = {"type": "text", "fields": {"prefix": {"type": "text", "analyzer": "prefix", "search_analyzer": "standard"}}}
INDEX_BODY = {
    "settings": {
        "number_of_shards": 1,
        "analysis": {
            "analyzer": {"prefix": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "prefix"]}},
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
FIELDS = ["name^6", "name.prefix^3", "description^2", "description.prefix", "features", "features.prefix^0.5"]
AWAY = {429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class OpenSearchIndex:
    """One index behind an alias. The product's version is the document's, so a late write can't undo a newer one."""

    client: OpenSearch
    alias: str

    def ensure(self) -> None:
        """Make the index and its alias unless they are there."""
        if not self.client.indices.exists_alias(name=self.alias):
            self.client.indices.create(index=f"{self.alias}-1", body=INDEX_BODY | {"aliases": {self.alias: {}}})

    def put(self, product: Product) -> None:
        # The refresh makes "searchable" on the receipt mean what it says; writes here are rare enough to afford it.
        try:
            self.client.index(
                index=self.alias,
                id=product.product_id,
                body=json.dumps(to_document(product), default=str),
                params={
                    "version": product.version,
                    "version_type": "external",
                    "refresh": "true",
                    "require_alias": "true",
                },
            )
        except exceptions.ConflictError:
            return  # this version or a later one is indexed already
        except (exceptions.ConnectionError, exceptions.TransportError) as fault:
            raise _translated(fault) from fault

    def put_all(self, products: Iterable[Product]) -> int:
        """Index many at once, e.g. to rebuild; returns how many were new to the index."""
        actions = (
            {
                "_index": self.alias,
                "_id": product.product_id,
                "_source": json.loads(json.dumps(to_document(product), default=str)),
                "version": product.version,
                "version_type": "external",
            }
            for product in products
        )
        answers = helpers.streaming_bulk(self.client, actions, raise_on_error=False, refresh="true")
        return sum(1 for done, _ in answers if done)

    def search(self, listing: Listing, most: int) -> list[str]:
        body: dict[str, Any] = {"query": _query(listing), "size": most, "_source": False}
        if not listing.by_relevance:
            order = "desc" if listing.descending else "asc"
            body["sort"] = [{"price" if listing.by_price else "createdAt": order}, {"productId": order}]
        try:
            found = self.client.search(index=self.alias, body=body)
        except (exceptions.ConnectionError, exceptions.TransportError) as fault:
            raise EngineAway(ENGINE) from fault
        return [hit["_id"] for hit in found["hits"]["hits"]]

    def check(self) -> None:
        """EngineAway when the index can't be reached."""
        try:
            self.client.indices.get_alias(name=self.alias)
        except (exceptions.ConnectionError, exceptions.TransportError) as fault:
            raise EngineAway(ENGINE) from fault


@dataclass(frozen=True, slots=True)
class NoIndex:
    """Stands in where ENABLE_OPENSEARCH is off: searches fall back to the table, nothing is ever indexed."""

    def put(self, product: Product) -> None:
        raise EngineAway(ENGINE)

    def search(self, listing: Listing, most: int) -> list[str]:
        raise EngineAway(ENGINE)


def _query(listing: Listing) -> dict[str, Any]:
    """Name before description before features; slips of the finger, beginnings of words and of an id; the id itself."""
    text = listing.text or ""
    match = {"multi_match": {"query": text, "fields": FIELDS, "fuzziness": "AUTO", "operator": "and"}}
    loose = {"multi_match": {"query": text, "fields": FIELDS, "type": "cross_fields", "operator": "and"}}
    begun = {"prefix": {"productId": {"value": text, "boost": 20, "case_insensitive": True}}}
    exact = {"term": {"productId": {"value": text, "boost": 20, "case_insensitive": True}}}
    terms = {"active": listing.active, "currency": listing.currency, "billingCycle": listing.billing_cycle}
    bounds = {"gte": listing.min_price, "lte": listing.max_price}
    price = {bound: str(amount) for bound, amount in bounds.items() if amount is not None}
    filters: list[dict[str, Any]] = [{"term": {name: value}} for name, value in terms.items() if value is not None]
    filters += [{"range": {"price": price}}] if price else []
    return {"bool": {"should": [match, loose, begun, exact], "minimum_should_match": 1, "filter": filters}}


def _translated(fault: exceptions.TransportError) -> Exception:
    if isinstance(fault, exceptions.ConnectionError) or fault.status_code in AWAY:
        return EngineAway(ENGINE)
    # A missing index is somebody's mistake that may be mended at any time; a refused document stays refused.
    if isinstance(fault, exceptions.NotFoundError):
        return EngineAway(ENGINE)
    return EffectRefused(f"OpenSearch refused the document: {fault.error} {fault.info}")


def connect(url: str) -> OpenSearch:
    """A client whose calls end within about 5 seconds; sleeping and retrying is the queue's business."""
    return OpenSearch(url, timeout=5, max_retries=0, retry_on_timeout=False)
