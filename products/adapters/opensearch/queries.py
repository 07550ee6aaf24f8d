"""Searches in OpenSearch's query language."""

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
ID_BOOST = 20


def search_body(listing: ListQuery, limit: int) -> dict[str, Any]:
    """Return the body of a search for ``limit`` product ids.

    The id decides between equals. Without it, OpenSearch would return equal scores in the order of
    its segments, and the pages of a search could overlap after a merge.
    """
    return {"query": _query(listing), "size": limit, "_source": False, "sort": _order(listing)}


def _order(listing: ListQuery) -> list[Any]:
    if listing.by_relevance:
        return ["_score", {"productId": "asc"}]
    direction = "desc" if listing.descending else "asc"
    field = "price" if listing.by_price else "createdAt"
    return [{field: direction}, {"productId": direction}]


def _query(listing: ListQuery) -> dict[str, Any]:
    """Return the query: the text may be in any of the ways below, and all filters apply.

    The name counts more than the description, and this more than the features. Typing errors
    and beginnings of words are found; an id, or the beginning of one, comes first.
    """
    text = listing.text or ""
    words = {"query": text, "fields": WEIGHTED_FIELDS, "operator": "and"}
    product_id = {"productId": {"value": text, "boost": ID_BOOST, "case_insensitive": True}}
    return {
        "bool": {
            "should": [
                {"multi_match": {**words, "fuzziness": "AUTO"}},
                {"multi_match": {**words, "type": "cross_fields"}},
                {"prefix": product_id},
                {"term": product_id},
            ],
            "minimum_should_match": 1,
            "filter": _filters(listing),
        }
    }


def _filters(listing: ListQuery) -> list[dict[str, Any]]:
    terms = {
        "active": listing.active,
        "currency": listing.currency,
        "billingCycle": listing.billing_cycle,
    }
    filters: list[dict[str, Any]] = [
        {"term": {name: value}} for name, value in terms.items() if value is not None
    ]
    limits = {"gte": listing.min_price, "lte": listing.max_price}
    price = {bound: str(amount) for bound, amount in limits.items() if amount is not None}
    if price:
        filters.append({"range": {"price": price}})
    return filters
