"""Which product a search puts first, in a catalogue of 80 products."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products import bootstrap
from products.adapters.opensearch.documents import bulk_action, send_bulk
from products.lists import ListQuery
from products.search.words import words_of
from tests.search.relevance_catalogue import catalogue
from tests.search.relevance_searches import independent_searches, searches
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

MIN_FIRST, MIN_AMONG_THREE = 0.92, 0.98


@pytest.fixture
def shelf(world: World) -> None:
    lines = [line for product in catalogue() for line in bulk_action(world.alias, product)]
    results = send_bulk(world.opensearch, lines, refresh=True)
    assert {result["status"] for result in results} == {201}


def find(text: str, limit: int = 3) -> list[str]:
    return bootstrap.index().search(ListQuery(text=text, by_relevance=True), limit)


@pytest.mark.parametrize("those", [searches, independent_searches])
def test_right_products_come_first(
    shelf: None, those: Callable[[], list[tuple[str, str, set[str]]]]
) -> None:
    found = [(text, right, find(text)) for _, text, right in those()]
    not_first = [(text, ids) for text, right, ids in found if not {*ids[:1]} & right]
    not_among_three = [(text, ids) for text, right, ids in found if not {*ids} & right]
    assert len(found) >= 140
    assert len(not_first) <= (1 - MIN_FIRST) * len(found), not_first
    assert len(not_among_three) <= (1 - MIN_AMONG_THREE) * len(found), not_among_three


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hosting for penguins", "one word is in no product"),
        ("cheap wordpres website with unicorns", "half of the words are in none"),
        ("i would like to have some vps please", "fillers"),
        ("zebra kubernets elephant", "only a mistyped word is known"),
    ],
)
def test_a_search_with_a_known_word_finds_something(shelf: None, text: str, reason: str) -> None:
    assert find(text), reason


@pytest.mark.parametrize("text", ["zzzzqqq", "?", "\U0001f600", "***", '""', "xylophone quokka"])
def test_a_search_without_a_known_word_finds_nothing(shelf: None, text: str) -> None:
    assert find(text) == []


def test_each_product_is_found_by_its_name_in_any_notation(shelf: None) -> None:
    changed = {
        name: [product.product_id for product in catalogue() if name in notations(product.name)]
        for product in catalogue()
        for name in notations(product.name)
    }
    wrong = {name: find(name) for name, ids in changed.items() if find(name)[:1] != ids}
    assert wrong == {}


def notations(name: str) -> list[str]:
    """Return the name in other cases, in full-width letters, with hyphens and joined."""
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name)
    return [name, name.upper(), name.lower(), wide, name.replace(" ", "-"), f" {name}! "]


def test_equal_matches_are_in_the_order_of_their_ids(world: World) -> None:
    twins = [
        replace(catalogue()[0], product_id=f"twin-{number}", name="Twin") for number in (3, 1, 2)
    ]
    lines = [line for product in twins for line in bulk_action(world.alias, product)]
    send_bulk(world.opensearch, lines, refresh=True)
    assert find("twin") == ["twin-1", "twin-2", "twin-3"]


@given(st.text(st.characters(exclude_categories=["Nd", "Cs"]), max_size=60))
def test_words_do_not_depend_on_case_or_form(text: str) -> None:
    assert [w.text for w in words_of(" ".join(w.text for w in words_of(text)))] == [
        w.text for w in words_of(text)
    ]
