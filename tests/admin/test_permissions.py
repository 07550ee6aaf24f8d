"""Permissions in the admin: each group requests every address."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.changes import Origin
from products.product import Product
from tests.support.admin_client import ADD, LIST, current_entries, form_entries, page_url, sign_in
from tests.support.builders import fields
from tests.support.world import World

pytestmark = pytest.mark.django_db

STAFF, VIEW, CHANGE, DELETE = "staff", "view", "change", "delete"
PEOPLE: dict[str, tuple[Callable[[], Client], set[str]]] = {
    "superuser": (lambda: sign_in("root", None, superuser=True), {STAFF, VIEW, CHANGE, DELETE}),
    "Product admins": (lambda: sign_in("ada"), {STAFF, VIEW, CHANGE, DELETE}),
    "Product editors": (lambda: sign_in("eve", "Product editors"), {STAFF, VIEW, CHANGE}),
    "Product viewers": (lambda: sign_in("vera", "Product viewers"), {STAFF, VIEW}),
    "staff without permission": (lambda: sign_in("stan", None), {STAFF}),
    "an admin without staff status": (lambda: sign_in("olga", staff=False), set()),
    "anonymous": (Client, set()),
}
EVERYONE = pytest.mark.parametrize(("person", "may"), PEOPLE.values(), ids=PEOPLE)
READS = {
    "/admin/": STAFF,
    "/admin/products/": VIEW,
    LIST: VIEW,
    page_url("p1"): VIEW,
    page_url("p1", "history"): VIEW,
    page_url("p1", "receipt/1"): VIEW,
    ADD: CHANGE,
    page_url("p1", "delete"): DELETE,
}


@pytest.fixture
def two(acceptance: Acceptance, world: World, ann: Origin) -> None:
    """p1 is active, p2 is deactivated."""
    acceptance.create("p1", fields(), ann)
    acceptance.create("p2", fields(name="Retired hosting"), ann)
    acceptance.deactivate("p2", ann)


def outcome(answer: Any) -> str:
    if answer.status_code == 302 and answer["Location"].startswith("/admin/login/"):
        return "login"
    return {403: "refused", 404: "refused"}.get(answer.status_code, "let in")


def expected(may: set[str], needed: str) -> str:
    return "let in" if needed in may else "refused" if STAFF in may else "login"


@EVERYONE
def test_every_page_needs_its_permission(
    two: None, person: Callable[[], Client], may: set[str]
) -> None:
    client = person()
    assert {url: outcome(client.get(url)) for url in READS} == {
        url: expected(may, needed) for url, needed in READS.items()
    }


@dataclass(frozen=True)
class Attempt:
    """One write: the permission it needs, its request, and how to see that it was done."""

    name: str
    needed: str
    url: str
    data: dict[str, Any]
    product_id: str
    is_done: Callable[[Product], bool]


def write_attempts(entries: dict[str, Any]) -> list[Attempt]:
    """Return one attempt for each kind of write; ``entries`` set the price of p1 to 1.00."""
    third = form_entries(product_id="p3", name="Third one")
    delete_url, restore_url = page_url("p1", "delete"), page_url("p2", "restore")
    return [
        Attempt("add", CHANGE, ADD, third, "p3", lambda product: True),
        Attempt(
            "change",
            CHANGE,
            page_url("p1"),
            entries,
            "p1",
            lambda product: str(product.price) == "1.00",
        ),
        Attempt("restore", CHANGE, restore_url, {}, "p2", lambda product: product.active),
        Attempt(
            "deactivate",
            DELETE,
            delete_url,
            {"post": "yes"},
            "p1",
            lambda product: not product.active,
        ),
    ]


@EVERYONE
def test_every_write_needs_its_permission(
    two: None, catalogue: Catalogue, person: Callable[[], Client], may: set[str]
) -> None:
    client = person()
    entries = current_entries(sign_in("reader"), "p1", price="1.00")
    for attempt in write_attempts(entries):
        is_allowed = attempt.needed in may
        answer = client.post(attempt.url, attempt.data)
        assert (attempt.name, outcome(answer)) == (attempt.name, expected(may, attempt.needed))
        existing = {product.product_id: product for product in newest(catalogue)}
        product = existing.get(attempt.product_id)
        is_done = product is not None and attempt.is_done(product)
        assert (attempt.name, is_done) == (attempt.name, is_allowed)


@EVERYONE
def test_bulk_actions_of_the_list_need_their_permission(
    two: None, person: Callable[[], Client], may: set[str]
) -> None:
    client = person()
    for action, needed, product_id in (("deactivate", DELETE, "p1"), ("activate", CHANGE, "p2")):
        selected = {"doing": action, "ids": product_id, "filters": ""}
        answer = client.post(f"{LIST}bulk/", selected)
        assert outcome(answer) == expected(may, CHANGE)
        if CHANGE in may:
            preview = client.get(answer["Location"]).text
            assert ("Apply to 1 product" in preview) == (needed in may)


def test_restoring_needs_a_post_with_a_csrf_token(two: None, catalogue: Catalogue) -> None:
    client = sign_in("ada")
    assert client.get(page_url("p2", "restore")).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post(page_url("p2", "restore")).status_code == 403
    assert not catalogue.newest("p2").active


def newest(catalogue: Catalogue) -> list[Product]:
    found = [catalogue.table.newest(product_id) for product_id in ("p1", "p2", "p3")]
    return [change.after for change in found if change]


def test_each_row_of_a_job_needs_its_permission(
    two: None, catalogue: Catalogue, world: World
) -> None:
    editor = sign_in("ed", "Product editors")
    file = b"productId,name,description,price,active\np1,,,,no\np2,,,8,\n"
    upload = SimpleUploadedFile("prices.csv", file, content_type="text/csv")
    preview = editor.post(f"{LIST}import/", {"file": upload})["Location"]
    needed = "It needs the right “Hide products from customers”."
    assert f"Your account may not do this. {needed}" in editor.get(preview).text
    preview = editor.post(f"{LIST}bulk/?id=p1", {"doing": "deactivate"})["Location"]
    assert needed in editor.get(preview).text
    assert editor.post(f"{preview}start/").status_code == 302
    world.work()
    assert catalogue.newest("p1").active
