"""Texts as words without case, diacritics and plural endings. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import add

from products.unicode_text import normalized

MAX_TEXT_LENGTH = 200
"""Characters of a search that count. The request to the index has each word in several forms, and
10,000 letters became 100 MB."""
APOSTROPHES = re.compile("['\u2019\u02bc]")
CENTS = re.compile(r"(?<=\d)[.,]00(?!\d)")
"""No cents, which people write or leave out."""
THOUSANDS = re.compile(r"(?<![^\W_])(r|zar|usd|eur|gbp)\s?(\d{1,3})((?:[ ,]\d{3})+)(?!\d)")
"""An amount with its currency in front and gaps between its thousands."""
IDEOGRAPHS = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Characters of scripts that write no spaces between words."""
RUNS = re.compile(r"(\d+(?:[.,]\d{1,2}(?!\d))?)|[^\d\x00-/:-`{-\x7f]+")
"""The words of a folded text in which all characters of neither kind are ASCII. A number, the
group, may have one or two decimals."""
PLAIN_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
DIACRITIC_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC")
"""Scripts whose words keep their meaning without diacritics."""
MIN_STEM_LENGTH = 3
FILLERS = frozenset(
    "a about also am an and any are as asb asseblief at be been besigheid best but buy by can cant"
    " could do does dont ek en find for from get give good had has have hello help het hi hoe how i"
    " id if ill im in is it its ive just like looking me met more my need of om on one or our per"
    " please should show so some something soek that the their there they this to us van very vir"
    " want was we were what whats when where which who wil will with would you your".split()
)
"""Words that a search does not require, in English and Afrikaans."""
COMMON_WORDS = frozenset(["hosting", "host", "package", "plan", "product", "service"])
"""Words that fit almost every product of a hosting company. They are not required either."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: as it is written, without case and diacritics; and without its ending."""

    text: str
    stem: str
    is_attached: bool = False
    """Whether nothing separates it from the word before, as ``gb`` in "10gb"."""

    @property
    def is_number(self) -> bool:
        return self.text[0].isdigit()


def fold(text: str) -> str:
    """Return the text in NFKC without case, diacritics and invisible characters."""
    if text.isascii():
        return text.lower()
    composed = normalized("NFKC", text).casefold().translate(PLAIN_LETTERS)
    if composed.isascii():
        return composed
    return normalized("NFC", "".join(_without_diacritics(composed)))


def _without_diacritics(text: str) -> Iterator[str]:
    is_plain_script = False
    for character in normalized("NFKD", text):
        category = unicodedata.category(character)
        if (category == "Mn" and is_plain_script) or category == "Cf":
            continue
        if category[0] != "M":
            is_plain_script = unicodedata.name(character, "").startswith(DIACRITIC_SCRIPTS)
        yield character


def words_of(text: str) -> list[Word]:
    """Return the words of a text, in order. Letters and digits never share a word."""
    folded = CENTS.sub("", APOSTROPHES.sub("", fold(text)))
    joined = THOUSANDS.sub(_without_gaps, folded)
    found: list[Word] = []
    end = -1
    for run in RUNS.finditer(_only_words(joined)):
        number, is_attached = run[1], run.start() == end
        end = run.end()
        text = number.replace(",", ".") if number else run[0]
        for part in [text] if text.isascii() else _parts(text):
            found.append(_word(part, is_attached))
            is_attached = True
    return found


def _without_gaps(amount: re.Match[str]) -> str:
    unit, first, others = amount.groups()
    return f"{unit}{first}{re.sub('[ ,]', '', others)}"


def _only_words(text: str) -> str:
    """Return the text with spaces in place of characters that are in no word, as far as needed."""
    if text.isascii():
        return text
    return "".join(character if _is_in_word(character) else " " for character in text)


def _is_in_word(character: str) -> bool:
    """Whether it is ASCII, a letter or its mark, or a digit."""
    is_letter = unicodedata.category(character)[0] in "LM"
    return character.isascii() or is_letter or character.isdecimal()


@lru_cache(maxsize=10_000)
def _word(text: str, is_attached: bool) -> Word:
    return Word(text, stem(text), is_attached)


def _parts(word: str) -> Iterable[str]:
    """Return the word, its ideographs one by one, or its digits as ASCII."""
    if word[0].isdecimal():
        digits = (unicodedata.decimal(character, character) for character in word)
        return ["".join(map(str, digits))]
    return [part for part in re.split(f"({IDEOGRAPHS.pattern})", word) if part]


def stem(word: str) -> str:
    """Return the word without its English plural ending."""
    if len(word) <= MIN_STEM_LENGTH or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > len("dies"):
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    return word if word.endswith(("ss", "us", "is")) else word[:-1]


def pairs_of(words: Sequence[Word]) -> list[str]:
    """Return each two neighbours as one word: "webhosting" for "web hosting"."""
    texts = [word.text for word in words]
    pairs = map(add, texts, texts[1:])
    return [stem(pair) if pair.endswith("s") else pair for pair in pairs]
