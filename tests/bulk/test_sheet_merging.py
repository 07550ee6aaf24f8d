"""A sheet merges like the form: by cell, from the version that its row started from."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from products.bulk.clashes import NoClash, Side, decided_row
from products.bulk.csv_files import EXPORTED, exported_cell
from products.bulk.rows import Row, RowState
from products.documents import FIELD_NAMES
from products.errors import Invalid
from products.merging import Clash, merged
from products.product import Product
from tests.support.builders import a_product
from tests.support.import_files import csv_of, planned, planned_rows

OLD = a_product(price=Decimal("149.00"))
REPRICED = replace(OLD, price=Decimal("175.00"), version=2, updated_by="ben")
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(["Basic hosting", "Better hosting", "Best hosting"]),
    "description": st.sampled_from(["Hosting for a first site.", "Hosting for many sites."]),
    "price": st.sampled_from([Decimal("149.00"), Decimal("175.00"), Decimal("99.50")]),
    "active": st.booleans(),
    "features": st.sampled_from([("10 GB",), ("10 GB", "SSL"), ("SSL | TLS",)]),
}
one_edit = st.one_of(
    *(st.fixed_dictionaries({name: strategy}) for name, strategy in VALUES.items())
)


def sheet_of(product: Product, edits: Mapping[str, Any] | None = None) -> str:
    """Return the export of a product in which somebody has edited these cells."""
    edited = replace(product, **(edits or {}))
    cells = [exported_cell(getattr(edited, FIELD_NAMES[column])) for column in EXPORTED]
    return csv_of([EXPORTED, cells])


def test_cells_nobody_touched_are_no_edits() -> None:
    data = sheet_of(OLD, {"description": "Hosting for many sites."})
    [row] = planned_rows(data, OLD, REPRICED)
    assert row.changed == {"description": (OLD.description, "Hosting for many sites.")}
    assert (row.base, row.state) == (1, RowState.WAITING)
    assert merged(OLD, row.edits, REPRICED).price == Decimal("175.00")


def test_same_cell_changed_by_both_is_a_clash_to_decide() -> None:
    data = sheet_of(OLD, {"price": Decimal("99.00"), "description": "Hosting for many sites."})
    [row] = planned_rows(data, OLD, REPRICED)
    assert row.state == RowState.CLASH
    assert row.clashes == {"price": Clash(OLD.price, Decimal("99.00"), REPRICED.price)}
    mine = decided_row(row, {"price": Side.MINE})
    assert (mine.state, mine.base) == (RowState.WAITING, 2)
    assert mine.changed["price"] == (REPRICED.price, Decimal("99.00"))
    assert merged(REPRICED, mine.edits, REPRICED).price == Decimal("99.00")
    theirs = decided_row(row, {"price": Side.THEIRS})
    assert theirs.changed.keys() == theirs.edits.keys() == {"description"}
    with pytest.raises(Invalid, match="Decide about each of these fields: price"):
        decided_row(row, {"name": Side.MINE})
    with pytest.raises(NoClash):
        decided_row(mine, {"price": Side.MINE})


def test_only_theirs_leaves_the_row_unchanged() -> None:
    [row] = planned_rows(sheet_of(OLD, {"price": Decimal("99.00")}), OLD, REPRICED)
    assert decided_row(row, {"price": Side.THEIRS}).state == RowState.UNCHANGED


def test_row_without_version_is_compared_with_today_and_says_so() -> None:
    plan = planned("productId,price,description\np1,149.00,\n", OLD, REPRICED)
    assert plan.rows[0].changed == {"price": (Decimal("175.00"), Decimal("149.00"))}
    assert any("have no version" in note for note in plan.notes)
    plan = planned("productId,price,version\np1,149.00,1\np2,1,\n", OLD, REPRICED, OTHER)
    assert plan.rows[0].state == RowState.UNCHANGED
    assert "1 row has no version and is compared with today's product." in plan.notes


OTHER = a_product(product_id="p2", name="Other hosting")


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        ("9", "Fassung: p1 has no version 9; it is at version 2."),
        ("x", "Fassung “x”: Must be a version such as 3, as in an export."),
    ],
)
def test_impossible_version_is_refused(version: str, sentence: str) -> None:
    data = f"productId,price,Fassung\np1,149.00,{version}\n"
    [row] = planned_rows(data, OLD, REPRICED, columns={2: "version"})
    assert (row.state, row.message) == (RowState.REFUSED, sentence)


def three_way(base: Product, mine: Product, theirs: Product) -> tuple[dict[str, Any], set[str]]:
    """Return the merged fields, and the fields in conflict."""
    merged_fields: dict[str, Any] = {}
    conflicts: set[str] = set()
    for name in VALUES:
        start, own, other = (getattr(product, name) for product in (base, mine, theirs))
        if own == start:
            merged_fields[name] = other
        elif other in (start, own):
            merged_fields[name] = own
        else:
            conflicts.add(name)
    return merged_fields, conflicts


@settings(deadline=None)
@given(
    before=st.lists(one_edit, max_size=3),
    mine=st.lists(one_edit, max_size=4),
    theirs=st.lists(one_edit, max_size=4),
    sides=st.fixed_dictionaries(dict.fromkeys(VALUES, st.sampled_from(Side))),
)
def test_any_interleaving_of_edits_equals_a_three_way_merge(
    before: list[dict[str, Any]],
    mine: list[dict[str, Any]],
    theirs: list[dict[str, Any]],
    sides: dict[str, Side],
) -> None:
    versions = [a_product(features=("10 GB",))]
    for edit in before:
        versions.append(replace(versions[-1], **edit, version=len(versions) + 1))
    base = versions[-1]
    for edit in theirs:
        versions.append(replace(versions[-1], **edit, version=len(versions) + 1))
    newest = versions[-1]
    wanted = {name: value for edit in mine for name, value in edit.items()}
    [row] = planned_rows(sheet_of(base, wanted), *versions)
    expected, conflicts = three_way(base, replace(base, **wanted), newest)
    assert set(row.clashes) == conflicts
    if row.clashes:
        row = decided_row(row, {name: sides[name] for name in row.clashes})
        for name in conflicts:
            is_mine = sides[name] == Side.MINE
            expected[name] = wanted[name] if is_mine else getattr(newest, name)
    result = applied(row, versions)
    assert {name: getattr(result, name) for name in VALUES} == expected
    assert (row.state == RowState.UNCHANGED) is (result == newest)


def applied(row: Row, versions: list[Product]) -> Product:
    """Return the newest product after the row's write, as the catalogue makes it."""
    newest = versions[-1]
    if row.state == RowState.UNCHANGED:
        return newest
    assert row.base is not None
    return merged(versions[row.base - 1], row.edits, newest)
