"""How strictly a search requires its words, from pass to pass. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from products.search.terms import Term

FILLER_BOOST = 1 / 16
COMMON_BOOST = 1 / 4
MIN_BOOST = 1 / 4
MOST = 2 / 3
STEPS = 4
"""Boosts are multiples of a quarter, so that scores stay exact."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One search, with the terms by their places in the text.

    ``required`` of the ``needed`` terms must match. The ``tolerant`` ones may be mistyped. A
    term's weights are multiplied by its boost.
    """

    needed: frozenset[int]
    required: int
    tolerant: frozenset[int]
    boosts: tuple[float, ...]

    @classmethod
    def strict(cls, terms: Sequence[Term]) -> "Pass":
        """Return the pass that requires all words but fillers, or one of them if all are."""
        needed = _needed(terms)
        are_fillers = all(term.is_optional for term in terms)
        boosts = tuple(1.0 if are_fillers else _boost(term, 1.0) for term in terms)
        return cls(needed, 1 if are_fillers else len(needed), frozenset(), boosts)

    def widened(self) -> "Pass":
        """Return this pass with most of the words required: two of three, and one of two."""
        return replace(self, required=min(self.required, _most(len(self.needed))))


def later_passes(terms: Sequence[Term], counts: Sequence[int], total: int) -> Iterator[Pass]:
    """Yield the passes after the strict one; ``counts`` has the products with each term."""
    needed = _needed(terms)
    unknown = frozenset(place for place in needed if not counts[place])
    boosts = tuple(
        _boost(term, _rarity(count, total)) for term, count in zip(terms, counts, strict=True)
    )
    if unknown:
        yield Pass(needed, len(needed), unknown, boosts)
    known = needed - unknown
    if unknown and known:
        yield Pass(known, len(known), unknown, boosts)
    fewer = {_most(len(needed)), max(len(needed) // 2, 1), 1} - {len(needed)}
    for required in sorted(fewer, reverse=True):
        yield Pass(needed, required, unknown, boosts)
    common = frozenset(place for place, term in enumerate(terms) if term.is_common)
    if common:
        yield Pass(common, 1, frozenset(), boosts)


def _most(count: int) -> int:
    return max(min(count - 1, math.ceil(count * MOST)), 1)


def _needed(terms: Sequence[Term]) -> frozenset[int]:
    places = frozenset(place for place, term in enumerate(terms) if not term.is_optional)
    return places or frozenset(range(len(terms)))


def _boost(term: Term, boost: float) -> float:
    if term.is_filler:
        return FILLER_BOOST
    return COMMON_BOOST if term.is_common else boost


def _rarity(count: int, total: int) -> float:
    """Return how much a word counts: more if fewer products have it."""
    steps = round(math.log2((total + 1) / (count + 1)) * STEPS)
    return max(steps / STEPS, MIN_BOOST)
