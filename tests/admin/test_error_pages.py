"""Error pages: pages for people, JSON for clients of the API and for scripts."""

from typing import Any

import pytest
from django.test import Client

from products.acceptance import Acceptance
from products.admin import receipt
from products.changes import Origin
from tests.support.admin_client import LIST, page_url, sign_in
from tests.support.builders import fields
from tests.support.world import World

pytestmark = pytest.mark.django_db
SCRIPT: dict[str, Any] = {"HTTP_SEC_FETCH_DEST": "empty"}


def test_an_unknown_address_is_a_page_for_people_and_json_for_clients() -> None:
    client = sign_in("ann")
    page = client.get("/admin/no/such/page/")
    assert page.status_code == 404
    assert b"There is no page at this address." in page.content
    assert page["X-Request-ID"] in page.content.decode()
    assert client.get("/v1.0/nothing").json()["error"] == "Not Found"
    assert client.get("/nothing/", **SCRIPT).json()["message"].startswith("There is no page")


def test_a_lost_job_says_how_long_jobs_are_kept(world: World) -> None:
    page = sign_in("ann").get(f"{LIST}jobs/nope/")
    assert page.status_code == 404
    assert b"They are kept for 30 days." in page.content


def test_a_bug_is_a_page_with_the_request_id(
    acceptance: Acceptance, ann: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    acceptance.create("p1", fields(), ann)
    client = sign_in("ann")
    client.raise_request_exception = False
    monkeypatch.delattr(receipt, "EFFECT_NAMES")
    page = client.get(page_url("p1"))
    assert page.status_code == 500
    assert b"This is our fault" in page.content
    assert page["X-Request-ID"] in page.content.decode()


def test_a_script_without_a_session_gets_401_and_a_person_the_login() -> None:
    client = Client()
    assert client.get(LIST).status_code == 302
    answer = client.get(LIST, **SCRIPT)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Form realm="admin"')
    assert answer.json()["message"].startswith("Your session has ended.")


def test_the_session_names_its_user_and_gives_a_token_for_forms() -> None:
    session = sign_in("ann").get("/admin/session/").json()
    assert session["user"] == "ann"
    assert len(session["csrfToken"]) == 64


def test_a_refused_script_gets_the_sentence() -> None:
    refused = sign_in("vic", "Product viewers").post(f"{LIST}bulk/", **SCRIPT)
    assert refused.status_code == 403
    assert refused.json()["message"].startswith("Your account has no permission")
