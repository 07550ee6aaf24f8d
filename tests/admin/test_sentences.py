"""The core's sentences in the admin: each is known, and is said in the product's words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import products
from products.admin.sentences.finding import (
    SENTENCES,
    in_words,
    reason_in_words,
    refusal_text,
)
from products.errors import DependencyUnavailable, Invalid, NotAllowed
from products.permissions import Permission
from products.product import new_product

CORE = Path(products.__file__).parent
NOT_CORE = {"apps", "bootstrap", "maintenance", "models", "readiness", "reindex", "scheduling"}
SENTENCE = re.compile(r"[A-Z{].*[a-z]{2,} .*[.?](\{\})?", re.DOTALL)
EMBEDDED = re.compile(r"^\{\} (?=[A-Z])|(?<=\.)\{\}$")
"""A sentence in front of another one or after it, as a value."""
NOT_FOR_PAGES = {
    "Must have at most {} characters.",  # of a reason and of synonyms, by both names
    "Name at least one field to change.",
    "Product {} is in this batch twice.",
    "Product {} was created at {}, after that time.",
    "The name {} is in this batch twice.",
    "There is no queue {}; there are {}.",
    "The table lacks the {} {}. `manage.py add_indexes` adds what it lacks.",
    "These are too many writes for one transaction. Send fewer, or use mode each.",
    "This Idempotency-Key was used for another request within the last 24 hours.",
}
MADE_OF_PARTS = {
    "{} {} in {}. {}",
    "{} “{}”: Is the error of a formula.",
    "{}: There is no product {}.",
    "{}: {} has no version {}; it is at version {}.",
    "{} {}.",
    "{} may not start this plan any more. {}",
    "The cell {} {}",
    "This requires the {} {}.",
    "{} hidden {} read too.",
}
"""Sentences whose parts are in the list."""


def sentences_in(path: Path) -> Iterator[str]:
    """Yield the sentences that a module makes, with ``{}`` for each value."""
    tree = ast.parse(path.read_text())
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if id(node) not in documentation | inside and (text := text_of(node)):
            yield from pieces(text)


def text_of(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or "{}" for part in node.values)
    return ""


def pieces(text: str) -> list[str]:
    """Return the text if it is a sentence."""
    text = EMBEDDED.sub("", text.strip())
    return [text] if SENTENCE.fullmatch(text) and "\n" not in text else []


def without_names(text: str) -> str:
    return re.sub(r"\{\w+\}", "{}", text)


def core_modules() -> list[Path]:
    folders = (CORE, CORE / "bulk", CORE / "plans", CORE / "search")
    paths = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    return [path for path in paths if path.stem not in NOT_CORE]


def test_every_sentence_of_the_core_is_known() -> None:
    known = {without_names(text) for text in SENTENCES} | NOT_FOR_PAGES | MADE_OF_PARTS
    parts = {part for text in known for part in re.split(r"(?<=[.?]) ", text)}
    unknown = {
        text
        for path in core_modules()
        for text in sentences_in(path)
        if text not in known and not set(re.split(r"(?<=[.?]) ", text)) <= known | parts
    }
    assert unknown == set()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Must have 3 to 100 characters; it has 2.", "Must have 3 to 100 characters; it has 2."),
        ("Must be true or false.", "Must be yes or no."),
        ("Entry 3: Must be true or false.", "Entry 3: Must be yes or no."),
        ("Price “x”: Must be true or false.", "Price “x”: Must be yes or no."),
        ("Ours. Must be true or false.", "Ours. Must be yes or no."),
        ("The job is already planning.", "The job is already being read."),
        ("Is not written with a decimal comma.", "Is not written with a decimal comma."),
        (
            "The plan has started, so renewal_price can't be changed.",
            "The plan has started, so renewal price can't be changed.",
        ),
        (
            "Waiting for OpenSearch, retried automatically: "
            "OpenSearch does not answer at the moment.",
            "Waiting for Search, and retried automatically: Search can't be reached just now.",
        ),
        ("Not a sentence of ours", "Not a sentence of ours"),
        ("", ""),
    ],
)
def test_sentences_are_said_in_the_words_of_the_product(text: str, said: str) -> None:
    assert in_words(text) == said


def test_refusals_name_no_engines_fields_or_permissions() -> None:
    missing = NotAllowed([Permission.DELETE])
    assert "the right “Hide products from customers”" in refusal_text(missing)
    away = DependencyUnavailable("DynamoDB")
    assert refusal_text(away) == "The catalogue can't be reached just now."
    with pytest.raises(Invalid) as refused:
        new_product("p1", {}, by="", at=None)  # type: ignore[arg-type] # it is not reached
    assert refusal_text(refused.value) == " ".join(["This field is required."] * 3)


def test_values_with_braces_are_kept_as_they_are() -> None:
    assert in_words("There is no field '{x}'.") == "There is no field '{x}'."
    assert in_words("There is no product '{0} {name}'.") == "There is no product '{0} {name}'."


def test_reasons_that_people_type_are_kept_as_they_are() -> None:
    assert in_words("discarded purged") == "gave up what was not yet shown on the website"
    assert reason_in_words("discarded the old price") == "discarded the old price"
    assert reason_in_words("renewal_price restored from version 3").startswith("Renewal price ")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "part",
    ["ben changed price in version 3, ", "Entry 1: ", "x: ", "No. ", "Entry 1: Must be text. y: "],
)
def test_long_texts_take_no_longer_than_their_length(part: str) -> None:
    text = part * 10_000
    assert len(in_words(text)) >= len(text) - 100
