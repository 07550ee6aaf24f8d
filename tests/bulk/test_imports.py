"""Imports: a round trip keeps every value, and each row finds its product."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

import pytest

from products.bulk.csv_files import COLUMNS, Sheet, csv_lines, parse_sheet, product_rows
from products.bulk.imports import column_mapping, guess_mapping, plan_import
from products.bulk.rows import RowState
from products.errors import Invalid
from products.product import Product, normalised_name
from tests.support.builders import a_product


class Existing:
    """The products that exist; ``asked`` are the IDs and names that were looked for."""

    def __init__(self, *products: Product) -> None:
        self.products = products
        self.asked: list[str] = []

    def by_ids(self, product_ids: list[str]) -> dict[str, Product]:
        self.asked += product_ids
        found = [product for product in self.products if product.product_id in product_ids]
        return {product.product_id: product for product in found}

    def by_names(self, names: list[str]) -> dict[str, Product]:
        self.asked += names
        wanted = set(map(normalised_name, names))
        by_name = {normalised_name(product.name): product for product in self.products}
        return {name: product for name, product in by_name.items() if name in wanted}


def sheet(*rows: str) -> Sheet:
    return parse_sheet("\r\n".join(rows).encode())


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    return "".join(csv_lines(rows))


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
    (row,) = plan_import(imported, mapping, Existing(product))
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
    p1 = a_product(product_id="p1", name="First one")
    existing = Existing(p1, a_product(product_id="p2", features=("a", "b")))
    rows = plan_import(imported, mapping, existing)
    assert rows[0].changed == {
        "price": (Decimal("1500.00"), Decimal("1600.00")),
        "features": ((), ("Mail", "Web")),
        "active": (True, False),
    }
    assert (rows[1].product_id, rows[1].changed["features"]) == ("p2", (("a", "b"), ()))
    assert (rows[2].creates, rows[2].state) == (True, RowState.REFUSED)
    assert "description: This field is required." in rows[2].message
    assert [row.state for row in rows[3:]] == [RowState.REFUSED] * 2
    assert existing.asked == ["p1", "p9", "basic  HOSTING", "New hosting"]


def test_second_row_about_a_product_is_refused() -> None:
    imported = sheet(
        "productId,name,price", "p1,,2", ",Basic hosting,3", ",A new one,3", ",a NEW one,4"
    )
    rows = plan_import(imported, guess_mapping(imported.header), Existing(a_product()))
    assert rows[0].state == RowState.WAITING
    assert rows[1].message == "Row 1 is about the same product."


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({1: "name"}, "may be one column only"),
        ({1: "colour"}, "may be one column only"),
        ({0: ""}, "must be the product's ID or its name"),
    ],
)
def test_an_impossible_mapping_is_refused(chosen: dict[int, str], sentence: str) -> None:
    header = ["Title", "Old price"]
    assert column_mapping(header, {1: "price"}) == ["name", "price"]
    with pytest.raises(Invalid, match=sentence):
        column_mapping(header, chosen)
