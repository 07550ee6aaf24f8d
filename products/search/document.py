"""A product as the search index holds it: its document and the words for searches. Pure."""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Any

from products.currency import CURRENCY_SIGNS
from products.documents import to_document
from products.product import BillingCycle, Product
from products.search.words import Word, pairs_of, words_of

CYCLE_WORDS = {
    BillingCycle.MONTHLY: "monthly month",
    BillingCycle.YEARLY: "yearly year annual",
    BillingCycle.ONE_TIME: "one time once off setup",
}


def to_search_document(product: Product) -> dict[str, Any]:
    """Return the product's document with the words that a search looks for.

    ``words.key`` is the whole name. ``words.name``, ``words.description`` and ``words.features``
    have the words without their endings, and each two neighbours as one word. ``words.facts``
    has prices and the billing cycle. ``words.nameStarts`` and ``words.starts`` have the words whose
    beginnings are found.
    """
    name, description = words_of(product.name), words_of(product.description)
    features = [_words_of_feature(feature) for feature in product.features]
    words = {
        "key": " ".join(word.text for word in name),
        "nameLength": str(len(name)),
        "name": _joined(_with_pairs(name)),
        "description": _joined(_with_pairs(description)),
        "features": _joined(chain.from_iterable(compared for compared, _ in features)),
        "facts": _joined(_facts(product)),
        "nameStarts": _joined([*_texts(name), *pairs_of(name)]),
        "starts": _joined(chain(_texts(description), *(texts for _, texts in features))),
    }
    return {**to_document(product), "words": words}


@lru_cache(maxsize=1_000)
def _words_of_feature(feature: str) -> tuple[list[str], list[str]]:
    """Return the words to compare and the words as written. Many products share a feature."""
    words = words_of(feature)
    return _with_pairs(words), _texts(words)


def _joined(words: Iterable[str]) -> str:
    """Return the different words in the order of their first use."""
    return " ".join(dict.fromkeys(words))


def _with_pairs(words: Sequence[Word]) -> list[str]:
    return [*(word.stem for word in words), *pairs_of(words)]


def _texts(words: Iterable[Word]) -> list[str]:
    return [word.text for word in words]


def _facts(product: Product) -> Iterable[str]:
    units = [product.currency, CURRENCY_SIGNS.get(product.currency, "")]
    for amount in (product.price, product.renewal_price):
        if amount is not None:
            number = words_of(str(amount))
            for unit in units:
                yield from _with_pairs([*_words_of(unit), *number])
    yield from _with_pairs(_words_of(CYCLE_WORDS[product.billing_cycle]))


@cache
def _words_of(text: str) -> list[Word]:
    """Return the words of a currency or a billing cycle."""
    return words_of(text)
