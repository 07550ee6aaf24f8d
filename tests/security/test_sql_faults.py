"""SQL that is locked, read-only or unreachable: what was accepted is never reported as an error."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from products import bootstrap
from products.acceptance import Acceptance
from products.changes import Origin
from products.readiness import readiness_checks
from tests.support.admin_client import ADD, LIST, form_entries, page_url, sign_in
from tests.support.api_client import Api
from tests.support.builders import fields
from tests.support.world import World

pytestmark = pytest.mark.django_db
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")

type Execute = Callable[[str, Any, bool, dict[str, Any]], Any]


def refuse_writes(execute: Execute, sql: str, params: Any, many: bool, context: Any) -> Any:
    if sql.lstrip().upper().startswith(WRITES):
        raise OperationalError("attempt to write a readonly database")
    return execute(sql, params, many, context)


def refuse_all(execute: Execute, sql: str, params: Any, many: bool, context: Any) -> Any:
    raise OperationalError("server closed the connection")


@contextmanager
def faulty(refuse: Callable[..., Any]) -> Iterator[None]:
    """Let SQL refuse some statements, in the requests of this test's own thread."""
    with connection.execute_wrapper(refuse):
        yield


@pytest.fixture
def admin(world: World, acceptance: Acceptance, ann: Origin) -> Client:
    acceptance.create("p1", fields(), ann)
    client = sign_in("ann")
    client.raise_request_exception = False
    return client


def version() -> int:
    return bootstrap.catalogue().newest("p1").version


WRITES_OF_STAFF = [
    (page_url("p1", "cell"), {"field": "price", "value": "7.00", "version": "1"}),
    (page_url("p1"), form_entries(price="7.00", base_version="1")),
]
PAGES = ["/admin/", LIST, page_url("p1"), f"{LIST}operations/", f"{LIST}export/"]


@pytest.mark.parametrize(("url", "entries"), WRITES_OF_STAFF)
def test_accepted_write_is_never_reported_as_refused(
    admin: Client, url: str, entries: dict[str, str]
) -> None:
    form = admin.get(page_url("p1")).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    with faulty(refuse_writes):
        response = admin.post(url, {**hidden, **entries})
    assert version() == 2
    assert response.status_code in (200, 302), response.content


def test_refused_write_keeps_what_was_typed(admin: Client) -> None:
    with faulty(refuse_all):
        page = admin.post(ADD, form_entries(name="A new <name>", product_id="p9"))
    assert page.status_code == 503
    content = page.content.decode()
    assert "A new &lt;name&gt;" in content
    assert "Nothing was saved" in content
    assert page["Retry-After"]


def test_password_is_never_shown_again(world: World) -> None:
    client = Client(raise_request_exception=False)
    with faulty(refuse_all):
        page = client.post("/admin/login/", {"username": "ann", "password": "a secret of ann"})
    assert page.status_code == 503
    assert b"a secret of ann" not in page.content
    assert b"ann" in page.content


@pytest.mark.parametrize("path", PAGES)
def test_pages_say_that_users_are_unavailable(admin: Client, path: str) -> None:
    with faulty(refuse_all):
        page = admin.get(path)
    assert page.status_code == 503
    assert "user database" in page.content.decode()
    assert admin.get(path).status_code == 200


def test_script_gets_the_fault_of_sql_as_json(admin: Client) -> None:
    with faulty(refuse_all):
        answer = admin.post(page_url("p1", "cell"), headers={"Sec-Fetch-Dest": "empty"})
    assert answer.status_code == 503
    assert "Nothing was saved" in answer.json()["message"]


def test_tokens_work_without_sql(world: World) -> None:
    api = Api()
    with faulty(refuse_all):
        assert api("post", "/products", fields(productId="p1")).status_code == 202
        assert api("get", "/products/p1/changes").status_code == 200


def test_readiness_notices_sql_without_writes(world: World) -> None:
    ping = readiness_checks()["sql"]
    assert ping
    ping()
    with connection.execute_wrapper(refuse_writes), pytest.raises(OperationalError):
        ping()
