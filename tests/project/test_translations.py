"""The catalogues are complete, agree with the sources, and are compiled; no text is unmarked."""

import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from deploy.local.engines import ROOT
from deploy.messages.catalogues import LANGUAGES, files_of, is_translated, translated
from deploy.messages.extraction import FRAMEWORKS, GENERATED, extracted
from tests.support.template_texts import unmarked_texts

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|%[sd]|{\w+}")
HTML_TAG = re.compile(r"</?\w+")
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*") if path.is_file())
ENGLISH_ONLY = ("rest_framework", "drf_spectacular")
"""The pages of the API, whose contract is in English."""
SCRIPTS = sorted((ROOT / "products" / "static" / "products").glob("*.js"))
COMMENT = re.compile(r"/\*.*?\*/|^\s*//.*$", re.DOTALL | re.MULTILINE)
VALUE = re.compile(r"\${[^{}]*({[^{}]*}[^{}]*)*}")
READS_AS_TEXT = re.compile(r"[A-Za-z][a-z]+ [a-z]+ |^[A-Z][a-z]{2,}[ a-z.…?]*$|[a-z]{2}[.…?]$")
NO_TEXTS = {
    "Accept",
    "Backspace",
    "Content-Type",
    "Enter",
    "Escape",
    "Files",
    "Retry-After",
    "Undo",
}
"""Names of keys, headers and the like."""
MESSAGES = [message for language in LANGUAGES for message in translated(language) if message.id]


def forms(text: object) -> list[str]:
    return [text] if isinstance(text, str) else list(text) if isinstance(text, list | tuple) else []


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_are_what_make_messages_writes(language: str) -> None:
    outdated = [
        path.name for path, content in files_of(language).items() if path.read_bytes() != content
    ]
    assert not outdated, "`make messages` writes them"


def test_every_text_has_a_translation_with_the_same_placeholders() -> None:
    assert [message.id for message in MESSAGES if faults(message)] == []


def faults(message: Message) -> bool:
    """Return whether a translation is missing, unsure, or has other placeholders or tags."""
    if not is_translated(message) or message.fuzzy:
        return True
    originals, translations = forms(message.id), forms(message.string)
    if len(originals) != len(translations):
        return True
    pairs = list(zip(originals, translations, strict=True))
    return any(
        Counter(pattern.findall(one)) != Counter(pattern.findall(other))
        for one, other in pairs
        for pattern in (PLACEHOLDER, HTML_TAG)
    ) or any(one[0].isspace() != other[0].isspace() for one, other in pairs)


def test_listed_texts_of_frameworks_are_not_ours() -> None:
    """Else a text that is gone from our sources would stay in the catalogue for ever."""
    place = FRAMEWORKS.relative_to(ROOT).as_posix()
    both = [m.id for m in extracted() if (place, 0) in m.locations and len(m.locations) > 1]
    assert both == []


@pytest.mark.parametrize(
    "path", TEMPLATES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix()
)
def test_every_text_of_a_template_is_marked(path: Path) -> None:
    if path.relative_to(ROOT / "templates").parts[0] not in ENGLISH_ONLY:
        assert unmarked_texts(path.read_text()) == []


def test_every_text_of_a_script_is_marked() -> None:
    known = {text for message in extracted() for text in forms(message.id)} | NO_TEXTS
    found = {
        (path.name, text)
        for path in SCRIPTS
        if not GENERATED.search(path.as_posix())
        for text in string_literals(path.read_text())
        if READS_AS_TEXT.search(text) and not text.startswith("#") and text not in known
    }
    assert found == set()


def string_literals(script: str) -> list[str]:
    """Return the strings of a script, and the texts within its templates of HTML."""
    code = COMMENT.sub("", script)
    templates = re.findall(r"`[^`]*`", code)
    texts = [re.findall(r"[^<>`]+(?=[<`])", VALUE.sub("", template)) for template in templates]
    return re.findall(r'"([^"\n]*)"', code) + [text.strip() for some in texts for text in some]
