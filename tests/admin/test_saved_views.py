"""Saved views of the product list: filters, order, columns, sharing and the default."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from products.access.profiles import profile_of
from products.admin import saved_views
from products.models import SavedView
from tests.support.admin_client import LIST, last_message, sign_in

pytestmark = pytest.mark.django_db

FILTERS = "cycle=yearly&sort=cheapest"


@pytest.fixture
def ada(six: None) -> Client:
    return sign_in("ada")


def save(client: Client, name: str = "Cheap years", filters: str = FILTERS, **fields: Any) -> Any:
    return client.post(f"{LIST}views/", {"name": name, "filters": filters, **fields})


def columns_in(page: Any) -> list[str]:
    head = page.text.partition("<thead>")[2].partition("</thead>")[0]
    titles = [re.sub("<[^>]+>|↑|↓", "", cell) for cell in re.findall("<th .*?</th>", head, re.S)]
    return [title.strip() for title in titles][2:]


def names_in(page: Any) -> list[str]:
    return re.findall(r'data-id="(p\d)"', page.text)


def test_a_view_shows_its_filters_order_and_columns(ada: Client) -> None:
    saved = save(ada, columns="updated,price")
    page = ada.get(saved["Location"])
    assert names_in(page) == ["p3", "p1"]
    assert columns_in(page) == ["Updated", "Price"]
    assert 'aria-current="page">Cheap years' in page.text
    assert "Any price" not in page.text
    bare = ada.get(f"{LIST}?view=0")
    assert len(names_in(bare)) == 6
    assert len(columns_in(bare)) == 7


def test_filters_can_be_changed_in_a_view_without_changing_it(ada: Client) -> None:
    address = save(ada, columns="price")["Location"]
    changed = ada.get(address.replace("cheapest", "dearest"))
    assert names_in(changed) == ["p1", "p3"]
    assert columns_in(changed) == ["Price"]
    assert names_in(ada.get(address)) == ["p3", "p1"]
    query = address.partition("?")[2]
    save(ada, filters=query.replace("cheapest", "dearest"))
    assert SavedView.objects.get().query == "cycle=yearly&sort=dearest"


def test_a_view_is_private_until_it_is_shared(ada: Client) -> None:
    address = save(ada, columns="price")["Location"]
    vic = sign_in("vic", "Product viewers")
    assert "Cheap years" not in vic.get(LIST).text
    assert len(columns_in(vic.get(address))) == 7
    save(ada, columns="price", shared="on")
    assert "Cheap years" in vic.get(LIST).text
    assert columns_in(vic.get(address)) == ["Price"]
    save(vic, "Mine", shared="on")  # without the permission
    assert "Mine" not in ada.get(LIST).text
    assert "Share it with everybody" not in vic.get(LIST).text
    assert "Share it with everybody" in ada.get(f"{LIST}?view=0").text


def test_only_the_owner_changes_or_deletes_a_view(ada: Client) -> None:
    save(ada, shared="on")
    view = SavedView.objects.get()
    eve = sign_in("eve")
    assert eve.post(f"{LIST}views/{view.pk}/delete/").status_code == 400
    save(eve, filters="cycle=monthly")
    view.refresh_from_db()
    assert view.query == FILTERS
    assert "is deleted" in last_message(ada.post(f"{LIST}views/{view.pk}/delete/"))
    assert not SavedView.objects.filter(pk=view.pk).exists()


def test_the_default_view_opens_with_the_list(ada: Client) -> None:
    address = save(ada, default="on")["Location"]
    assert ada.get(LIST)["Location"] == address
    assert ada.get(f"{LIST}?view=0").status_code == 200
    assert ada.get(LIST, headers={"X-Requested-With": "fetch"}).status_code == 200
    save(ada)  # the same view, not as the default
    assert ada.get(LIST).status_code == 200
    save(ada, default="on")
    ada.post(f"{LIST}views/{SavedView.objects.get().pk}/delete/")
    assert ada.get(LIST).status_code == 200


def test_columns_are_chosen_and_arranged(ada: Client) -> None:
    ada.post(f"{LIST}views/columns/", {"columns": "status,price,unknown,status", "filters": ""})
    assert columns_in(ada.get(LIST)) == ["Status", "Price"]
    assert profile_of(User.objects.get(username="ada")).columns == "status,price"
    address = save(ada, columns="version")["Location"]
    query = address.partition("?")[2]
    ada.post(f"{LIST}views/columns/", {"columns": "renewal", "filters": query})
    assert columns_in(ada.get(address)) == ["Renewal"]
    assert columns_in(ada.get(f"{LIST}?view=0")) == ["Status", "Price"]
    ada.post(f"{LIST}views/columns/", {"columns": "", "filters": ""})
    assert len(columns_in(ada.get(LIST))) == 7


def test_a_bulk_edit_of_a_view_knows_its_filters(ada: Client) -> None:
    query = save(ada)["Location"].partition("?")[2]
    page = ada.get(f"{LIST}bulk/", {"filters": query})
    assert "2 products" in page.text


def test_names_and_numbers_of_views_have_limits(
    ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("", " ", "x" * 61):
        assert last_message(save(ada, name)) == str(saved_views.NAME_NEEDED)
    monkeypatch.setattr(saved_views, "MAX_VIEWS", 1)
    save(ada)
    assert last_message(save(ada, "Another")) == str(saved_views.TOO_MANY)
    assert SavedView.objects.count() == 1
    assert ada.get(f"{LIST}?view=99999").status_code == 200
