"""How texts become the words that a search compares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.search.passes import Pass, later_passes
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
        ("R1,500.00 or 99.50", ["r", "1500", "or", "99.50"]),
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


def test_fillers_and_common_words_are_not_required() -> None:
    synonyms = parse_synonyms("")
    terms = terms_of("i need hosting with a domain", synonyms)
    assert [term.word.text for term in terms if not term.is_optional] == ["domain"]
    assert Pass.strict(terms).needed == {5}
    fillers = Pass.strict(terms_of("do you", synonyms))
    assert (set(fillers.needed), fillers.required) == ({0, 1}, 1)


def test_later_passes_require_fewer_words_and_prefer_rare_ones() -> None:
    terms = terms_of("fast zebra hosting colour shop", parse_synonyms(""))
    passes = list(later_passes(terms, [15, 0, 63, 1, 31], 63))
    assert [(set(one.needed), one.required) for one in passes] == [
        ({0, 1, 3, 4}, 4),
        ({0, 3, 4}, 3),
        ({0, 1, 3, 4}, 3),
        ({0, 1, 3, 4}, 2),
        ({0, 1, 3, 4}, 1),
        ({2}, 1),
    ]
    assert [set(one.tolerant) for one in passes] == [{1}, {1}, {1}, {1}, {1}, set()]
    assert passes[0].boosts == (2.0, 6.0, 0.25, 5.0, 1.0)


def test_text_typed_as_one_is_attached() -> None:
    terms = terms_of("s3 vps 8", parse_synonyms(""))
    assert [term.attached for term in terms] == [(), ("s3",), (), ()]


@pytest.mark.parametrize(
    "text", ["R 2 200", "r2 200", "ZAR 2,200.00", "R2200", "R\u00a02\u202f200"]
)
def test_amounts_are_one_number(text: str) -> None:
    assert words_of(text)[-1].text == "2200"


def test_many_words_are_cut() -> None:
    synonyms = parse_synonyms("")
    assert len(terms_of("word " * 100, synonyms)) == MAX_TERMS


def test_synonyms_replace_words_and_phrases_both_ways() -> None:
    synonyms = parse_synonyms("CDN, content delivery network\nshop, Stores")
    (cdn,) = terms_of("cdn", synonyms)
    assert list(cdn.synonyms) == [("contentdelivery", "deliverynetwork")]
    phrase = terms_of("a content delivery network", synonyms)
    assert [list(term.synonyms) for term in phrase] == [[], *[[("cdn",)]] * 3]
    (store,) = terms_of("store", synonyms)
    assert list(store.synonyms) == [("shop",)]


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
