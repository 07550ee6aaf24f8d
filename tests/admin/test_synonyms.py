"""The page of words that mean the same to a search."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client

from products import bootstrap
from products.errors import DependencyUnavailable
from products.search.editing import MAX_AGE, CurrentSynonyms, SavedSynonyms, SynonymEditing
from products.search.terms import terms_of
from tests.support.admin_client import sign_in
from tests.support.builders import NOON
from tests.support.world import World

pytestmark = pytest.mark.django_db
PAGE = "/admin/products/product/synonyms/"


@pytest.fixture
def editor(world: World) -> Client:
    return sign_in("edith")


def save(client: Client, text: str, based_on: int) -> int:
    return client.post(PAGE, {"text": text, "based_on": based_on}).status_code


def newest() -> SavedSynonyms:
    return bootstrap.synonym_editing().newest()


def test_saved_synonyms_are_found_with_their_author(editor: Client) -> None:
    assert save(editor, "gnu, wildebeest  \n\n", 0) == 302
    assert newest().text == "gnu, wildebeest\n"
    assert (newest().version, newest().saved_by) == (1, "edith")
    page = editor.get(PAGE).content.decode()
    assert "gnu, wildebeest" in page
    assert "The product's own" in page


def test_an_unreadable_line_is_named_and_kept(editor: Client) -> None:
    response = editor.post(PAGE, {"text": "a, b\nalone", "based_on": 0})
    assert response.status_code == 400
    page = response.content.decode()
    assert "Line 2 must have 2 to 12 phrases, with commas between." in page
    assert "alone</textarea>" in page
    assert newest().version == 0


def test_two_editors_see_each_other(editor: Client) -> None:
    assert save(editor, "a, b", 0) == 302
    response = editor.post(PAGE, {"text": "c, d", "based_on": 0})
    assert response.status_code == 409
    page = response.content.decode()
    assert "edith saved other synonyms meanwhile" in page
    assert "c, d</textarea>" in page
    assert 'name="based_on" value="1"' in page
    assert save(editor, "c, d", 1) == 302
    assert [one.version for one in bootstrap.synonym_editing().versions(5)] == [2, 1, 0]


def test_the_same_text_saves_no_version(editor: Client) -> None:
    assert save(editor, "a, b", 0) == 302
    assert save(editor, "a, b", 1) == 302
    assert newest().version == 1


def test_viewers_read_but_do_not_save(world: World) -> None:
    viewer = sign_in("viv", "Product viewers")
    assert "readonly" in viewer.get(PAGE).content.decode()
    assert save(viewer, "a, b", 0) == 403
    assert newest().version == 0


def test_searches_use_saved_synonyms_without_a_rebuild(editor: Client) -> None:
    assert save(editor, "gnu, wildebeest", 0) == 302
    clock = [NOON]
    current = CurrentSynonyms(replace(bootstrap.synonym_editing(), clock=lambda: clock[0]))
    assert list(terms_of("gnu", current())[0].synonyms) == [("wildebeest",)]
    assert save(editor, "gnu, antelope", 1) == 302
    assert list(terms_of("gnu", current())[0].synonyms) == [("wildebeest",)]
    clock[0] += MAX_AGE
    assert list(terms_of("gnu", current())[0].synonyms) == [("antelope",)]
    clock[0] -= timedelta(hours=1)  # a clock that is set back holds nothing up
    assert save(editor, "gnu, moose", 2) == 302
    assert list(terms_of("gnu", current())[0].synonyms) == [("moose",)]


class UnavailableTable:
    def versions(self, limit: int) -> list[SavedSynonyms]:
        raise DependencyUnavailable("DynamoDB")

    def add(self, saved: SavedSynonyms) -> bool:
        raise DependencyUnavailable("DynamoDB")


def test_searches_go_on_without_the_table() -> None:
    current = CurrentSynonyms(SynonymEditing(UnavailableTable(), lambda: NOON))
    assert list(terms_of("wp", current())[0].synonyms) == [("wordpress",)]
