"""What a search looks for: its words, each with everything that is as good as the word. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from products.search.synonyms import Phrase, Synonyms
from products.search.words import FILLERS, Word, pairs_of, words_of

MAX_TERMS = 20
"""Words of one search. The rest is ignored: a longer text has words enough."""
MIN_TYPED_LENGTH = 3  # a shorter word has no typing errors


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a search.

    ``pairs`` are the word and a neighbour as one word, so "word press" finds "WordPress".
    ``synonyms`` are phrases in its place. A filler is not required. A number directly before a
    word counts little alone: "10 GB" is not "10".
    """

    word: Word
    pairs: tuple[str, ...]
    synonyms: tuple[Phrase, ...]
    is_filler: bool
    is_quantity: bool

    @property
    def may_be_mistyped(self) -> bool:
        return not self.word.is_number and len(self.word.text) >= MIN_TYPED_LENGTH


def terms_of(text: str, synonyms: Synonyms) -> list[Term]:
    """Return the terms of a search text, in order. At least one is required, if there is any."""
    words = words_of(text)[:MAX_TERMS]
    pairs = pairs_of(words)
    replaced = _synonyms_by_place(words, synonyms)
    all_fillers = all(word.text in FILLERS for word in words)
    return [
        Term(
            word=word,
            pairs=tuple(pairs[max(place - 1, 0) : place + 1]),
            synonyms=tuple(replaced[place]),
            is_filler=word.text in FILLERS and not all_fillers,
            is_quantity=_is_quantity(words, place),
        )
        for place, word in enumerate(words)
    ]


def _synonyms_by_place(words: Sequence[Word], synonyms: Synonyms) -> list[list[Phrase]]:
    """Return the synonyms for each word, also of the phrases that the word is a part of."""
    found: list[list[Phrase]] = [[] for _ in words]
    for start in range(len(words)):
        for count, phrase in synonyms.at(words, start):
            for place in range(start, start + count):
                found[place].append(phrase)
    return found


def _is_quantity(words: Sequence[Word], place: int) -> bool:
    is_last = place + 1 == len(words)
    return words[place].is_number and not is_last and not words[place + 1].is_number
