"""Imports: each row finds its product, and says in the sheet's words what is wrong."""

from decimal import Decimal

import pytest

from products.amounts import DecimalMark
from products.bulk.files import read_sheet
from products.bulk.imports import ImportOptions, guessed_columns, plan_import
from products.bulk.rows import RowState
from products.errors import Invalid
from products.product import BillingCycle
from tests.support.builders import a_product
from tests.support.import_files import Existing, planned, planned_rows

VPS = a_product(product_id="VPS-2", name="Cloud VPS 2", price=Decimal("280.00"))
NEW = "Hosting for small shops"


def fields_of(text: str) -> list[str]:
    return [column.field for column in guessed_columns(read_sheet(text.encode()))]


def test_row_changes_the_product_with_its_id_or_name_or_creates_one() -> None:
    data = (
        "ID;Name;Price;Features;Active\np1;;1600;Mail|Web;no\n;basic  HOSTING;17;(empty);\n"
        ";New hosting;5;;yes\np9;x;;;\n;;7;;\n"
    )
    assert fields_of(data) == ["productId", "name", "price", "features", "active"]
    existing = Existing(
        a_product(product_id="p1", name="First one"),
        a_product(product_id="p2", features=("a1", "b2")),
    )
    rows = plan_import(read_sheet(data.encode()), ImportOptions(), existing).rows
    assert rows[0].changed == {
        "price": (Decimal("1500.00"), Decimal("1600.00")),
        "features": ((), ("Mail", "Web")),
        "active": (True, False),
    }
    assert (rows[1].product_id, rows[1].changed["features"]) == ("p2", (("a1", "b2"), ()))
    assert (rows[2].creates, rows[2].state) == (True, RowState.REFUSED)
    assert "Description: This field is required." in rows[2].message
    assert [row.state for row in rows[3:]] == [RowState.REFUSED] * 2
    assert existing.asked == ["p1", "p9", "basic  HOSTING", "New hosting", "x"]


def test_new_product_is_shown_with_its_defaults() -> None:
    [row] = planned_rows(f"SKU,Name,Description,Price\nNEW-1,New one,{NEW},99\n", VPS)
    assert (row.line, row.product_id, row.creates) == (2, "NEW-1", True)
    after = {name: value for name, (_, value) in row.changed.items()}
    assert (after["currency"], after["billing_cycle"], after["active"]) == (
        "ZAR",
        BillingCycle.ONE_TIME,
        True,
    )
    assert row.note == "There is no product NEW-1 yet."
    assert row.edits.keys() == {"name", "description", "price"}


@pytest.mark.parametrize("wrong", ["VSP-2", "vps-2", "VPS2", "VPS-22"])
def test_unknown_id_is_named_with_the_nearest_one(wrong: str) -> None:
    [row] = planned_rows(f"Artikelnummer;Price\n{wrong};280\n", VPS)
    assert row.state == RowState.REFUSED
    assert row.message.startswith(
        f"Artikelnummer: There is no product {wrong}. Did you mean VPS-2? As a new product: "
    )
    [row] = planned_rows(f"SKU,version,Price\n{wrong},1,280\n", VPS)
    assert "Did you mean VPS-2? A row with a version is about an existing product" in row.message
    assert planned_rows("SKU,Price\n\u200bVPS-2\u200b,281\n", VPS)[0].product_id == "VPS-2"


def test_names_that_are_taken_or_doubled_are_refused_before_applying() -> None:
    data = (
        f"SKU,Title,Description,Price\nTW-1,Twice hosting,{NEW},1\n\nTW-2,twice  HOSTING,{NEW},2\n"
        f"vps-2,Cloud VPS 2,,279\nTW-1,Another,{NEW},3\n"
    )
    rows = planned_rows(data, VPS)
    assert [row.line for row in rows] == [2, 4, 5, 6]
    assert [row.state == RowState.REFUSED for row in rows] == [False, True, True, True]
    assert rows[1].message == "Title “twice  HOSTING”: Line 2 has this name too."
    assert rows[2].message == (
        "Title “Cloud VPS 2”: The product VPS-2 has this name. "
        "There is no product vps-2; did you mean VPS-2?"
    )
    assert rows[3].message == "Line 2 is about the same product."


def test_name_that_an_earlier_row_frees_can_be_taken() -> None:
    other = a_product(product_id="VPS-1", name="Cloud VPS 1")
    rows = planned_rows("SKU,Name\nVPS-2,Cloud VPS 3\nVPS-1,Cloud VPS 2\n", VPS, other)
    assert [row.state for row in rows] == [RowState.WAITING] * 2
    rows = planned_rows("SKU,Name\nVPS-1,Cloud VPS 2\nVPS-2,Cloud VPS 3\n", VPS, other)
    assert [row.state for row in rows] == [RowState.REFUSED, RowState.WAITING]


def test_refused_cell_is_shown_under_the_name_of_its_column() -> None:
    data = (
        "SKU,Prys (ZAR),Renewal,Cycle,Status\nVPS-2,abc,12.345,weekly,perhaps\n"
        "VPS-2,0,,,\nbad id,1,,,\n"
    )
    wrong, zero, bad_id = planned_rows(data, VPS)
    assert (
        wrong.message
        == (
            "Prys (ZAR) “abc”: Must be an amount such as 1500.00, 1 500,00 or R1 500. "
            "Cycle “weekly”: Must be one of one-time, monthly, yearly. "
            "Status “perhaps”: Must be yes or no."
        )
        or "Renewal “12.345”: Can mean" in wrong.message
    )
    assert zero.message == "Prys (ZAR) “0”: Must be between 0.01 and 999999.99."
    assert bad_id.message.startswith("SKU “bad id”: Must be 1 to 64 letters")
    assert wrong.edits["price"] == "abc"


def test_surplus_cells_and_errors_of_formulas_are_refused() -> None:
    rows = planned_rows(
        "SKU,Price,Description\nVPS-2,1,Great hosting, blogs\nVPS-2,#N/A,\nVPS-2,2,,,\n", VPS
    )
    assert rows[0].message.startswith("The row has 4 cells, and there are 3 columns.")
    assert rows[1].message == "Price “#N/A”: Is the error of a formula."
    assert rows[2].state == RowState.WAITING


def test_columns_that_are_ignored_are_named() -> None:
    data = "ID,SKU,Price,Price,Colour\n44,VPS-2,281,282,red\n"
    plan = planned(data, VPS)
    assert plan.rows[0].product_id == "VPS-2"
    assert plan.rows[0].changed["price"][1] == Decimal("281.00")
    assert plan.notes[-3:] == (
        "Ignored column 1 “ID”: productId is column 2 “SKU”.",
        "Ignored column 4 “Price”: price is column 3 “Price”.",
        "Ignored columns: “Colour”.",
    )


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({1: "name"}, "may be one column only"),
        ({1: "colour"}, "There is no field 'colour'"),
        ({0: ""}, "must be the product's ID or its name. The columns are: Title, Old price."),
    ],
)
def test_an_impossible_mapping_is_refused(chosen: dict[int, str], sentence: str) -> None:
    data = "Title,Old price\nCloud VPS 2,12\n"
    assert planned_rows(data, VPS, columns={1: "price"})[0].changed["price"][1] == 12
    with pytest.raises(Invalid, match=sentence):
        planned(data, VPS, columns=chosen)


# Amounts


@pytest.mark.parametrize(
    ("cells", "amounts", "note"),
    [
        ("1 500,00", ["1500"], "decimal comma, as in “1 500,00”"),
        ("12,90|1.500", ["12.9", "1500"], "decimal comma, as in “12,90”"),
        ("12.90|1,500|R1 500.5", ["12.9", "1500", "1500.5"], "decimal point, as in “12.90”"),
        ("12.90|12,90|99", ["12.9", "12.9", "99"], "two ways, as in “12.90” and “12,90”"),
        ("R 150,00|280|1\u00a0530,50", ["150", "280", "1530.5"], "decimal comma"),
    ],
)
def test_notation_is_decided_for_the_whole_file(cells: str, amounts: list[str], note: str) -> None:
    lines = [f"p{at};Name {at};{NEW};{cell}" for at, cell in enumerate(cells.split("|"))]
    plan = planned("\n".join(["productId;name;description;price", *lines]))
    assert [row.edits["price"] for row in plan.rows] == [Decimal(amount) for amount in amounts]
    assert any(note in sentence for sentence in plan.notes)


@pytest.mark.parametrize("cell", ["1.500", "1,500", "12.900"])
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_ambiguous_amount_is_asked_about_and_never_guessed(cell: str, delimiter: str) -> None:
    data = f"SKU{delimiter}Price\nVPS-2{delimiter}{cell}\n"
    plan = planned(data, VPS)
    assert plan.rows[0].state == RowState.REFUSED
    assert f"Price “{cell}”: Can mean" in plan.rows[0].message
    question = next(note for note in plan.notes if "can mean two amounts" in note)
    assert ("semicolons usually have a decimal comma" in question) is (delimiter == ";")
    chosen = {mark: planned_rows(data, VPS, mark=mark)[0].edits["price"] for mark in DecimalMark}
    larger, smaller = sorted(chosen.values(), reverse=True)
    assert larger == smaller * 1000


def test_chosen_decimal_mark_refuses_the_other_one() -> None:
    plan = planned("SKU;Price\nVPS-2;12.50\n", VPS, mark=DecimalMark.COMMA)
    assert plan.rows[0].message == "Price “12.50”: Is not written with a decimal comma."
    assert "Amounts are read with a decimal comma." in plan.notes


def test_currency_comes_from_the_row_the_file_the_product_or_the_price() -> None:
    def currency(header: str, cells: str, *, given: str | None = None) -> object:
        data = f"SKU,Name,Description,{header}\nE-1,Euro plan,{NEW},{cells}\n"
        [row] = planned_rows(data, VPS, currency=given)
        return row.message or row.changed["currency"][1]

    assert currency("Price", "12") == "ZAR"
    assert currency("Price", '"€12,90"') == "EUR"
    assert currency("Variant Price EUR", "12") == "EUR"
    assert currency("Price,Currency", "12,eur") == "EUR"
    assert currency("Price", "12", given="USD") == "USD"
    assert "Is in EUR, but the currency of the row is USD" in str(
        currency("Price", "€12.90", given="USD")
    )
    [row] = planned_rows("SKU,Price\nVPS-2,$12.90\n", VPS)
    assert row.message == "Price “$12.90”: Is in USD, but the currency of the row is ZAR."
    assert planned_rows("SKU,Price\nVPS-2,R12.90\n", VPS)[0].changed.keys() == {"price"}


def test_one_price_column_is_chosen_by_the_currency_of_the_file() -> None:
    data = f"SKU,Name,Description,Price EUR,Price USD\nE-1,Euro plan,{NEW},12,13\n"
    assert planned_rows(data)[0].edits["currency"] == "EUR"
    [row] = planned_rows(data, currency="USD")
    assert (row.edits["price"], row.edits["currency"]) == (13, "USD")


# Words


@pytest.mark.parametrize(
    ("column", "words", "value"),
    [
        ("active", "Active|published|Y|Ja|1|TRUE", True),
        ("active", "draft|Archived|n|-1|0|inactive", False),
        ("billingCycle", "Monthly|month|per month|p.m.|Maandeliks", BillingCycle.MONTHLY),
        ("billingCycle", "Yearly|annually|per annum|p/a", BillingCycle.YEARLY),
        ("billingCycle", "One-Time|once-off|Once off|onetime", BillingCycle.ONE_TIME),
        ("currency", "zar|Zar|R|rand", "ZAR"),
    ],
)
def test_usual_words_are_understood(column: str, words: str, value: object) -> None:
    field = {"billingCycle": "billing_cycle"}.get(column, column)
    for word in words.split("|"):
        data = f"productId,name,description,price,{column}\nN-1,A new one,{NEW},9,{word}\n"
        [row] = planned_rows(data)
        assert (row.message, row.changed[field][1]) == ("", value)


def test_cycle_of_the_file_holds_for_rows_without_one() -> None:
    data = f"SKU,Name,Description,Price,Cycle\nA-1,First,{NEW},9,\nA-2,Second,{NEW},9,once\n"
    rows = planned_rows(data, billing_cycle=BillingCycle.MONTHLY)
    assert [row.edits["billing_cycle"] for row in rows] == ["monthly", "one-time"]


# What can't be


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("SKU,Name\nVPS-2,(empty)\n", "Name “(empty)”: Can't be cleared."),
        ("SKU,Price\nVPS-2,(empty)\n", "Price “(empty)”: Can't be cleared."),
        ("SKU,Price\n4.6E+11,1\n", "SKU “4.6E+11”: A spreadsheet has shortened this number"),
    ],
)
def test_cell_that_can_mean_nothing_is_refused(data: str, sentence: str) -> None:
    [row] = planned_rows(data, VPS)
    assert row.state == RowState.REFUSED
    assert row.message.startswith(sentence)


def test_escaped_text_is_no_cleared_cell() -> None:
    [row] = planned_rows("SKU,Name,Renewal price\nVPS-2,'(empty),(empty)\n", VPS)
    assert row.edits == {"name": "(empty)", "renewal_price": None}


def test_numbers_of_another_system_are_warned_about() -> None:
    data = f"ID,Name,Description,Price\n44,New one,{NEW},1\n45,New two,{NEW},2\n"
    assert any("“ID” holds only numbers" in note for note in planned(data).notes)
    assert not any(
        "holds only numbers" in note for note in planned(data.replace("44", "N-44")).notes
    )


def test_file_without_a_product_to_buy_is_refused() -> None:
    data = f"Type,SKU,Name,Regular price\ngrouped,G-1,A group,{NEW}\n"
    with pytest.raises(Invalid, match="No row is a product to buy"):
        planned(data)
