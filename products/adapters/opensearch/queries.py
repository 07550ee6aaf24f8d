"""Searches in OpenSearch's query language."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from products.lists import ListQuery

WEIGHTED_FIELDS = [
    "name^6",
    "name.prefix^3",
    "description^2",
    "description.prefix",
    "features",
    "features.prefix^0.5",
]
ID = "productId"
ID_BOOST = 20
ONE_WORD = re.compile(r"\w*")
"""A text whose words can't be in different fields; to look for that doubles a search's time."""


def search_bodies(listing: ListQuery, limit: int) -> Iterator[dict[str, Any]]:
    """Yield the bodies of two searches for product ids; the second one tolerates typing errors.

    It is for a search that finds nothing: on a large catalogue it needs ten times the CPU time.
    """
    yield _body(listing, limit, {})
    yield _body(listing, limit, {"fuzziness": "AUTO"})


def count_queries(listing: ListQuery) -> Iterator[dict[str, Any]]:
    """Yield the queries whose matches are counted, the one that tolerates typing errors last."""
    if not listing.text:
        yield {"bool": {"filter": _filters(listing)}}
        return
    yield _query(listing, {})
    yield _query(listing, {"fuzziness": "AUTO"})


def ids_in(response: Mapping[str, Any]) -> list[str]:
    """Return the product ids in the response to such a search.

    The id decides between equal scores. OpenSearch would return them in the order of its segments,
    and the pages of a search could overlap after a merge. Its own sort by two keys doubles the time
    of a broad search.
    """
    hits = response["hits"]["hits"]
    ids = [(-(hit["_score"] or 0), hit["fields"][ID][0]) for hit in hits]
    is_scored = any(score for score, _ in ids)
    return [product_id for _, product_id in (sorted(ids) if is_scored else ids)]


def _body(listing: ListQuery, limit: int, tolerance: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "query": _query(listing, tolerance),
        "size": limit,
        # The ids come from a column: else OpenSearch decompresses each document for its id.
        "stored_fields": "_none_",
        "docvalue_fields": [ID],
        # With a total, OpenSearch visits every match, and not only the best ones.
        "track_total_hits": False,
    }
    if not listing.by_relevance:
        direction = "desc" if listing.descending else "asc"
        body["sort"] = [{str(listing.sort): direction}, {ID: direction}]
    return body


def _query(listing: ListQuery, tolerance: dict[str, Any]) -> dict[str, Any]:
    """Return the query: the text may be in any of the ways below, and all filters apply.

    The name counts more than the description, and this more than the features. Beginnings of
    words are found; an id, or the beginning of one, comes first.
    """
    text = listing.text or ""
    words = {"query": text, "fields": WEIGHTED_FIELDS, "operator": "and"}
    product_id = {ID: {"value": text, "boost": ID_BOOST, "case_insensitive": True}}
    ways: list[dict[str, Any]] = [
        {"multi_match": {**words, **tolerance}},
        {"prefix": product_id},
        {"term": product_id},
    ]
    if not ONE_WORD.fullmatch(text):
        ways.append({"multi_match": {**words, "type": "cross_fields"}})
    return {
        "bool": {"should": ways, "minimum_should_match": 1, "filter": _filters(listing)},
    }


def _filters(listing: ListQuery) -> list[dict[str, Any]]:
    terms = {
        "active": listing.active,
        "currency": listing.currency,
        "billingCycle": listing.billing_cycle,
        "updatedBy": listing.updated_by,
    }
    filters: list[dict[str, Any]] = [
        {"term": {name: value}} for name, value in terms.items() if value is not None
    ]
    limits = {"gte": listing.min_price, "lte": listing.max_price}
    price = {bound: str(amount) for bound, amount in limits.items() if amount is not None}
    if price:
        filters.append({"range": {"price": price}})
    return filters
