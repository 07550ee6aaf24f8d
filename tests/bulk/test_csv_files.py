"""Products as CSV: a round trip keeps every value, and no cell runs as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

import pytest

from products.bulk.csv_files import (
    COLUMNS,
    Sheet,
    csv_lines,
    escape_formula,
    guess_mapping,
    lookup_keys,
    parse_sheet,
    plan_rows,
    product_rows,
    unescape_formula,
)
from products.bulk.rows import RowState
from products.errors import Invalid
from tests.support.builders import a_product


def sheet(*rows: str) -> Sheet:
    return parse_sheet("\r\n".join(rows).encode())


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    return "".join(csv_lines(rows))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@cmd", "\tx", '=HYPERLINK("x")'])
def test_formula_is_escaped_and_unescaped(text: str) -> None:
    assert escape_formula(text).startswith("'")
    assert unescape_formula(escape_formula(text)) == text
    assert unescape_formula("'quoted") == "'quoted"


def test_import_of_an_export_changes_nothing() -> None:
    product = a_product(
        name="=Danger",
        description='- first, "second"\n- third',
        features=("+ mail", "web, fast"),
        period="per domain",
    )
    data = csv_text(product_rows([product])).encode()
    imported = parse_sheet(data)
    mapping = guess_mapping(imported.header)
    assert mapping == [*COLUMNS, "", ""]
    assert lookup_keys(imported, mapping) == (["p1"], [])
    row = plan_rows(imported, mapping, {"p1": product}, {})[0]
    assert (row.state, row.changed) == (RowState.UNCHANGED, {})
    cells = next(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert (cells["name"], cells["price"], cells["active"]) == ("'=Danger", "1500.00", "yes")


def test_row_changes_the_product_with_its_id_or_name_or_creates_one() -> None:
    imported = sheet(
        "ID;Name;Price;Features;Active",
        "p1;;1600;Mail|Web;no",
        ";basic  HOSTING;17;(empty);",
        ";New hosting;5;;yes",
        "p9;x;;;",
        ";;7;;",
    )
    mapping = guess_mapping(imported.header)
    assert mapping == ["productId", "name", "price", "features", "active"]
    p1, p2 = a_product(product_id="p1"), a_product(product_id="p2", features=("a", "b"))
    rows = plan_rows(imported, mapping, {"p1": p1}, {"basichosting": p2})
    assert rows[0].changed == {
        "price": (Decimal("1500.00"), Decimal("1600.00")),
        "features": ((), ("Mail", "Web")),
        "active": (True, False),
    }
    assert (rows[1].product_id, rows[1].changed["features"]) == ("p2", (("a", "b"), ()))
    assert (rows[2].creates, rows[2].state) == (True, RowState.REFUSED)
    assert "description: This field is required." in rows[2].message
    assert [row.state for row in rows[3:]] == [RowState.REFUSED] * 2
    assert lookup_keys(imported, mapping) == (["p1", "p9"], ["basic  HOSTING", "New hosting"])


def test_second_row_about_a_product_is_refused() -> None:
    imported = sheet(
        "productId,name,price", "p1,,2", ",Basic hosting,3", ",A new one,3", ",a NEW one,4"
    )
    product = a_product()
    rows = plan_rows(
        imported, guess_mapping(imported.header), {"p1": product}, {"basichosting": product}
    )
    assert rows[0].state == RowState.WAITING
    assert rows[1].message == "Row 1 is about the same product."


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
