"""Finding out which sentence of the core a text is, and saying it in the reader's language."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from django.utils.translation import gettext

from products.admin.sentences import of_jobs, of_operations, of_plans, of_products
from products.admin.sentences.words import TRANSLATORS
from products.errors import CatalogueError, Invalid

SUBJECTS = (of_products, of_jobs, of_plans, of_operations)
SENTENCES = {text: text for subject in SUBJECTS for text in subject.SAME} | {
    text: shown for subject in SUBJECTS for text, shown in subject.OTHER.items()
}
"""By each sentence of the core what the admin says, both with the same placeholders."""
MAX_DEPTH = 3  # refusals within refusals
MAX_SENTENCES = 20  # of one text
PLACEHOLDER = re.compile(r"\{(\w+)\}")
LABEL = re.compile(r"(.{1,120}?: )(.+)", re.DOTALL)
END_OF_SENTENCE = re.compile(r"(?<=[.?!]) ")


class Template(NamedTuple):
    """A sentence with placeholders: the text before them, those after each, and their names."""

    first: str
    others: Sequence[str]
    names: Sequence[str]
    shown: str


def in_words(text: str, depth: int = 0) -> str:
    """Return a text of the core as the admin says it; one that is not known stays as it is.

    ``depth`` is how many refusals it is within.
    """
    if depth > MAX_DEPTH:
        return text
    return _whole(text, depth) or _parts(text, depth) or text


def reason_in_words(reason: str) -> str:
    """Return the reason of a change. One that a person has typed stays as it is."""
    return _whole(reason) if _match(reason)[0] in of_products.REASONS else reason


def sentences_in_words(texts: Iterable[str]) -> list[str]:
    """Return each text as the admin says it."""
    return [in_words(text) for text in texts]


def refusal_text(refusal: CatalogueError) -> str:
    """Return the refusal as the admin says it."""
    if not isinstance(refusal, Invalid):
        return in_words(str(refusal))
    return " ".join(" ".join(sentences_in_words(texts)) for texts in refusal.errors.values())


def _whole(text: str, depth: int = 0) -> str:
    """Return the sentence that the text is as a whole; empty if it is none."""
    shown, values = _match(text)
    if not shown:
        return ""
    said = {name: _value(name, value, depth) for name, value in values.items()}
    return gettext(shown).format(**said)


def _value(name: str, text: str, depth: int) -> str:
    if name == "refusal":
        return in_words(text, depth + 1)
    translate = TRANSLATORS.get(name)
    return translate(text) if translate else text


def _parts(text: str, depth: int) -> str:
    """Return a text of several sentences, or one after a label; empty if none is known."""
    texts = END_OF_SENTENCE.split(text, MAX_SENTENCES - 1)
    if len(texts) > 1:
        known = [_whole(one, depth) or _labelled(one, depth) for one in texts]
        if any(known):
            return " ".join(said or one for said, one in zip(known, texts, strict=True))
    return _labelled(text, depth)


def _labelled(text: str, depth: int) -> str:
    """Return a sentence after a label, such as "Price: Must be text."."""
    match = LABEL.fullmatch(text)
    said = match and _whole(match[2], depth)
    return f"{match[1]}{said}" if match and said else ""


def _match(text: str) -> tuple[str, dict[str, str]]:
    """Return the admin's sentence and the values in it. The most literal sentence is right."""
    if text in SENTENCES:
        return SENTENCES[text], {}
    for template in _templates():
        if text.startswith(template.first) and (values := _values(template, text)):
            return template.shown, dict(zip(template.names, values, strict=True))
    return "", {}


def _values(template: Template, text: str) -> list[str]:
    """Return the values in the text, each as short as possible; empty if the rest is different.

    A regular expression would take minutes for a long text that repeats parts of the sentence.
    """
    *others, last = template.others
    begin, end = len(template.first), len(text) - len(last)
    values = []
    for literal in others:
        found = text.find(literal, begin + 1)
        if found < 0:
            return []
        values.append(text[begin:found])
        begin = found + len(literal)
    return [*values, text[begin:end]] if begin < end and text.endswith(last) else []


@cache
def _templates() -> list[Template]:
    """Return the sentences with placeholders, those with the most letters first."""
    parts = ((PLACEHOLDER.split(text), shown) for text, shown in SENTENCES.items())
    found = [
        Template(split[0], split[2::2], split[1::2], shown) for split, shown in parts if split[1:]
    ]
    return sorted(found, key=lambda one: -len("".join((one.first, *one.others))))
