"""Workbooks: cells are read with their types, and no file can use up the memory or the time."""

import io
import re
import struct
import zipfile
from contextlib import suppress
from datetime import date
from decimal import Decimal

import openpyxl
import pytest

from products.bulk.csv_files import product_rows
from products.bulk.files import read_head, read_sheet
from products.bulk.rows import RowState
from products.bulk.tables import MAX_UNPACKED
from products.bulk.xlsx_export import NUMBER_COLUMNS, write_xlsx
from products.errors import Invalid
from tests.support.builders import a_product
from tests.support.import_files import (
    ods_of,
    ods_of_table,
    planned_rows,
    saved,
    xlsx_of,
    xlsx_of_shared_texts,
    zip_of,
)

HEAD = ["SKU", "Name", "Price", "Active", "Since"]
ROWS = [
    ["V-1", "Café 日本 & <b>\nsecond line", 1500.5, True, "x"],
    [44, "Numeric ID", 0.1 + 0.2, False, ""],
]


@pytest.mark.parametrize("make", [xlsx_of, ods_of])
def test_typed_cells_are_read(make: object) -> None:
    sheet = read_sheet(make(["Prices of 2026"], HEAD, *ROWS))  # type: ignore[operator] # both are
    assert sheet.header == HEAD
    assert [row.line for row in sheet.rows] == [3, 4]
    assert sheet.rows[0].cells[:4] == ["V-1", ROWS[0][1], Decimal("1500.5"), True]
    existing = [a_product(product_id=key, name=f"Old {key}") for key in ("V-1", "44")]
    cells = [["SKU", "Price"], ["V-1", 1500.5], [44, 0.1 + 0.2]]
    rows = planned_rows(make(*cells), *existing)  # type: ignore[operator] # both are functions
    assert [row.changed.get("price") for row in rows] == [
        (Decimal("1500.00"), Decimal("1500.50")),
        (Decimal("1500.00"), Decimal("0.30")),
    ]


def test_number_of_a_workbook_is_never_ambiguous() -> None:
    [row] = planned_rows(xlsx_of(["SKU", "Price"], ["p1", 1.5]), a_product())
    assert row.changed["price"][1] == Decimal("1.50")
    [row] = planned_rows(xlsx_of(["SKU", "Price"], ["p1", "1.500"]), a_product())
    assert row.state == RowState.REFUSED


def test_sheet_with_products_is_found_among_others() -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["Read me first"])
    hidden = workbook.create_sheet("Old")
    hidden.append(HEAD)
    hidden.sheet_state = "hidden"
    sheet = workbook.create_sheet("Prices")
    sheet.append(["All prices"])
    sheet.merge_cells("A1:E1")
    sheet.append(HEAD)
    sheet.append(["V-1", "Hosting", 1, True, date(2026, 3, 1)])
    sheet.append(["V-2", "Hosting", 2, True, None])
    sheet.row_dimensions[4].hidden = True
    read = read_sheet(saved(workbook))
    assert (read.header, len(read.rows)) == (HEAD, 2)
    assert read.rows[0].cells[4] == "2026-03-01T00:00:00"
    assert read.notes == (
        "Read from “Prices”, one of 2 sheets.",
        "1 hidden row is read too.",
        "The column names are in line 2; lines above it are not read.",
    )


def test_formula_without_a_value_is_refused() -> None:
    with pytest.raises(Invalid, match="The cell C2 has a formula without a value"):
        read_sheet(xlsx_of(HEAD, ["V-1", "Hosting", "=1+1"]))


def test_export_holds_no_formula() -> None:
    data = write_xlsx(product_rows([a_product(name="=1+1")]), NUMBER_COLUMNS)
    cells = openpyxl.load_workbook(io.BytesIO(data)).active[2]
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    assert cells[3].value == 1500


def far_away(reference: str) -> bytes:
    """Return a workbook with one cell at a great distance from the first one."""
    workbook = openpyxl.Workbook()
    workbook.active["A1"] = "name"
    workbook.active[reference] = 1
    return saved(workbook)


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """Return the workbook with another content of one of its parts."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files: dict[str, str | bytes] = {item: archive.read(item) for item in archive.namelist()}
    return zip_of(files | {name: content})


def with_false_size(data: bytes) -> bytes:
    """Return the workbook whose directory says that each part has one byte."""
    marked = bytearray(data)
    at = marked.find(b"PK\x01\x02")
    while at >= 0:
        struct.pack_into("<I", marked, at + 24, 1)
        at = marked.find(b"PK\x01\x02", at + 1)
    return bytes(marked)


def with_rows(rows: str) -> bytes:
    """Return a workbook whose sheet has this XML in place of rows."""
    names = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    sheet = f"<worksheet {names}><sheetData>{rows}</sheetData></worksheet>"
    return with_part(xlsx_of(HEAD, *ROWS), "xl/worksheets/sheet1.xml", sheet.encode())


def compressed_again(data: bytes, method: int) -> bytes:
    """Return a zip with the same files."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(target, "w", method) as archive,
    ):
        for name in source.namelist():
            archive.writestr(name, source.read(name))
    return target.getvalue()


ENTITIES = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
CELL = '<table:table-cell office:value-type="string" {}><text:p>name</text:p></table:table-cell>'
TEXTS = "<sst><si><t>name</t></si><si><t>&c;</t></si></sst>"
SHARED = "xl/sharedStrings.xml"
BOMBS = {
    "row": lambda: far_away("A1048576"),
    "column": lambda: far_away("XFD1"),
    "blank row": lambda: with_rows('<row r="1"><c r="A1"><v>1</v></c></row><row r="99999999"/>'),
    "blank cells": lambda: with_rows('<row><c r="ZZZ1"/></row>' * 20_000),
    "depth": lambda: with_rows("<a>" * 1_000_000),
    "no such text": lambda: with_rows('<row><c t="s"><v>-1</v></c></row>'),
    "ods depth": lambda: ods_of_table("<a>" * 1_000_000),
    "ods late entities": lambda: ods_of_table("", before=f"<!--{' ' * 3_000_000}-->{ENTITIES}"),
    "ods many spaces": lambda: ods_of_table(
        f"<table:table-row><table:table-cell><text:p>{'<text:s text:c="1000"/>' * 10_000}a"
        "</text:p></table:table-cell></table:table-row>"
    ),
    "columns": lambda: xlsx_of(["name"] * 501, ["x"] * 501),
    "zip": lambda: with_part(xlsx_of(HEAD), SHARED, b" " * (MAX_UNPACKED + 1)),
    "ratio": lambda: with_part(xlsx_of(HEAD), SHARED, b" " * (MAX_UNPACKED // 2)),
    "false size": lambda: with_false_size(xlsx_of(HEAD, *ROWS)),
    "entities": lambda: xlsx_of_shared_texts(f"{ENTITIES}{TEXTS}", [0, 1]),
    "entities 16": lambda: xlsx_of_shared_texts(f"{ENTITIES}{TEXTS}".encode("utf-16"), [0, 1]),
    "ods entities": lambda: ods_of_table("<table:table-row/>", before=ENTITIES),
    "ods rows": lambda: ods_of_table(
        f'<table:table-row table:number-rows-repeated="1048576">{CELL.format("")}</table:table-row>'
    ),
    "ods columns": lambda: ods_of_table(
        f"<table:table-row>{CELL.format('table:number-columns-repeated="16384"')}</table:table-row>"
    ),
    "ods spaces": lambda: ods_of_table(
        '<table:table-row><table:table-cell><text:p>a<text:s text:c="999999999"/></text:p>'
        "</table:table-cell></table:table-row>"
    ),
    "ods number": lambda: ods_of_table(
        '<table:table-row><table:table-cell office:value-type="float" office:value="1e999999999"/>'
        "</table:table-row>"
    ),
    "no workbook": lambda: zip_of({"a.txt": "x"}),
    "damaged": lambda: with_part(xlsx_of(HEAD), "xl/workbook.xml", b"<broken"),
    "cut": lambda: xlsx_of(HEAD, *ROWS)[:-200],
    "other compression": lambda: compressed_again(xlsx_of(HEAD, *ROWS), zipfile.ZIP_LZMA),
    "many files": lambda: zip_of({f"{number}.xml": "" for number in range(1001)}),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", BOMBS)
def test_dangerous_workbook_is_refused_at_once(name: str) -> None:
    with pytest.raises(Invalid):
        read_sheet(BOMBS[name]())


@pytest.mark.parametrize("encoding", ["none", "zlib", "rot13", "undefined", "mbcs", "x" * 300])
def test_part_in_an_unknown_encoding_is_refused(encoding: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{encoding}"?><workbook/>'
    with pytest.raises(Invalid):
        read_sheet(with_part(xlsx_of(HEAD), "xl/workbook.xml", declaration.encode()))


def test_sheet_that_is_listed_twice_is_read_once() -> None:
    with zipfile.ZipFile(io.BytesIO(xlsx_of(HEAD, *ROWS))) as archive:
        book = archive.read("xl/workbook.xml").decode()
    sheet = re.search(r"<sheet [^>]*>", book)
    assert sheet
    many = book.replace(sheet[0], sheet[0] * 1000)
    read = read_sheet(with_part(xlsx_of(HEAD, *ROWS), "xl/workbook.xml", many.encode()))
    assert read == read_sheet(xlsx_of(HEAD, *ROWS))


@pytest.mark.parametrize("make", [xlsx_of, ods_of])
def test_workbook_with_a_damaged_byte_is_read_or_refused(make: object) -> None:
    rows = [[f"V-{number}", f"Hosting {number * 7919}", number / 7] for number in range(100)]
    data = make(HEAD[:3], *rows)  # type: ignore[operator] # both are functions
    for position in range(0, len(data), 61):
        damaged = bytearray(data)
        damaged[position] ^= 0xFF
        with suppress(Invalid):
            read_sheet(bytes(damaged))


def test_long_text_that_many_cells_name_is_refused() -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["name"])
    for _ in range(1000):
        workbook.active.append(["x" * 30_000])
    with pytest.raises(Invalid, match="too large"):
        read_sheet(saved(workbook))


def test_texts_that_cells_share_are_read() -> None:
    texts = (
        "<sst><si><t>name</t></si><si><r><t>Web</t></r><r><t> hosting</t></r><rPh><t>x</t></rPh>"
        "</si><si><t/></si><si><t>a_x005F_b</t></si></sst>"
    )
    sheet = read_sheet(xlsx_of_shared_texts(texts, [0, 1, 2, 3, 1]))
    assert [row.cells for row in sheet.rows] == [["Web hosting"], ["a_b"], ["Web hosting"]]


def test_stored_values_of_formulas_are_read() -> None:
    cells = '<c r="A{0}" t="str"><f>B1</f><v>{1}</v></c>'
    rows = "".join(
        f'<row r="{line}">{cells.format(line, text)}</row>'
        for line, text in enumerate(["name", "V-1", ""], 1)
    )
    assert [row.cells for row in read_sheet(with_rows(rows)).rows] == [["V-1"]]


@pytest.mark.parametrize("make", [xlsx_of, ods_of])
def test_head_has_the_first_rows_and_columns(make: object) -> None:
    rows = [[f"V-{number}", "Hosting", number] for number in range(1000)]
    head = read_head(make(HEAD[:3], *rows))  # type: ignore[operator] # both are functions
    whole = read_sheet(make(HEAD[:3], *rows))  # type: ignore[operator] # both are functions
    assert head.has_more
    assert not whole.has_more
    assert (head.header, head.notes) == (whole.header, whole.notes)
    assert head.rows == whole.rows[: len(head.rows)]
    assert len(head.rows) > 200
