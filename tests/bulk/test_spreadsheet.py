"""Products as a spreadsheet, and back: what a round trip keeps, and what no spreadsheet may run."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest

from products.bulk.rows import RowState
from products.bulk.spreadsheet import (
    COLUMNS,
    csv_lines,
    escape_formula,
    guess_mapping,
    lookup_keys,
    parse_sheet,
    plan_rows,
    product_rows,
    unescape_formula,
)
from products.errors import Invalid
from tests.support.builders import a_product


def sheet(*rows: str) -> Any:
    return parse_sheet("\r\n".join(rows).encode())


def texts(rows: Any) -> str:
    return "".join(csv_lines(rows))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@cmd", "\tx", '=HYPERLINK("x")'])
def test_no_cell_begins_as_a_formula_and_the_text_comes_back(text: str) -> None:
    assert escape_formula(text).startswith("'")
    assert unescape_formula(escape_formula(text)) == text
    assert unescape_formula("'quoted") == "'quoted"


def test_what_is_exported_can_be_imported_again_and_changes_nothing() -> None:
    product = a_product(
        name="=Danger",
        description='- first, "second"\n- third',
        features=("+ mail", "web, fast"),
        period="per domain",
    )
    data = texts(product_rows([product])).encode()
    back = parse_sheet(data)
    mapping = guess_mapping(back.header)
    assert mapping == [*COLUMNS, "", ""]
    assert lookup_keys(back, mapping) == (["p1"], [])
    row = plan_rows(back, mapping, {"p1": product}, {})[0]
    assert (row.state, row.changed) == (RowState.UNCHANGED, {})
    cells = next(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert (cells["name"], cells["price"], cells["active"]) == ("'=Danger", "1500.00", "yes")


def test_a_row_changes_the_product_with_its_id_or_its_name_and_else_adds_one() -> None:
    found = sheet(
        "ID;Name;Price;Features;Active",
        "p1;;1600;Mail|Web;no",
        ";basic  HOSTING;17;(empty);",
        ";New hosting;5;;yes",
        "p9;x;;;",
        ";;7;;",
    )
    mapping = guess_mapping(found.header)
    assert mapping == ["productId", "name", "price", "features", "active"]
    p1, p2 = a_product(product_id="p1"), a_product(product_id="p2", features=("a", "b"))
    rows = plan_rows(found, mapping, {"p1": p1}, {"basichosting": p2})
    assert rows[0].changed == {
        "price": (Decimal("1500.00"), Decimal("1600.00")),
        "features": ((), ("Mail", "Web")),
        "active": (True, False),
    }
    assert (rows[1].product_id, rows[1].changed["features"]) == ("p2", (("a", "b"), ()))
    assert (rows[2].creates, rows[2].state) == (True, RowState.REFUSED)
    assert "description: This field is required." in rows[2].message
    assert [row.state for row in rows[3:]] == [RowState.REFUSED] * 2
    assert lookup_keys(found, mapping) == (["p1", "p9"], ["basic  HOSTING", "New hosting"])


def test_a_product_is_in_a_file_once() -> None:
    found = sheet(
        "productId,name,price", "p1,,2", ",Basic hosting,3", ",A new one,3", ",a NEW one,4"
    )
    product = a_product()
    rows = plan_rows(found, guess_mapping(found.header), {"p1": product}, {"basichosting": product})
    assert (rows[0].state, rows[1].message) == (
        RowState.WAITING,
        "Row 1 is about the same product.",
    )


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "head line and at least one row"),
        (b"name\n", "head line and at least one row"),
        (b"name\n\xff\xfe\n", "Must be UTF-8"),
        (b"PK\x03\x04\0\0", "no CSV file"),
        (b"name\n" + b"x\n" * 10_001, "at most 10000 rows; it has 10001"),
        (b"x" * 5_000_001, "at most 5 MB"),
        (b'name,"' + b"x" * 200_000 + b'"\na,b\n', "no CSV file"),
    ],
)
def test_what_is_no_sheet_is_refused_in_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        parse_sheet(data)
