"""Exports of other shops: recognised, converted, and what is left out is said."""

import csv
import io
from typing import Any

import pytest

from products.bulk.html_text import MAX_MARKUP, is_markup, plain_text
from products.bulk.imports import ImportPlan
from products.product import BillingCycle
from tests.support.import_files import planned

DESCRIPTION = "<p>Fast <b>hosting</b> &amp; clubs</p>"
PLAIN = "Fast hosting & clubs"


def file_of(header: str, *rows: dict[str, str], delimiter: str = ",") -> str:
    """Return a file with these columns; each row names only the cells that are not blank."""
    target = io.StringIO()
    writer = csv.DictWriter(target, header.split("|"), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


def created(plan: ImportPlan) -> dict[str | None, dict[str, Any]]:
    """Return the edits of the rows by ID. All of them must be valid."""
    assert [row.message for row in plan.rows if row.message] == []
    return {row.product_id: dict(row.edits) for row in plan.rows}


def test_shopify_variants_become_products_and_images_are_left_out() -> None:
    header = (
        "Handle|Title|Body (HTML)|Vendor|Type|Tags|Published|Option1 Name|Option1 Value|"
        "Variant SKU|Variant Price|Image Src|Image Position|Status"
    )
    first = {
        "Handle": "wp",
        "Title": "WP hosting",
        "Body (HTML)": DESCRIPTION,
        "Tags": "wordpress, ssl",
        "Published": "TRUE",
        "Option1 Name": "Size",
        "Option1 Value": "S",
        "Variant SKU": "WP-S",
        "Variant Price": "99.00",
        "Image Src": "https://cdn/a.png",
        "Status": "active",
    }
    rows = (
        first,
        {"Handle": "wp", "Option1 Value": "M", "Variant SKU": "WP-M", "Variant Price": "199.00"},
        {"Handle": "wp", "Image Src": "https://cdn/b.png", "Image Position": "2"},
        first
        | {
            "Handle": "one",
            "Title": "One plan",
            "Option1 Value": "Default Title",
            "Variant SKU": "ONE",
            "Status": "draft",
            "Image Src": "",
        },
    )
    plan = planned(file_of(header, *rows))
    edits = created(plan)
    assert {sku: fields["name"] for sku, fields in edits.items()} == {
        "WP-S": "WP hosting – S",
        "WP-M": "WP hosting – M",
        "ONE": "One plan",
    }
    assert edits["WP-M"]["description"] == PLAIN
    assert edits["WP-S"]["features"] == ["wordpress", "ssl"]
    assert (edits["WP-M"]["active"], edits["ONE"]["active"]) == (True, False)
    notes = "\n".join(plan.notes)
    for sentence in (
        "Recognised as an export of Shopify.",
        "Left out: 1 row of further images of a product.",
        "Images are not imported (2 rows with images)",
        "HTML was turned into plain text in 3 rows.",
        "Each variant becomes a product of its own (2 rows).",
    ):
        assert sentence in notes


def test_newer_shopify_template_is_recognised() -> None:
    header = (
        "Title|URL handle|Description|Published on online store|Status|SKU|Option1 name|"
        "Option1 value|Price|Product image URL"
    )
    row = {
        "Title": "WP hosting",
        "URL handle": "wp",
        "Description": DESCRIPTION,
        "Status": "Active",
        "SKU": "WP-1",
        "Price": "99.00",
        "Published on online store": "FALSE",
    }
    edits = created(planned(file_of(header, row)))
    assert edits["WP-1"]["active"] is True
    assert edits["WP-1"]["description"] == PLAIN


def test_woocommerce_variations_take_what_their_parent_has() -> None:
    header = (
        "ID|Type|SKU|Name|Published|Short description|Description|Sale price|Regular price|"
        "Categories|Tags|Images|Parent|Attribute 1 name|Attribute 1 value(s)"
    )
    variable = {
        "ID": "44",
        "Type": "variable",
        "SKU": "WOO",
        "Name": "Woo hosting",
        "Published": "1",
        "Description": r"Fast hosting\nfor clubs",
    }
    variation = {"Type": "variation", "Published": "1", "Regular price": "129,00"}
    rows = (
        {"ID": "43", "Type": "simple", "SKU": "S-1", "Name": "Simple hosting", "Published": "-1"}
        | {"Description": DESCRIPTION, "Regular price": "1 129,50"},
        variable,
        variation | {"ID": "45", "SKU": "WOO-S", "Name": "Woo hosting - Small", "Parent": "WOO"},
        variation
        | {"ID": "46", "SKU": "WOO-L", "Name": "Woo hosting", "Parent": "id:44"}
        | {"Attribute 1 value(s)": "Large"},
        {"ID": "47", "Type": "grouped", "SKU": "G-1", "Name": "A group", "Published": "1"},
    )
    plan = planned(file_of(header, *rows))
    edits = created(plan)
    assert {sku: fields["name"] for sku, fields in edits.items()} == {
        "S-1": "Simple hosting",
        "WOO-S": "Woo hosting - Small",
        "WOO-L": "Woo hosting – Large",
    }
    assert edits["WOO-L"]["description"] == "Fast hosting\nfor clubs"
    assert edits["S-1"]["active"] is False
    notes = "\n".join(plan.notes)
    assert "Left out: 1 row of products that only hold variations." in notes
    assert "Left out: 1 row of grouped products." in notes
    assert "decimal comma" in notes


def test_magento_store_views_and_bundles_are_left_out() -> None:
    header = (
        "sku|store_view_code|attribute_set_code|product_type|name|description|price|product_online"
    )
    simple = {
        "sku": "M-1",
        "attribute_set_code": "Default",
        "product_type": "simple",
        "name": "Mage hosting",
        "description": DESCRIPTION,
        "price": "149.0000",
        "product_online": "1",
    }
    rows = (
        simple,
        {"sku": "M-1", "store_view_code": "de", "name": "Mage Hosting auf Deutsch"},
        simple | {"sku": "M-2", "product_type": "bundle", "name": "A bundle", "price": ""},
    )
    plan = planned(file_of(header, *rows))
    edits = created(plan)
    assert edits.keys() == {"M-1"}
    assert (edits["M-1"]["price"], edits["M-1"]["active"]) == (149, True)
    assert "Left out: 1 row of texts of store views." in plan.notes
    assert "Left out: 1 row of bundles." in plan.notes


@pytest.mark.parametrize(
    ("header", "row", "shop"),
    [
        (
            "Product ID|Active (0/1)|Name *|Price tax excluded or Price tax included|Reference #|"
            "Description",
            {
                "Product ID": "7",
                "Active (0/1)": "1",
                "Name *": "X hosting",
                "Price tax excluded or Price tax included": "1 299,50",
                "Reference #": "X-1",
                "Description": DESCRIPTION,
            },
            "PrestaShop",
        ),
        (
            "Product Id|Product Handle|Product Title|Product Description|Product Status|"
            "Variant Id|Variant Title|Variant SKU|Variant Price EUR|Variant Price USD",
            {
                "Product Id": "prod_01",
                "Product Handle": "x",
                "Product Title": "X hosting",
                "Product Description": DESCRIPTION,
                "Product Status": "published",
                "Variant SKU": "X-1",
                "Variant Price EUR": "12.00",
                "Variant Price USD": "13.00",
            },
            "Medusa",
        ),
        (
            "id|name|description|product type|variant sku|za (channel price amount)"
            "|za (channel variant currency code)",
            {
                "id": "UHJvZHVjdDox",
                "name": "X hosting",
                "description": '{"blocks": [{"data": {"text": "Fast hosting &amp; clubs"}}]}',
                "variant sku": "X-1",
                "za (channel price amount)": "12.0",
                "za (channel variant currency code)": "USD",
            },
            "Saleor",
        ),
        (
            "ID|Product Group|Product Name|Description|Pay Type|SKU|Monthly|Annually",
            {
                "ID": "3",
                "Product Group": "Hosting",
                "Product Name": "X hosting",
                "Description": DESCRIPTION,
                "Pay Type": "recurring",
                "SKU": "X-1",
                "Monthly": "R99.00",
            },
            "WHMCS",
        ),
        (
            "id|gid|type|name|description|paytype|sku|monthly|annually",
            {
                "id": "3",
                "gid": "1",
                "type": "hostingaccount",
                "name": "X hosting",
                "description": DESCRIPTION,
                "paytype": "recurring",
                "sku": "X-1",
                "monthly": "99.00",
            },
            "WHMCS",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "|" not in value else "",
)
def test_columns_of_other_shops_are_recognised(header: str, row: dict[str, str], shop: str) -> None:
    plan = planned(file_of(header, row, delimiter=";"))
    [edits] = created(plan).values()
    assert f"Recognised as an export of {shop}." in plan.notes
    assert plan.rows[0].product_id == "X-1"
    assert (edits["name"], edits["description"]) == ("X hosting", PLAIN)
    assert edits["price"] > 0
    currencies = {"Medusa": "EUR", "Saleor": "USD"}
    if shop in currencies:
        assert edits["currency"] == currencies[shop]
    if shop == "WHMCS":
        assert edits["billing_cycle"] == BillingCycle.MONTHLY


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<ul><li>one</li><li>two</li></ul>", "• one\n• two"),
        ("Line one<br>line two<script>x()</script>", "Line one\nline two"),
        ("one\ntwo <b>x</b>", "one\ntwo x"),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("&lt;b&gt;", "<b>"),
        ("&lt;p&gt;Tom &amp;amp; Jerry&lt;/p&gt;", "Tom & Jerry"),
    ],
)
def test_markup_becomes_plain_text(markup: str, text: str) -> None:
    assert is_markup(markup)
    assert plain_text(markup) == text


@pytest.mark.parametrize("text", ["a < b & c", "AT&T", "x <y> z", "100 % {blocks}"])
def test_plain_text_is_no_markup(text: str) -> None:
    assert not is_markup(text)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("part", ["<!--", "<![CDATA[", "<p ", "<a href='", '<p a="', "</p ", "&#"])
def test_unclosed_markup_is_read_in_linear_time(part: str) -> None:
    markup = f"<p>{part * 3000}"[:MAX_MARKUP]
    for _ in range(50):
        plain_text(markup)
    assert not is_markup(f"{markup}{part * 9000}")
