"""Whether a product has the words of a search, where no index answers. Pure.

It compares the same words, beginnings and synonyms as the index. It has no typing errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from products.product import Product
from products.search.document import search_words
from products.search.passes import Pass
from products.search.synonyms import Phrase, Synonyms
from products.search.terms import Term, is_typed_as_one, terms_of

PLACES = ("name", "facts", "description", "features")
BEGINNINGS = ("nameStarts", "starts")
CACHED_PRODUCTS = 2000  # as many as one search without an index examines
CACHED_SEARCHES = 64


@dataclass(frozen=True, slots=True)
class ProductWords:
    """The words of a product by their places, and those whose beginnings are found."""

    places: tuple[frozenset[str], ...]
    beginnings: tuple[str, ...]

    def have(self, term: Term) -> bool:
        """Whether the product has the word, a pair that it is in, or a synonym."""
        words = {term.word.stem, *term.pairs}
        starts = term.pairs if term.is_quantity else (term.word.text, *term.pairs)
        return (
            any(words & place for place in self.places)
            or any(word.startswith(starts) for word in self.beginnings)
            or any(self._has_phrase(phrase) for phrase in term.synonyms)
        )

    def _has_phrase(self, phrase: Phrase) -> bool:
        return any(place.issuperset(phrase) for place in self.places)


@dataclass(frozen=True, slots=True)
class TextSearch:
    """The words of a search text, which are compared with many products."""

    text: str
    terms: Sequence[Term]

    def finds(self, product: Product, *, all_words: bool = True) -> bool:
        """Whether the product has all words that are required, or most of them."""
        if not self.text or product.product_id.casefold().startswith(self.text.casefold()):
            return True
        if not self.terms:
            return False
        strict = Pass.strict(self.terms)
        one = strict if all_words or is_typed_as_one(self.text) else strict.widened()
        words = _words_of(product)
        found = sum(words.have(self.terms[place]) for place in one.needed)
        return found >= one.required


@lru_cache(CACHED_SEARCHES)
def text_search(text: str, synonyms: Synonyms) -> TextSearch:
    """Return the search for a text."""
    return TextSearch(text, terms_of(text, synonyms))


@lru_cache(CACHED_PRODUCTS)
def _words_of(product: Product) -> ProductWords:
    words = search_words(product)
    places = tuple(frozenset(words[place].split()) for place in PLACES)
    beginnings = tuple(word for place in BEGINNINGS for word in words[place].split())
    return ProductWords(places, beginnings)
