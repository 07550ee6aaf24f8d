"""How texts become the words that a search compares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.search.synonyms import DEFAULT_SYNONYMS, MAX_LINES, parse_synonyms
from products.search.terms import MAX_TERMS, terms_of
from products.search.words import fold, pairs_of, stem, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("10gb SSD", ["10", "gb", "ssd"]),
        ("Node.js & C++", ["node", "js", "c"]),
        ("Jerry's Café", ["jerrys", "cafe"]),
        ("Cafe\u0301", ["cafe"]),
        ("ＶＰＳ８", ["vps", "8"]),
        ("Straße Łódź Ærø", ["strasse", "lodz", "aero"]),
        ("R1,500.00 or 99.50", ["r", "1", "500", "or", "99.50"]),
        ("PHP 8.3, 1.234", ["php", "8.3", "1", "234"]),
        ("mag\u00adento\u200b", ["magento"]),
        ("शक्ति", ["शक्ति"]),
        ("網站 hosting", ["網", "站", "hosting"]),
        ("١٢ GB", ["12", "gb"]),
        ("!? \U0001f600", []),
    ],
)
def test_texts_become_words(text: str, words: list[str]) -> None:
    assert [word.text for word in words_of(text)] == words


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("companies", "company"),
        ("addresses", "address"),
        ("boxes", "box"),
        ("mailboxes", "mailbox"),
        ("sites", "site"),
        ("business", "business"),
        ("status", "status"),
        ("dns", "dns"),
        ("dies", "die"),
    ],
)
def test_plural_endings_are_removed(plural: str, singular: str) -> None:
    assert stem(plural) == singular


def test_diacritics_stay_where_they_make_the_meaning() -> None:
    assert fold("ÉÑŁ Ё") == "enl е"
    assert fold("が") == "が"  # not か


@given(st.text(max_size=80))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=80))
def test_words_have_letters_or_digits_only(text: str) -> None:
    for word in words_of(text):
        assert word.is_number or not any(character.isdigit() for character in word.text)
        assert " " not in word.text


def test_neighbours_make_one_word() -> None:
    assert pairs_of(words_of("fast web sites")) == ["fastweb", "website"]


def test_fillers_are_not_required_unless_all_are() -> None:
    synonyms = parse_synonyms("")
    required = [t.word.text for t in terms_of("i need a domain", synonyms) if not t.is_filler]
    assert required == ["domain"]
    assert not any(term.is_filler for term in terms_of("do you", synonyms))
    assert len(terms_of("word " * 100, synonyms)) == MAX_TERMS


def test_synonyms_replace_words_and_phrases_both_ways() -> None:
    synonyms = parse_synonyms("CDN, content delivery network\nshop, Stores")
    (cdn,) = terms_of("cdn", synonyms)
    assert [phrase.tokens for phrase in cdn.synonyms] == [("contentdelivery", "deliverynetwork")]
    phrase = terms_of("a content delivery network", synonyms)
    assert [[p.tokens for p in term.synonyms] for term in phrase] == [[], *[[("cdn",)]] * 3]
    (store,) = terms_of("store", synonyms)
    assert [phrase.tokens for phrase in store.synonyms] == [("shop",)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("shop", "Line 1 must have 2 to 12 phrases"),
        ("a, b\nc, ,d", "Each phrase of line 2 must have 1 to 4 words"),
        ("a, one two three four five", "Each phrase of line 1 must have 1 to 4 words"),
        ("a, b\n" * (MAX_LINES + 1), "Must have at most 200 lines; it has 201"),
    ],
)
def test_synonyms_that_can_not_be_read_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_synonyms(text)


def test_default_synonyms_can_be_read() -> None:
    assert len(parse_synonyms(DEFAULT_SYNONYMS).by_stems) >= 50
