"""CSV files: no cell runs as a formula, usual files are read, damaged ones are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.bulk.csv_files import FORMULA_STARTS, escape_cell, unescape_cell
from products.bulk.files import read_sheet
from products.bulk.sheets import Sheet
from products.errors import Invalid


def texts(sheet: Sheet) -> list[list[str]]:
    return [sheet.header, *([str(cell) for cell in row.cells] for row in sheet.rows)]


@given(
    st.text()
    | st.sampled_from(
        ["=1+1", "＝1＋1", "'＠home", "'@home", "''", "(empty)", "'(empty)", "''(empty)"]
    )
)
def test_escaped_cell_is_no_formula_and_keeps_its_text(text: str) -> None:
    cell = escape_cell(text)
    assert not cell.startswith(FORMULA_STARTS)
    assert cell != "(empty)"
    assert unescape_cell(cell) == text


def test_apostrophes_that_people_write_stay() -> None:
    assert unescape_cell("'quoted") == "'quoted"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "header row and at least one product row"),
        (b"name\n", "header row and at least one product row"),
        (b"PK\x03\x04\0\0", "The workbook is damaged"),
        (b"\xd0\xcf\x11\xe0abc", r"old .xls format or has a password"),
        (b'[{"name": "a"}]', "This is JSON"),
        (b"<html><table></table></html>", "This is a web page"),
        (b"%PDF-1.7", "This is a PDF"),
        (b"name\n" + b"x\n" * 10_001, "at most 10000 rows; it has 10001"),
        (b"x" * 5_000_001, "at most 5 MB"),
        (b'name,"' + b"x" * 200_000 + b'"\na,b\n', "Line 1 has a cell that is too long"),
        (b'name,price\nA,1\nB,"never\nclosed', "begins in line 3, a quotation mark is not closed"),
        (b'name,price\n"19" rack",1\n', "begins in line 2, a quotation mark is not closed"),
    ],
)
def test_invalid_file_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        read_sheet(data)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac_roman"]
)
def test_delimiter_line_end_and_encoding_are_found(
    newline: str, delimiter: str, encoding: str
) -> None:
    rows = [["Name", "Price"], ["Café hosting", "R1 500"], ["Zoë's “plan”", "1"]]
    text = newline.join(delimiter.join(row) for row in rows)
    sheet = read_sheet(text.encode(encoding))
    assert texts(sheet) == rows
    assert [row.line for row in sheet.rows] == [2, 3]
    is_legacy = encoding in {"cp1252", "mac_roman"}
    assert bool(sheet.notes) is is_legacy
    assert not is_legacy or "Café" in sheet.notes[0]


def test_unknown_encoding_is_refused() -> None:
    with pytest.raises(Invalid, match="CSV UTF-8"):
        read_sheet("name\nПривет и пока".encode("cp1251"))


def test_separator_line_and_title_lines_are_not_the_head() -> None:
    text = 'sep=;\nPrices of 2026\n\n;"a;\nb"\nSKU;Name;Price\nV-1;"two\nlines";1\nV-2;x;2\n'
    sheet = read_sheet(text.encode())
    assert sheet.header == ["SKU", "Name", "Price"]
    assert [row.line for row in sheet.rows] == [7, 9]
    assert sheet.notes == ("The column names are in line 6; lines above it are not read.",)


def test_head_of_two_lines_is_read_as_one() -> None:
    sheet = read_sheet(b"SKU,Name,Prices,\n,,Price,Renewal price\nV-1,x,1,2\n")
    assert sheet.header == ["SKU", "Name", "Price", "Renewal price"]
    assert len(sheet.rows) == 1
