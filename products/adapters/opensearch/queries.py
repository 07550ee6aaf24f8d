"""Searches in OpenSearch's query language.

All scores are constants: a product's score is the sum of the weights of the places where the words
are. So the order depends on no statistics of the index, and every engine returns the same one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from products.lists import ListQuery
from products.search.passes import Pass, later_passes
from products.search.synonyms import Phrase, Synonyms
from products.search.terms import Term, is_typed_as_one, terms_of
from products.search.words import stem

ID = "productId"
KEY, LENGTH = "words.key", "words.nameLength"
NAME, NAME_STARTS, STARTS = "words.name", "words.nameStarts", "words.starts"
WEIGHTS = {NAME: 8.0, "words.facts": 3.0, "words.description": 2.0, "words.features": 1.5}
"""The weight of a word by its place.

All weights are multiples of 1/16, so that sums are exact and equal scores are equal.
"""
SYNONYM_WEIGHTS = {
    NAME: 1.375,
    "words.facts": 0.875,
    "words.description": 0.75,
    "words.features": 0.6875,
}
QUANTITY_WEIGHTS = {
    NAME: 1.0,
    "words.facts": 1.0,
    "words.description": 0.625,
    "words.features": 0.5,
}
MISTYPED_WEIGHTS = {NAME: 4.0, "words.description": 0.75, "words.features": 0.625}
SPLIT_WEIGHT = 1.0
MIN_PART_LENGTH = 3  # of a word that may be two
START_WEIGHTS = {NAME_STARTS: 4.0, STARTS: 0.5}
SHORT_START_WEIGHTS = {NAME_STARTS: 0.375, STARTS: 0.1875}
MIN_START_LENGTH = 3
"""A shorter beginning says little. A whole word of its length comes first."""
SHORT_NAME_WEIGHTS = {"1": 0.375, "2": 0.25, "3": 0.1875, "4": 0.125}
"""The weight of a name by its number of words."""
NEIGHBOURS_WEIGHT = 1.5  # for each two words that are next to each other in the product too
ATTACHED_WEIGHT = 8.0  # if they were typed as one, such as "s3"
NAME_BEGINS_WEIGHT = 3.0
SHORT_BEGINNING_WEIGHT = 0.3125
WHOLE_NAME_WEIGHT = 20.0
ID_WEIGHT = 40.0
FULL_MATCH_WEIGHT = 1024.0  # more than the words of one search add up to
MIN_WIDENED = 2  # required words; of one word there is no part
MATCH_ALL: dict[str, Any] = {"match_all": {}}
Query = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Search:
    """A query, and the wider one that goes on where its matches fill no page."""

    query: Query
    wider: Query | None = None


CountMatches = Callable[[list[Query]], list[int]]
"""Returns how many products match each query."""


def search_queries(listing: ListQuery, synonyms: Synonyms, count: CountMatches) -> Iterator[Search]:
    """Yield up to six searches; the first with matches counts.

    Without a text, only the filters apply.

    The first one requires all words. The others are for a search that it does not answer: ``count``
    returns how many products have each word, and all. They tolerate typing errors in words that no
    product has, and then require the other words, half of all words, and one word. In these, a
    rare word counts more than a common one.
    """
    text, filters = listing.text, _filters(listing)
    if not text:
        yield Search({"bool": {"filter": filters}})
        return
    terms = terms_of(text, synonyms)
    yield _strict_search(listing, text, terms)
    if terms:
        *counts, total = count([_clause(term, tolerant=False) for term in terms] + [MATCH_ALL])
        for one in later_passes(terms, counts, total):
            yield Search(_query(text, [_by_words(terms, one)], filters))


def _strict_search(listing: ListQuery, text: str, terms: Sequence[Term]) -> Search:
    """Return the search for all words, which goes on with most of them.

    Products with all words keep their scores, above all others.
    """
    filters = _filters(listing)
    if not terms:
        return Search(_query(text, [], filters))
    one = Pass.strict(terms)
    strict = _query(text, [_by_words(terms, one)], filters)
    is_wide = one.required >= MIN_WIDENED and not is_typed_as_one(text)
    if not (is_wide and listing.by_relevance):
        return Search(strict)
    full = {"bool": {"must": [strict], "should": [_constant(MATCH_ALL, FULL_MATCH_WEIGHT)]}}
    most = _query(text, [_by_words(terms, one.widened())], filters)
    return Search(strict, {"dis_max": {"queries": [full, most]}})


def count_body(queries: Sequence[Query]) -> Query:
    """Return the body of a search that only counts the matches of each query."""
    named = {str(number): query for number, query in enumerate(queries)}
    return {"size": 0, "aggs": {"words": {"filters": {"filters": named}}}}


def counts_in(response: Mapping[str, Any]) -> list[int]:
    """Return the counts of such a search, in the order of its queries."""
    buckets = response["aggregations"]["words"]["buckets"]
    return [buckets[str(number)]["doc_count"] for number in range(len(buckets))]


def besides(query: Query, ids: Sequence[str]) -> Query:
    """Return the query without the products that have these IDs."""
    return {"bool": {"must": [query], "must_not": [{"terms": {ID: list(ids)}}]}}


def ids_in(response: Mapping[str, Any]) -> list[str]:
    """Return the product ids in the response to such a search.

    The id decides between equal scores. OpenSearch would return them in the order of its segments,
    which a merge changes. Its own sort by two keys visits every match of a broad search.
    """
    hits = response["hits"]["hits"]
    ids = [(-(hit["_score"] or 0), hit["fields"][ID][0]) for hit in hits]
    is_scored = any(score for score, _ in ids)
    return [product_id for _, product_id in (sorted(ids) if is_scored else ids)]


def search_body(listing: ListQuery, limit: int, query: Query) -> Query:
    """Return the body of a search for product ids."""
    body: Query = {
        "query": query,
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


def _query(text: str, ways: Sequence[Query], filters: Sequence[Query]) -> Query:
    """Return the query: by the id or its beginning, or by the words; and all filters apply."""
    product_id = {"value": text, "case_insensitive": True}
    by_id: list[Query] = [
        {"term": {ID: product_id | {"boost": ID_WEIGHT}}},
        {"prefix": {ID: product_id | {"boost": ID_WEIGHT / 2}}},
    ]
    return {"bool": {"should": [*by_id, *ways], "minimum_should_match": 1, "filter": filters}}


def _by_words(terms: Sequence[Term], one: Pass) -> Query:
    """Return the query for the words: so many of them are required, and the others count."""
    clauses = [
        {"bool": {"must": [_clause(term, tolerant=place in one.tolerant)], "boost": boost}}
        for place, (term, boost) in enumerate(zip(terms, one.boosts, strict=True))
    ]
    needed = [clauses[place] for place in sorted(one.needed)]
    bonuses = [clause for place, clause in enumerate(clauses) if place not in one.needed]
    bonuses += [*_name_bonuses(terms), *_neighbour_bonuses(terms)]
    if one.required == len(needed):
        return {"bool": {"must": needed, "should": bonuses}}
    words = {"bool": {"should": needed, "minimum_should_match": one.required}}
    return {"bool": {"must": [words], "should": bonuses}}


def _name_bonuses(terms: Sequence[Term]) -> Iterator[Query]:
    """Yield the weights of a name that is or begins with the text, and of a short name."""
    key = " ".join(term.word.text for term in terms)
    begins = NAME_BEGINS_WEIGHT if len(key) >= MIN_START_LENGTH else SHORT_BEGINNING_WEIGHT
    yield _constant({"term": {KEY: key}}, WHOLE_NAME_WEIGHT)
    yield _constant({"prefix": {KEY: key}}, begins)
    for count, weight in SHORT_NAME_WEIGHTS.items():
        yield _constant({"term": {LENGTH: count}}, weight)


def _neighbour_bonuses(terms: Sequence[Term]) -> Iterator[Query]:
    """Yield the weights of words that are next to each other in the product too."""
    attached = {pair for term in terms for pair in term.attached}
    for pair in dict.fromkeys(pair for term in terms for pair in term.pairs):
        weight = ATTACHED_WEIGHT if pair in attached else NEIGHBOURS_WEIGHT
        for field in WEIGHTS:
            yield _constant({"term": {field: pair}}, weight)


def _clause(term: Term, *, tolerant: bool) -> Query:
    """Return the query for one word: the best of the places where it may be."""
    weights = QUANTITY_WEIGHTS if term.is_quantity else WEIGHTS
    is_short = len(term.word.text) < MIN_START_LENGTH
    starts = SHORT_START_WEIGHTS if is_short else START_WEIGHTS
    places = [_constant({"term": {f: term.word.stem}}, w) for f, w in weights.items()]
    if not term.is_quantity:
        places += [_constant({"term": {f: term.word.text}}, w) for f, w in starts.items()]
    if term.pairs:
        pairs = list(term.pairs)
        joined = WEIGHTS | START_WEIGHTS
        places += [_constant({"terms": {f: pairs}}, w) for f, w in joined.items()]
    places += [
        _constant(_phrase(f, phrase), w)
        for phrase in term.synonyms
        for f, w in SYNONYM_WEIGHTS.items()
    ]
    if tolerant and term.may_be_mistyped:
        places += [_constant(query, SPLIT_WEIGHT) for query in _split_words(term.word.text)]
        places += [_constant(_similar(f, term), w) for f, w in MISTYPED_WEIGHTS.items()]
    return {"dis_max": {"queries": places}}


def _split_words(text: str) -> Iterator[Query]:
    """Yield the queries for two words that may have been typed as one: "pagebuilder"."""
    for place in range(MIN_PART_LENGTH, len(text) - MIN_PART_LENGTH + 1):
        parts = text[:place], text[place:]
        yield {"bool": {"filter": [_anywhere(stem(part)) for part in parts]}}


def _anywhere(token: str) -> Query:
    fields = [{"term": {field: token}} for field in MISTYPED_WEIGHTS]
    return {"bool": {"should": fields, "minimum_should_match": 1}}


def _phrase(field: str, phrase: Phrase) -> Query:
    if len(phrase) == 1:
        return {"term": {field: phrase[0]}}
    return {"bool": {"filter": [{"term": {field: token}} for token in phrase]}}


def _similar(field: str, term: Term) -> Query:
    return {"fuzzy": {field: {"value": term.word.stem, "fuzziness": "AUTO"}}}


def _constant(query: Query, weight: float) -> Query:
    return {"constant_score": {"filter": query, "boost": weight}}


def _filters(listing: ListQuery) -> list[Query]:
    terms = {
        "active": listing.active,
        "currency": listing.currency,
        "billingCycle": listing.billing_cycle,
        "updatedBy": listing.updated_by,
    }
    filters: list[Query] = [
        {"term": {name: value}} for name, value in terms.items() if value is not None
    ]
    limits = {"gte": listing.min_price, "lte": listing.max_price}
    price = {bound: str(amount) for bound, amount in limits.items() if amount is not None}
    if price:
        filters.append({"range": {"price": price}})
    return filters
