"""The page that imports a file: what it says about columns, and its template."""

import pytest

from tests.support.admin_client import sign_in

LIST = "/admin/products/product/"
pytestmark = pytest.mark.django_db


def test_import_page_names_columns_in_words_and_has_a_template() -> None:
    eve = sign_in("eve")
    page = eve.get(f"{LIST}import/").text
    assert "ID, Name, Description, Price, Renewal price, Currency, Billing cycle" in page
    assert "renewalPrice" not in page
    template = eve.get(f"{LIST}export/", {"as": "template"})
    assert template.getvalue().decode("utf-8-sig").startswith("productId,name,description,price")
