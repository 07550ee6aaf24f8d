"""Finding out which sentence of the core a text is, and saying it in the reader's language."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from django.utils.translation import gettext

from products.admin.sentences import of_jobs, of_operations, of_plans, of_products
from products.admin.sentences.words import TRANSLATORS
from products.errors import CatalogueError, Invalid

SENTENCES = {
    **{
        text: text
        for subject in (of_products, of_jobs, of_plans, of_operations)
        for text in subject.SAME
    },
    **of_products.OTHER,
    **of_jobs.OTHER,
    **of_plans.OTHER,
    **of_operations.OTHER,
}
"""By each sentence of the core what the admin says, both with the same placeholders."""
MAX_CACHED = 1024  # texts
PLACEHOLDER = re.compile(r"\\\{(\w+)\\\}")
LABEL = re.compile(r"(.{1,120}?: )(.+)", re.DOTALL)
END_OF_SENTENCE = re.compile(r"(?<=[.?!]) ")


def in_words(text: str) -> str:
    """Return a text of the core as the admin says it; one that is not known stays as it is."""
    return _whole(text) or _parts(text) or text


def sentences_in_words(texts: list[str]) -> list[str]:
    """Return each text as the admin says it."""
    return [in_words(text) for text in texts]


def refusal_text(refusal: CatalogueError) -> str:
    """Return the refusal as the admin says it."""
    if not isinstance(refusal, Invalid):
        return in_words(str(refusal))
    return " ".join(" ".join(sentences_in_words(texts)) for texts in refusal.errors.values())


def _whole(text: str) -> str:
    """Return the sentence that the text is as a whole; empty if it is none."""
    found = _match(text)
    if found is None:
        return ""
    shown, values = found
    return gettext(shown).format(**{name: _value(name, value) for name, value in values})


def _value(name: str, text: str) -> str:
    if name == "refusal":
        return in_words(text)
    translate = TRANSLATORS.get(name)
    return translate(text) if translate else text


def _parts(text: str) -> str:
    """Return a text of several sentences, or one after a label; empty if none is known."""
    texts = END_OF_SENTENCE.split(text)
    if len(texts) > 1:
        known = [_whole(one) or _labelled(one) for one in texts]
        if any(known):
            return " ".join(said or one for said, one in zip(known, texts, strict=True))
    return _labelled(text)


def _labelled(text: str) -> str:
    """Return a sentence after a label, such as "Price: Must be text."."""
    match = LABEL.fullmatch(text)
    said = match and _whole(match[2])
    return f"{match[1]}{said}" if match and said else ""


@lru_cache(MAX_CACHED)
def _match(text: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """Return the admin's sentence and the values in it. The most literal sentence is right."""
    if text in SENTENCES:
        return SENTENCES[text], ()
    for pattern, shown in _patterns():
        if match := pattern.fullmatch(text):
            return shown, tuple(match.groupdict().items())
    return None


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return list(_compiled())


def _compiled() -> Iterator[tuple[re.Pattern[str], str]]:
    """Yield a pattern for each sentence with placeholders, those with the most letters first."""
    templates = [text for text in SENTENCES if "{" in text]
    for text in sorted(templates, key=lambda text: -len(re.sub(r"\{\w+\}", "", text))):
        expression = PLACEHOLDER.sub(r"(?P<\1>.+?)", re.escape(text))
        yield re.compile(expression, re.DOTALL), SENTENCES[text]
