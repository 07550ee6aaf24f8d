"""The languages of the admin: every text is marked, every text has Afrikaans, and users choose."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils.translation import trans_real

from products import bootstrap
from products.acceptance import Acceptance
from products.access import tokens
from products.access.profiles import profile_of
from products.access.reset_mails import finish_sending
from products.bulk.job import JobKind
from products.bulk.rows import planned_row
from products.catalogue import Catalogue
from products.changes import Effect, Failure, Origin
from products.pipeline import Pipeline
from tests.support.admin_client import LIST, form_entries, sign_in
from tests.support.builders import fields
from tests.support.delivery import deliver
from tests.support.plan_pages import make_plan
from tests.support.pseudo_language import CODE, PseudoLanguage, is_translated
from tests.support.template_texts import unmarked_texts
from tests.support.url_table import TABLE
from tests.support.world import World

pytestmark = pytest.mark.django_db
DATA = re.compile(
    r"Hosting( for a first site\.?| \d)|BBWS[ \w]*|English \(South Africa\)|Afrikaans|"
    r"\b(p\d|ann|eve|root|[Hh]older|hosting|once-off|theirs|Summer|Price 8|xkcd|test)\b|"
    r"request-of-ann|nothing-has-\S+|bbws-product-\S+|[A-Z]{3}\b|[A-Z][a-z]+/[\w/ -]+|"
    r"Product (admins|editors|operators|viewers)"
)
"""What the test has put into the catalogue, and names that are the same in each language."""


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> Iterator[PseudoLanguage]:
    language = PseudoLanguage()
    translations: dict[str, Any] = vars(trans_real)["_translations"]
    kept_by_site: dict[str, Any] = vars(site._wrapped)["_constants"]  # type: ignore[attr-defined]
    monkeypatch.setitem(translations, CODE, language)
    kept_by_site.pop(CODE, None)
    yield language
    kept_by_site.pop(CODE, None)


@pytest.fixture
def root(world: World) -> Client:
    client = sign_in("root", None, superuser=True)
    profile = profile_of(User.objects.get(username="root"))
    profile.language = CODE
    profile.save()
    return client


@pytest.fixture
def ids(
    acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> dict[str, Any]:
    for number in range(3):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
    acceptance.deactivate("p0", ann)
    deliver(pipeline.store, "p2", 1)
    failure = Failure(reason="xkcd", at=catalogue.clock(), attempts=3, permanent=True)
    bootstrap.table().fail(catalogue.receipt("p2", 1), Effect.SEARCHABLE, failure)
    holder = User.objects.create(username="holder")
    token, _ = tokens.issue(holder, label="theirs", lifetime=timedelta(days=1))
    row = planned_row(1, catalogue.newest("p1"), {"price": "8"})
    job = bootstrap.jobs().plan(JobKind.BULK, "Price 8", [row], ann)
    return {
        "user": holder.pk,
        "group": Group.objects.get(name="Product editors").pk,
        "token": token.pk,
        "job": job.job_id,
        "plan": make_plan("p2", "8").plan_id,
    }


def pages(ids: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Yield the addresses of all pages, and what is sent to see their errors."""
    for row in TABLE.values():
        if row.address.startswith("/admin/") and "GET" in row.needs:
            yield row.address.format(**ids), None
        if {"GET", "POST"} <= row.needs.keys() and not row.address.endswith("/delete/"):
            yield row.address.format(**ids), {"no-such-field": "x"}
    refused = form_entries(name="x", price="abc", base_version="1")
    yield f"{LIST}?q=hosting&cycle=yearly&min=abc", None
    yield f"{LIST}?q=nothing-has-this-name", None
    yield f"{LIST}p0/change/", None
    yield f"{LIST}p0/history/?from=1&to=2", None
    yield f"{LIST}add/", refused
    yield f"{LIST}p1/change/", refused
    yield f"{LIST}bulk/?id=p1", {"doing": "price", "by": "x", "ids": "p1"}
    yield f"{LIST}changes/?person=nobody&first_day=x", None
    yield f"{LIST}plans/catalogue/?at=2050-01-01T12:00", None
    yield "/admin/profile/", {"time_zone": "x"}
    yield "/admin/security/app/", {"code": "0"}
    yield "/admin/confirm/", {"password": "x"}
    yield "/admin/auth/user/add/", {"email": "x"}


def test_every_text_is_marked_and_has_afrikaans(
    root: Client, ids: dict[str, Any], marked: PseudoLanguage
) -> None:
    unmarked, untranslated = {}, set()
    afrikaans = trans_real.DjangoTranslation(CODE)
    for client, addresses in ((root, list(pages(ids))), (Client(), entrance_pages())):
        for address, sent in addresses:
            response = opened(client, address, sent)
            if not response.get("Content-Type", "").startswith("text/html"):
                continue
            shown, rest = marked.split(response.text)
            untranslated |= {text for text in shown if not is_translated(text, afrikaans)}
            if texts := [
                text
                for text in unmarked_texts(rest)
                if re.search("[^\\W\\d_]{2}", DATA.sub("", text))
            ]:
                unmarked[address] = texts
    assert (unmarked, sorted(untranslated)) == ({}, [])


def opened(client: Client, address: str, sent: dict[str, Any] | None) -> Any:
    headers = {"Accept-Language": CODE}
    if sent:
        return client.post(address, sent, headers=headers)
    return client.get(address, headers=headers)


def entrance_pages() -> list[tuple[str, dict[str, Any] | None]]:
    paths = ("login/", "forgotten-password/", "invitation/x/", "new-password/MQ/x-y/", "nothing/")
    wrong = {"username": "root", "password": "wrong"}
    return [(f"/admin/{path}", None) for path in paths] + [("/admin/login/", wrong)] * 6


def test_the_profile_switches_the_language(world: World) -> None:
    client = sign_in("ann")
    page = client.get("/admin/profile/")
    assert '<html lang="en-za"' in page.text
    sent = {"time_zone": "UTC", "number_format": "en-za", "language": "af"}
    page = client.post("/admin/profile/", sent, follow=True)
    assert '<html lang="af"' in page.text
    assert "Jou profiel is gestoor." in page.text
    assert "products/texts.af" in page.text
    client.post("/admin/logout/")
    assert '<html lang="af"' in client.get("/admin/login/").text, "a cookie remembers it"


def test_the_browser_decides_until_a_language_is_chosen(world: World) -> None:
    client = sign_in("ann")
    page = client.get("/admin/", headers={"Accept-Language": "af-ZA,af;q=0.9,en;q=0.5"})
    assert '<html lang="af"' in page.text
    page = client.get("/admin/", headers={"Accept-Language": "de,fr;q=0.5"})
    assert '<html lang="en-za"' in page.text


def test_the_api_answers_in_english(world: World) -> None:
    response = Client().get("/v1.0/products/none", headers={"Accept-Language": "af"})
    assert "There is no product" in response.json()["message"]
    assert (
        Client().get("/v1.0/products?limit=x", headers={"Accept-Language": "af"}).status_code == 400
    )


def test_an_email_is_in_the_language_of_its_page(world: World, mailoutbox: list[Any]) -> None:
    User.objects.create_user("ann", "ann@example.com", "a-password-of-ann")
    headers = {"Accept-Language": CODE}
    Client().post("/admin/forgotten-password/", {"email": "ann@example.com"}, headers=headers)
    finish_sending()
    [mail] = mailoutbox
    assert mail.subject == "Nuwe wagwoord vir die BBWS-produkkatalogus"
    assert mail.body.startswith("Hallo ann,")
