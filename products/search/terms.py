"""What a search looks for: its words, each with everything that is as good as the word. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from products.search.synonyms import Phrase, Synonyms
from products.search.words import COMMON_WORDS, FILLERS, Word, pairs_of, words_of

MAX_TERMS = 20
"""Words of one search. The rest is ignored: a longer text has words enough."""
MIN_TYPED_LENGTH = 3  # a shorter word has no typing errors


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a search.

    ``pairs`` are the word and a neighbour as one word, so "word press" finds "WordPress".
    ``attached`` are those of the pairs that were typed as one, such as "s3". ``synonyms`` are
    phrases in its place. Fillers and common words are not required. A number directly before a
    word counts little alone: "10 GB" is not "10".
    """

    word: Word
    pairs: tuple[str, ...]
    attached: tuple[str, ...]
    synonyms: tuple[Phrase, ...]
    is_filler: bool
    is_common: bool
    is_quantity: bool

    @property
    def is_optional(self) -> bool:
        return self.is_filler or self.is_common

    @property
    def may_be_mistyped(self) -> bool:
        return not self.word.is_number and len(self.word.text) >= MIN_TYPED_LENGTH


def is_typed_as_one(text: str) -> bool:
    """Whether the text is one word for its reader, such as an ID: half of it is no match."""
    return text.isascii() and len(text.split()) == 1


def terms_of(text: str, synonyms: Synonyms) -> list[Term]:
    """Return the terms of a search text, in order."""
    words = words_of(text)[:MAX_TERMS]
    pairs = pairs_of(words)
    replaced = _synonyms_by_place(words, pairs, synonyms)
    return [
        Term(
            word=word,
            pairs=tuple(pairs[max(place - 1, 0) : place + 1]),
            attached=tuple(pairs[place - 1 : place]) if place and word.is_attached else (),
            synonyms=tuple(replaced[place]),
            is_filler=word.text in FILLERS,
            is_common=word.text in COMMON_WORDS,
            is_quantity=_is_quantity(words, place),
        )
        for place, word in enumerate(words)
    ]


def _synonyms_by_place(
    words: Sequence[Word], pairs: Sequence[str], synonyms: Synonyms
) -> list[list[Phrase]]:
    """Return the synonyms for each word, also of the phrases and pairs that it is a part of."""
    found: list[list[Phrase]] = [[] for _ in words]
    for start in range(len(words)):
        for count, phrase in synonyms.at(words, start):
            for place in range(start, start + count):
                found[place].append(phrase)
    for start, pair in enumerate(pairs):
        phrases = synonyms.by_stems.get((pair,), ())
        found[start] += phrases
        found[start + 1] += phrases
    return found


def _is_quantity(words: Sequence[Word], place: int) -> bool:
    is_last = place + 1 == len(words)
    return words[place].is_number and not is_last and not words[place + 1].is_number
