"""The search index, and the twin that stands in when there is none."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth, exceptions

from products.adapters.opensearch.documents import (
    ENGINE,
    INDEX_BODY,
    action,
    bulk,
    calling,
    fill,
    next_alias,
    raise_for_status,
)
from products.documents import format_timestamp
from products.errors import DependencyUnavailable
from products.lists import ListQuery
from products.product import Product
from products.reconciliation.differences import Observed

FIELDS = [
    "name^6",
    "name.prefix^3",
    "description^2",
    "description.prefix",
    "features",
    "features.prefix^0.5",
]
PAGE = 1000
NOT_THERE = 404


@dataclass(frozen=True, slots=True)
class OpenSearchIndex:
    """One index behind an alias. The product's version is the document's, so a late write can't undo a newer one."""

    client: OpenSearch
    alias: str

    def ensure(self) -> None:
        """Make the index and its alias unless they are there."""
        if not self.client.indices.exists_alias(name=self.alias):
            self.client.indices.create(
                index=f"{self.alias}-1", body=INDEX_BODY | {"aliases": {self.alias: {}}}
            )

    def put(self, product: Product) -> None:
        """In one request into the index and, while another is built to take its place, into that one as well. Both
        names are looked up at once, so the document is where searches go, whenever one takes the other's place."""
        # The refresh makes "searchable" on the receipt mean what it says; writes here are rare enough to afford it.
        both = [*action(next_alias(self.alias), product), *action(self.alias, product)]
        building, standing = bulk(self.client, both, refresh=True)
        if building["status"] != NOT_THERE:
            raise_for_status(building)
        raise_for_status(standing)

    def put_all(self, products: Iterable[Product]) -> int:
        """Index many at once, e.g. into an empty index; returns how many were new to it."""
        return fill(self.client, self.alias, products, refresh=True)

    # What is there, and mending it

    def documents(self, product_ids: Sequence[str]) -> dict[str, Observed]:
        """At once, whether searches find them yet or not."""
        with calling():
            found = self.client.mget(index=self.alias, body={"ids": list(product_ids)})["docs"]
        if any("error" in document for document in found):
            raise DependencyUnavailable(ENGINE)
        return {d["_id"]: Observed(d["_version"], d["_source"]) for d in found if d["found"]}

    def ids_after(self, after: str | None, since: datetime | None) -> Iterator[str]:
        query: dict[str, Any] = (
            {"range": {"updatedAt": {"gte": format_timestamp(since)}}}
            if since
            else {"match_all": {}}
        )
        body: dict[str, Any] = {
            "query": query,
            "size": PAGE,
            "_source": False,
            "sort": [{"productId": "asc"}],
        }
        while True:
            with calling():
                hits = self.client.search(
                    index=self.alias, body=body | ({"search_after": [after]} if after else {})
                )
            yield from (hit["_id"] for hit in hits["hits"]["hits"])
            if len(hits["hits"]["hits"]) < PAGE:
                return
            after = hits["hits"]["hits"][-1]["sort"][0]

    def overwrite(self, product: Product) -> bool:
        """Index the product also over a document of the same version; False when a later one is there."""
        (answer,) = bulk(
            self.client, action(self.alias, product, version_type="external_gte"), refresh=True
        )
        return raise_for_status(answer)

    def remove(self, product_id: str) -> None:
        """Take away a document of no product."""
        with calling():
            self.client.delete(
                index=self.alias, id=product_id, params={"refresh": "true"}, ignore=[404]
            )

    def search(self, listing: ListQuery, limit: int) -> list[str]:
        body: dict[str, Any] = {"query": _query(listing), "size": limit, "_source": False}
        if not listing.by_relevance:
            order = "desc" if listing.descending else "asc"
            body["sort"] = [
                {"price" if listing.by_price else "createdAt": order},
                {"productId": order},
            ]
        try:
            found = self.client.search(index=self.alias, body=body)
        except (exceptions.ConnectionError, exceptions.TransportError) as fault:
            raise DependencyUnavailable(ENGINE) from fault
        return [hit["_id"] for hit in found["hits"]["hits"]]

    def ping(self) -> None:
        """EngineAway when the index can't be reached."""
        try:
            self.client.indices.get_alias(name=self.alias)
        except (exceptions.ConnectionError, exceptions.TransportError) as fault:
            raise DependencyUnavailable(ENGINE) from fault


@dataclass(frozen=True, slots=True)
class NoIndex:
    """Stands in where ENABLE_OPENSEARCH is off: searches fall back to the table, nothing is ever indexed."""

    def put(self, product: Product) -> None:
        raise DependencyUnavailable(ENGINE)

    def search(self, listing: ListQuery, limit: int) -> list[str]:
        raise DependencyUnavailable(ENGINE)


def _query(listing: ListQuery) -> dict[str, Any]:
    """Name before description before features; slips of the finger, beginnings of words and of an id; the id itself."""
    text = listing.text or ""
    match = {
        "multi_match": {"query": text, "fields": FIELDS, "fuzziness": "AUTO", "operator": "and"}
    }
    loose = {
        "multi_match": {"query": text, "fields": FIELDS, "type": "cross_fields", "operator": "and"}
    }
    begun = {"prefix": {"productId": {"value": text, "boost": 20, "case_insensitive": True}}}
    exact = {"term": {"productId": {"value": text, "boost": 20, "case_insensitive": True}}}
    terms = {
        "active": listing.active,
        "currency": listing.currency,
        "billingCycle": listing.billing_cycle,
    }
    bounds = {"gte": listing.min_price, "lte": listing.max_price}
    price = {bound: str(amount) for bound, amount in bounds.items() if amount is not None}
    filters: list[dict[str, Any]] = [
        {"term": {name: value}} for name, value in terms.items() if value is not None
    ]
    filters += [{"range": {"price": price}}] if price else []
    return {
        "bool": {
            "should": [match, loose, begun, exact],
            "minimum_should_match": 1,
            "filter": filters,
        }
    }


def connect(url: str) -> OpenSearch:
    """A client whose calls end within about 5 seconds; sleeping and retrying is the queue's business."""
    return OpenSearch(
        url, timeout=5, max_retries=0, retry_on_timeout=False, http_auth=_signature(url)
    )


def _signature(url: str) -> Urllib3AWSV4SignerAuth | None:
    """A domain of Amazon's own, which its address tells, takes requests only that are signed by one of our roles."""
    domain = re.fullmatch(r".+\.([a-z0-9-]+)\.es\.amazonaws\.com", urlsplit(url).hostname or "")
    return (
        Urllib3AWSV4SignerAuth(botocore.session.get_session().get_credentials(), domain[1])
        if domain
        else None
    )
