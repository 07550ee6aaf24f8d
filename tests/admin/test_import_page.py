"""The pages of an import: what they say about columns and amounts, and its template."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from products.acceptance import Acceptance
from products.admin import csv_files
from products.admin.formatting import grouped_money
from products.changes import Origin
from tests.support.admin_client import LIST, sign_in
from tests.support.builders import fields

pytestmark = pytest.mark.django_db


def test_import_page_names_columns_in_words_and_has_a_template() -> None:
    eve = sign_in("eve")
    page = eve.get(f"{LIST}import/").text
    assert "ID, Name, Description, Price, Renewal price, Currency, Billing cycle" in page
    assert "renewalPrice" not in page
    template = eve.get(f"{LIST}export/", {"as": "template"})
    assert template.getvalue().decode("utf-8-sig").startswith("productId,name,description,price")


def test_an_import_shows_amounts_and_marks_unusual_ones(
    acceptance: Acceptance, ann: Origin
) -> None:
    """A price that is twenty times as high is seen before it is applied."""
    eve = sign_in("eve")
    for name in ("p0", "p1", "p2"):
        acceptance.create(name, fields(name=f"Hosting {name}", price="95"), ann)
    sheet = SimpleUploadedFile("prices.csv", b"productId,price\np0,1950.50\np1,99.00\np2,99.00\n")
    text = eve.get(eve.post(f"{LIST}import/", {"file": sheet})["Location"]).text
    assert f"<del>R95</del> → <ins>{grouped_money(Decimal('1950.50'), 'ZAR')}</ins>" in text
    assert "<b>1 unusual change</b>" in text
    assert text.count('<span class="unusual">unusual</span>') == 1


@pytest.mark.usefixtures("world")
def test_an_export_is_named_by_the_time_of_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    eve = sign_in("eve")
    monkeypatch.setattr(csv_files, "now", lambda: datetime(2026, 3, 1, 22, 30, tzinfo=UTC))
    name = eve.get(f"{LIST}export/")["Content-Disposition"]
    assert name == 'attachment; filename="products-2026-03-02-0030.csv"'
