"""From the rows of a sheet to records of products: variants, images and HTML. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from products.bulk.columns import Column, is_own_export
from products.bulk.csv_files import READ_ONLY
from products.bulk.html_text import is_markup, plain_text
from products.bulk.sheets import Cell, Sheet, SheetRow, cell_text
from products.bulk.shops import NO_SHOP, Shop, columns_named, is_image_column

INHERITED = ("name", "description", "features", "active", "currency", "billingCycle", "period")
"""The fields that a variant takes from its product when its own cell is blank."""
TEXT_FIELDS = ("name", "description", "features")
NO_OPTION = {"", "default title", "default", "default variant"}
"""Values of an option that all products without variants have."""
FORMULA_ERRORS = {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#ERROR!"}
ID_PREFIX = "id:"
"""Marks an ID among SKUs in WooCommerce's column Parent."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one row says about a product: its cells by field, without blank ones.

    ``error`` is a sentence when the row itself is damaged. ``is_exported`` says that the row comes
    from our own export, so its texts are read literally.
    """

    line: int
    cells: Mapping[str, Cell]
    error: str = ""
    is_exported: bool = False


@dataclass(slots=True)
class RecordReader:
    """Makes records of a sheet's rows, and counts what is converted or left out."""

    sheet: Sheet
    columns: Sequence[Column]
    shop: Shop = NO_SHOP
    counts: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    _parents: dict[str, dict[str, Cell]] = field(default_factory=dict)

    def records(self) -> list[Record]:
        """Return the records in the order of the rows."""
        header = self.sheet.header
        images = [number for number, name in enumerate(header) if is_image_column(name)]
        exported = columns_named(header, READ_ONLY) if is_own_export(header) else []
        records: list[Record] = []
        for row in self.sheet.rows:
            surplus = [cell_text(cell) for cell in row.cells[len(header) :]]
            if any(surplus):
                records.append(Record(row.line, self._cells(row), _surplus_sentence(row, header)))
                continue
            broken = self._formula_error(row)
            if broken:
                records.append(Record(row.line, self._cells(row), broken))
                continue
            self.counts["images"] += any(_text_at(row, number) for number in images)
            cells = self._product_cells(row)
            if cells is None:
                continue
            is_exported = any(_text_at(row, number) for number in exported)
            if not is_exported:
                cells = self._without_markup(cells)
            records.append(Record(row.line, cells, is_exported=is_exported))
        return records

    def notes(self) -> list[str]:
        """Return sentences about what was converted or left out."""
        notes = [f"Left out: {_rows(count)} of {what}." for what, count in self.left_out.items()]
        if self.counts["images"]:
            rows = _rows(self.counts["images"])
            notes.append(f"Images are not imported ({rows} with images); upload them afterwards.")
        if self.counts["markup"]:
            rows = _rows(self.counts["markup"])
            notes.append(f"HTML was turned into plain text in {rows}.")
        if self.counts["variants"]:
            rows = _rows(self.counts["variants"])
            notes.append(f"Each variant becomes a product of its own ({rows}).")
        return notes

    def _formula_error(self, row: SheetRow) -> str:
        """Return a sentence about a cell that shows the error of a formula, "" without one."""
        for column, cell in zip(self.columns, row.cells, strict=False):
            if column.field and cell_text(cell) in FORMULA_ERRORS:
                return f"{column.name} “{cell_text(cell)}”: Is the error of a formula."
        return ""

    def _cells(self, row: SheetRow) -> dict[str, Cell]:
        cells: dict[str, Cell] = {}
        for column, cell in zip(self.columns, row.cells, strict=False):
            if column.field and cell_text(cell):
                cells[column.field] = cell
        return cells

    def _product_cells(self, row: SheetRow) -> dict[str, Cell] | None:
        """Return the cells of the product in this row, or None when the row is none to buy."""
        cells, shop = self._cells(row), self.shop
        if shop.only_blank and self._named(row, [shop.only_blank])[0]:
            self.left_out["texts of store views"] += 1
            return None
        kind = self._named(row, [shop.kind])[0].casefold() if shop.kind else ""
        if shop.parent:
            self._remember_parent(row, cells)
        if kind in shop.left_out:
            self.left_out[shop.left_out[kind]] += 1
            return None
        if shop.group:
            return self._grouped(row, cells)
        return self._child(row, cells) if shop.parent else cells

    def _named(self, row: SheetRow, names: Sequence[str]) -> list[str]:
        """Return the texts in the columns with these names; a missing column is blank."""
        numbers = columns_named(self.sheet.header, names)
        return [_text_at(row, number) for number in numbers] or [""]

    def _remember_parent(self, row: SheetRow, cells: dict[str, Cell]) -> None:
        sku, number = self._named(row, ["sku"])[0], self._named(row, ["id"])[0]
        for key in (sku, f"{ID_PREFIX}{number}" if number else ""):
            if key:
                self._parents.setdefault(key, cells)

    def _child(self, row: SheetRow, cells: dict[str, Cell]) -> dict[str, Cell]:
        """Return the cells of a variation with what it takes from its product."""
        parent = self._parents.get(self._named(row, [self.shop.parent])[0])
        if parent is None:
            return cells
        self.counts["variants"] += 1
        own_name = cell_text(cells.get("name", ""))
        inherited = _inherit(parent, cells)
        if own_name in ("", cell_text(parent.get("name", ""))):
            return _named_by_options(inherited, self._options(row))
        return inherited

    def _grouped(self, row: SheetRow, cells: dict[str, Cell]) -> dict[str, Cell] | None:
        """Return the cells of one of the rows with the same value in the group's column."""
        group = self._named(row, [self.shop.group])[0]
        options = self._options(row)
        parent = self._parents.get(group) if group else None
        if parent is None:
            self._parents[group] = dict(cells)
        elif not cells.keys() & {"productId", "price"}:
            self.left_out["further images of a product"] += 1
            return None
        if not options and parent is None:
            return cells
        self.counts["variants"] += bool(options)
        return _named_by_options(_inherit(parent or cells, cells), options)

    def _options(self, row: SheetRow) -> list[str]:
        texts = self._named(row, self.shop.options)
        return [text for text in texts if text.casefold() not in NO_OPTION]

    def _without_markup(self, cells: dict[str, Cell]) -> dict[str, Cell]:
        converted = dict(cells)
        for name in TEXT_FIELDS:
            cell = cells.get(name)
            if not isinstance(cell, str):
                continue
            text = cell.replace("\\r", "").replace("\\n", "\n") if self.shop.name else cell
            if is_markup(text.strip()):
                text = plain_text(text.strip())
            converted[name] = text
        self.counts["markup"] += converted != cells
        return {name: cell for name, cell in converted.items() if cell_text(cell)}


def _inherit(parent: Mapping[str, Cell], cells: Mapping[str, Cell]) -> dict[str, Cell]:
    return {name: parent[name] for name in INHERITED if name in parent} | dict(cells)


def _named_by_options(cells: dict[str, Cell], options: Sequence[str]) -> dict[str, Cell]:
    name = cell_text(cells.get("name", ""))
    if not options or not name:
        return cells
    return cells | {"name": f"{name} – {' / '.join(options)}"}


def _text_at(row: SheetRow, number: int) -> str:
    return cell_text(row.cells[number]) if number < len(row.cells) else ""


def _surplus_sentence(row: SheetRow, header: Sequence[str]) -> str:
    return (
        f"The row has {len(row.cells)} cells, and there are {len(header)} columns. "
        "A text with the delimiter in it must be in quotation marks."
    )


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"
