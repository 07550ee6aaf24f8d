"""A product as the search index holds it: its document and the words for searches. Pure."""

from collections.abc import Iterable
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
    features = [words_of(feature) for feature in product.features]
    others = [*description, *(word for feature in features for word in feature)]
    words = {
        "key": " ".join(word.text for word in name),
        "nameLength": str(len(name)),
        "name": _joined(_with_pairs([name])),
        "description": _joined(_with_pairs([description])),
        "features": _joined(_with_pairs(features)),
        "facts": _joined(_facts(product)),
        "nameStarts": _joined([*(word.text for word in name), *pairs_of(name)]),
        "starts": _joined(word.text for word in others),
    }
    return {**to_document(product), "words": words}


def _joined(words: Iterable[str]) -> str:
    """Return the different words in the order of their first use."""
    return " ".join(dict.fromkeys(words))


def _with_pairs(texts: Iterable[list[Word]]) -> Iterable[str]:
    for words in texts:
        yield from (word.stem for word in words)
        yield from pairs_of(words)


def _facts(product: Product) -> Iterable[str]:
    units = [product.currency, CURRENCY_SIGNS.get(product.currency, "")]
    amounts = [product.price, product.renewal_price]
    yield from _with_pairs(
        words_of(f"{unit} {amount}") for amount in amounts if amount is not None for unit in units
    )
    yield from _with_pairs([words_of(CYCLE_WORDS[product.billing_cycle])])
