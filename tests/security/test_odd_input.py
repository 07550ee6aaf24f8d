"""Odd input at every address of the admin, by every role: a page, a redirect or a refusal.

Ids, filters, job ids, query strings and forms may say anything, and nothing is a 500.
"""

import random
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLResolver, get_resolver

from products.acceptance import Acceptance
from products.changes import Origin
from tests.security.test_every_url import PEOPLE, routes
from tests.support.builders import fields
from tests.support.world import World

pytestmark = pytest.mark.django_db

SEED = 20261129
NAMES_PER_TEXT = 3
ROUNDS = 2  # requests with odd input for each address, method and role
TEXTS = [
    "",
    " ",
    "x",
    "0",
    "-1",
    "1e999",
    "9" * 400,
    "9" * 5000,
    "²",
    "a" * 3000,
    "é" * 1100,
    "\x00",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "%00",
    "%",
    "../../etc",
    "<b>",
    "{}",
    "[]",
    "null",
    "true",
    "TRUE",
    "２",
    "\u202e\u2028",
    "nan",
    "2026-13-45",
    "2026-012",
    "2026-0120",
    "02026-01",
    "0000-00-00T00:00",
    "9999-12-31T23:59",
    "0001-01-01T00:00",
    "2027-03-28T02:30",
    "Etc/GMT+12",
    "../etc/localtime",
    '{"price": 1e999, "name": "\\ud800"}',
    '{"price": [[1]], "features": {"a": 1}, "active": 3}',
    "active=x",
    "nonsense=1",
    "p1",
]
NAMES = """
    q p o e filters active cycle currency sort min max mine open all id ids action index
    select_across _selected_action field value version base_version from to before seen since until
    kind who state page side way by rounding doing reason cause queue effect product job text next
    as ask columns column-0 column-x decimal_mark billing_cycle name description price renewal_price
    period features image file days label user username password old_password new_password1 post
    time_zone is_active groups user_permissions _popup _to_field _changelist_filters
    month start end starts_at ends_at zone clash_rule edits job plan view shared default column s
    number_format email code token uidb64 new_password1 credential group is_staff level days
""".split()


def odd_query(chance: random.Random) -> list[tuple[str, str]]:
    names = chance.sample(NAMES, chance.randint(1, 6))
    return [(name, chance.choice(TEXTS)) for name in names for _ in range(chance.randint(1, 2))]


def odd_path(route: str, chance: random.Random) -> str:
    """Return an address of the route, with odd texts for its parameters."""

    def odd(found: re.Match[str]) -> str:
        if found.group(1) == "int:":
            return chance.choice(["0", "1", "9" * 30])
        return chance.choice([*(text for text in TEXTS if text.isascii() and text.strip()), "p1"])

    path = re.sub(r"<(\w+:)?\w+>", odd, route)
    return "/" + "".join(c if c.isprintable() and c not in "%?#" else "%00" for c in path)


def admin_routes() -> Iterator[str]:
    resolver: URLResolver = get_resolver()
    return (route for route in routes(resolver) if route.startswith("admin/"))


def odd_body(chance: random.Random) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, value in odd_query(chance):
        body.setdefault(name, []).append(value)
    if chance.random() < 0.3:
        content = chance.choice([b"", b"\x00" * 99, b"id,name\n,\n", b"PK\x03\x04", b"\x89PNG"])
        body[chance.choice(["file", "image"])] = SimpleUploadedFile("odd\n.csv", content)
    return body


@pytest.mark.parametrize("role", PEOPLE)
def test_odd_input_is_never_a_server_error(
    role: str, world: World, acceptance: Acceptance, ann: Origin
) -> None:
    chance = random.Random(f"{SEED} {role}")  # a fixed sequence
    acceptance.create("p1", fields(), ann)
    sign_in: Callable[[], Client] = PEOPLE[role][0]
    client = sign_in()
    client.raise_request_exception = False
    failed = []
    for route in admin_routes():
        if "jsi18n" in route or "logout" in route:
            continue
        for _ in range(ROUNDS):
            query = urlencode(odd_query(chance))
            address = f"{odd_path(route, chance)}?{query}"
            answers = {"GET": client.get(address), "POST": client.post(address, odd_body(chance))}
            failed += [
                (method, address[:200], answer.status_code)
                for method, answer in answers.items()
                if answer.status_code >= 500
            ]
    assert failed == []


@pytest.mark.parametrize("name", ["product", "version", "effect", "reason", "cause", "queue"])
@pytest.mark.parametrize("action", ["retry", "retry_cause", "discard", "redrive"])
def test_odd_actions_of_operators_are_refused(world: World, action: str, name: str) -> None:
    client = PEOPLE["Product admins"][0]()
    client.raise_request_exception = False
    sent = {"product": "p1", "version": "1", "effect": "audited", "reason": "why", "queue": "x"}
    for text in ["", "a" * 3000, "9" * 400, "\x00", "\u202e", "nan"]:
        address = f"/admin/products/product/operations/{action}/"
        assert client.post(address, sent | {name: text}).status_code < 500, (action, name, text)


@pytest.mark.parametrize("text", TEXTS)
def test_odd_filters_are_never_a_server_error(
    text: str, world: World, acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    client = PEOPLE["Product admins"][0]()
    client.raise_request_exception = False
    base = "/admin/products/product/"
    names = [
        "q",
        "active",
        "cycle",
        "currency",
        "sort",
        "min",
        "max",
        "mine",
        "open",
        "p",
        "filters",
    ]
    paths = ["", "export/", "bulk/", "jobs/", "changes/", "operations/", "p1/history/"]
    statuses = {
        (path, name): client.get(f"{base}{path}", {name: text}).status_code
        for path in paths
        for name in names
    }
    statuses |= {
        ("POST bulk", name): client.post(f"{base}bulk/", {}, query_params={name: text}).status_code
        for name in names
    }
    assert {key: status for key, status in statuses.items() if status >= 500} == {}


@pytest.mark.parametrize("view", ["9" * 5000, "9" * 18, "9" * 19, "²", "-1", "1.0"])
def test_odd_saved_view_is_the_list_without_one(view: str, world: World) -> None:
    client = PEOPLE["Product admins"][0]()
    path = "/admin/products/product/"
    assert client.get(path, {"view": view}).status_code < 500
    assert client.get(f"{path}export/", {"filters": f"view={view}"}).status_code < 500
    saved = client.post(f"{path}views/columns/", {"columns": "name", "filters": f"view={view}"})
    assert saved.status_code == 302


@pytest.mark.parametrize("month", ["2026-0120", "2026-012", "9999-12", "0001-01", "2026-13"])
def test_odd_month_of_the_calendar_is_this_month(month: str, world: World) -> None:
    client = PEOPLE["Product admins"][0]()
    page = client.get("/admin/products/product/plans/calendar/", {"month": month})
    assert page.status_code == 200


@pytest.mark.parametrize("column", ["column-" + "9" * 5000, "column-²", "column--1", "column-501"])
def test_odd_column_of_an_import_is_no_server_error(column: str, world: World) -> None:
    client = PEOPLE["Product admins"][0]()
    file = SimpleUploadedFile("odd.csv", b"id,name\nx,y\n")
    sent = {"file": file, column: "name"}
    assert client.post("/admin/products/product/import/", sent).status_code < 500
