"""An export is its own import: for every legal product, in each format, edited or not."""

from typing import Any

import pytest
from hypothesis import given, settings

from products.bulk.csv_files import EXPORTED, exported_cell, product_rows
from products.bulk.files import read_sheet
from products.bulk.imports import ImportOptions, plan_import
from products.bulk.rows import RowState
from products.bulk.xlsx_export import NUMBER_COLUMNS, write_xlsx
from products.documents import FIELD_NAMES
from products.errors import CatalogueError
from products.merging import merged
from products.product import Product
from tests.support.import_files import Existing, csv_of, exported, planned_rows
from tests.support.product_strategies import edits, products

pytestmark = pytest.mark.generated


@settings(deadline=None)
@given(products)
def test_export_as_csv_changes_nothing(product: Product) -> None:
    [row] = planned_rows(exported(product), product)
    assert (row.state, row.changed, row.message) == (RowState.UNCHANGED, {}, "")


@settings(deadline=None)
@given(products)
def test_export_as_workbook_changes_nothing(product: Product) -> None:
    data = write_xlsx(product_rows([product]), NUMBER_COLUMNS)
    [row] = planned_rows(data, product)
    assert (row.state, row.changed, row.message) == (RowState.UNCHANGED, {}, "")


@settings(deadline=None)
@given(products)
def test_export_makes_the_same_product_elsewhere(product: Product) -> None:
    rows = [list(row) for row in product_rows([product])]
    without_version = [[*row[:-2], "", row[-1]] for row in rows[1:]]
    [row] = planned_rows(csv_of([rows[0], *without_version]))
    assert row.message == ""
    written = {name: after for name, (_, after) in row.changed.items()}
    for name, value in written.items():
        assert value == (product.shown_period if name == "period" else getattr(product, name))


@settings(deadline=None)
@given(products, edits)
def test_edited_export_makes_exactly_these_edits(product: Product, edited: dict[str, Any]) -> None:
    cleared = {name for name, value in edited.items() if value in (None, ())}
    try:
        wanted = merged(product, edited, product)
    except CatalogueError:
        return
    cells = [exported_cell(getattr(product, FIELD_NAMES[column])) for column in EXPORTED]
    for at, column in enumerate(EXPORTED):
        name = FIELD_NAMES[column]
        if name in edited:
            cells[at] = "(empty)" if name in cleared else exported_cell(edited[name])
    sheet = read_sheet(csv_of([EXPORTED, cells]).encode())
    [row] = plan_import(sheet, ImportOptions(), Existing(product)).rows
    assert row.message == ""
    assert merged(product, row.edits, product) == wanted
