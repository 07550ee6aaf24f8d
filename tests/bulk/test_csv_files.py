"""CSV files: no cell runs as a formula, and a file of another kind is refused."""

import pytest

from products.bulk.csv_files import (
    escape_formula,
    parse_sheet,
    unescape_formula,
)
from products.errors import Invalid


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@cmd", "\tx", '=HYPERLINK("x")'])
def test_formula_is_escaped_and_unescaped(text: str) -> None:
    assert escape_formula(text).startswith("'")
    assert unescape_formula(escape_formula(text)) == text
    assert unescape_formula("'quoted") == "'quoted"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "header row and at least one product row"),
        (b"name\n", "header row and at least one product row"),
        (b"name\n\xff\xfe\n", "Must be UTF-8"),
        (b"PK\x03\x04\0\0", "not a CSV file"),
        (b"name\n" + b"x\n" * 10_001, "at most 10000 rows; it has 10001"),
        (b"x" * 5_000_001, "at most 5 MB"),
        (b'name,"' + b"x" * 200_000 + b'"\na,b\n', "not a CSV file"),
    ],
)
def test_invalid_file_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        parse_sheet(data)
