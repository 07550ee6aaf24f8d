"""Planning imports of small files against products in memory."""

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape

import openpyxl

from products.bulk.csv_files import csv_lines, product_rows
from products.bulk.files import read_sheet
from products.bulk.imports import ImportOptions, ImportPlan, plan_import
from products.bulk.rows import Row
from products.lists import ListQuery
from products.product import Product, normalised_name

ODS_NAMES = "".join(
    f' xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0"'
    for prefix in ("office", "text", "table")
)
ODS_MANIFEST = (
    '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" m:version="1.3">'
    '<m:file-entry m:full-path="/" '
    'm:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
    '<m:file-entry m:full-path="content.xml" m:media-type="text/xml"/></m:manifest>'
)


class Existing:
    """The products that exist, each in some versions; ``asked`` was looked for."""

    def __init__(self, *products: Product) -> None:
        self.versions = {(product.product_id, product.version): product for product in products}
        self.products = {product.product_id: product for product in products}
        self.asked: list[str] = []

    def by_ids(self, product_ids: list[str]) -> dict[str, Product]:
        self.asked += product_ids
        return {key: self.products[key] for key in product_ids if key in self.products}

    def by_names(self, names: list[str]) -> dict[str, Product]:
        self.asked += names
        by_name = {normalised_name(product.name): product for product in self.products.values()}
        wanted = set(map(normalised_name, names))
        return {name: product for name, product in by_name.items() if name in wanted}

    def by_versions(self, versions: list[tuple[str, int]]) -> dict[tuple[str, int], Product]:
        return {key: self.versions[key] for key in versions if key in self.versions}

    def walk(self, listing: ListQuery, limit: int) -> Iterator[Product]:
        return iter(list(self.products.values())[:limit])


def planned(data: str | bytes, *products: Product, **options: Any) -> ImportPlan:
    """Plan the import of a file while these products exist, in the order of their versions."""
    encoded = data.encode() if isinstance(data, str) else data
    return plan_import(read_sheet(encoded), ImportOptions(**options), Existing(*products))


def planned_rows(data: str | bytes, *products: Product, **options: Any) -> list[Row]:
    return planned(data, *products, **options).rows


def exported(*products: Product) -> str:
    """Return the export of these products."""
    return csv_of(product_rows(products))


def csv_of(rows: Iterable[Sequence[str]]) -> str:
    return "".join(csv_lines(rows))


def xlsx_of(*rows: Sequence[Any], title: str = "Sheet1") -> bytes:
    """Return a workbook as Excel writes it: typed cells, formulas as texts with "="."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    return saved(workbook)


def saved(workbook: Any) -> bytes:
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


def xlsx_of_shared_texts(texts: str | bytes, numbers: Sequence[int]) -> bytes:
    """Return a workbook as Excel writes it: one column of cells that name texts by number.

    ``texts`` is the content of the part with the texts.
    """
    rows = "".join(f'<row><c t="s"><v>{number}</v></c></row>' for number in numbers)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    relation = f'<Relationship Id="rIdTexts" Type="{kind}" Target="sharedStrings.xml"/>'
    with zipfile.ZipFile(io.BytesIO(xlsx_of(["name"]))) as archive:
        files: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
        relations = archive.read("xl/_rels/workbook.xml.rels").decode()
    files["xl/_rels/workbook.xml.rels"] = relations.replace(
        "</Relationships>", f"{relation}</Relationships>"
    )
    files["xl/sharedStrings.xml"] = texts
    files["xl/worksheets/sheet1.xml"] = (
        f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
    )
    return zip_of(files)


def ods_of(*rows: Sequence[Any]) -> bytes:
    """Return an OpenDocument sheet as LibreOffice writes it, with its endless blank cells."""
    lines = "".join(
        f"<table:table-row>{''.join(map(_ods_cell, row))}"
        '<table:table-cell table:number-columns-repeated="16000"/></table:table-row>'
        for row in rows
    )
    return ods_of_table(
        f'{lines}<table:table-row table:number-rows-repeated="1048000">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )


def ods_of_table(rows: str, *, before: str = "") -> bytes:
    """Return an OpenDocument sheet with this XML; ``before`` is in front of the root element."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}'
        f'<office:document-content{ODS_NAMES} office:version="1.3"><office:body>'
        f'<office:spreadsheet><table:table table:name="Prices">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    return zip_of(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content,
            "META-INF/manifest.xml": ODS_MANIFEST,
        }
    )


def zip_of(files: dict[str, str | bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def _ods_cell(value: Any) -> str:
    if isinstance(value, bool):
        kind = f'office:value-type="boolean" office:boolean-value="{str(value).lower()}"'
    elif isinstance(value, int | float):
        kind = f'office:value-type="float" office:value="{value}"'
    else:
        kind = 'office:value-type="string"'
    lines = "".join(f"<text:p>{escape(line)}</text:p>" for line in str(value).split("\n"))
    return f"<table:table-cell {kind}>{lines}</table:table-cell>"
