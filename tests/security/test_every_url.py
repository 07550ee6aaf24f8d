"""Every address of the URLconf, asked by everyone: who is let in, and that whoever is not writes nothing."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.core import serializers
from django.test import Client
from django.urls import URLResolver, get_resolver

from products import bootstrap
from products.access import tokens
from products.bulk.job import JobKind
from products.bulk.rows import planned_row
from products.catalogue import Catalogue
from products.changes import Origin
from products.models import ApiToken
from products.pipeline import Pipeline
from tests.support.admin_client import sign_in
from tests.support.builders import fields
from tests.support.url_table import (
    ADD,
    ANYONE,
    CHANGE,
    DELETE,
    METHODS,
    OPERATE,
    ROOT,
    STAFF,
    TABLE,
    VIEW,
    Row,
)
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

MEMBER = {ANYONE, VIEW, ADD, CHANGE, DELETE, OPERATE}
PEOPLE: dict[str, tuple[Callable[[], Client], set[str]]] = {
    "superuser": (lambda: sign_in("root", None, superuser=True), {*MEMBER, STAFF, ROOT}),
    "Product admins": (lambda: sign_in("ada"), {*MEMBER, STAFF}),
    "Product editors": (
        lambda: sign_in("eve", "Product editors"),
        {ANYONE, STAFF, VIEW, ADD, CHANGE},
    ),
    "Product viewers": (lambda: sign_in("vera", "Product viewers"), {ANYONE, STAFF, VIEW}),
    "staff without permission": (lambda: sign_in("stan", None), {ANYONE, STAFF}),
    "a Product admin who is no staff": (lambda: sign_in("olga", staff=False), MEMBER),
    "anonymous": (Client, {ANYONE}),
}


def routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        spelled = re.sub(r"^\^\(\?P<app_label>.*\)/\$$", "<app_label>/", str(pattern.pattern))
        yield from (
            routes(pattern, before + spelled)
            if isinstance(pattern, URLResolver)
            else [before + spelled]
        )


def test_the_table_has_every_route() -> None:
    found = list(routes(get_resolver()))
    missing = sorted(set(found) - set(TABLE))
    assert not missing, "Say in TABLE who may do what there, one line each: " + ", ".join(
        f'"{route}": page("/{route}", VIEW)' for route in missing
    )
    assert set(TABLE) <= set(found), (
        f"gone from the URLconf, so take it out of TABLE: {set(TABLE) - set(found)}"
    )


@pytest.fixture
def there(catalogue: Catalogue, pipeline: Pipeline, ann: Origin) -> dict[str, Any]:
    for number in range(3):
        catalogue.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
    catalogue.deactivate("p0", ann)
    pipeline.store("p2", 1)
    user, holder = (User.objects.create(username=name) for name in ("somebody", "holder"))
    token = tokens.issue(holder, label="theirs", lifetime=timedelta(days=1))[0]
    group = Group.objects.create(name="Some group")
    row = planned_row(1, catalogue.newest("p1"), {"price": "8"})
    job = bootstrap.jobs().plan(JobKind.BULK, "Price 8", [row], actor="ann")
    return {
        "user": user.pk,
        "holder": holder.pk,
        "group": group.pk,
        "token": token.pk,
        "job": job.job_id,
    }


@pytest.mark.parametrize(("person", "may"), PEOPLE.values(), ids=PEOPLE)
def test_everyone_is_let_in_where_they_may_and_nowhere_else(
    there: dict[str, Any], world: World, person: Callable[[], Client], may: set[str]
) -> None:
    client = person()
    asked = [(route, method) for route in TABLE for method in methods_of(TABLE[route])]
    expected = {(route, method): expectation(TABLE[route], method, may) for route, method in asked}
    writes = [key for key in asked if key[1] != "GET" and expected[key] == "in"]
    before = everything(world)
    found = {key: outcome(client, *key, there) for key in asked if key not in writes}
    assert {key: answer for key, answer in found.items() if answer != expected[key]} == {}
    assert everything(world) == before, "something was written by a GET, or by who is not let in"
    found = {key: outcome(again(client), *key, there) for key in writes}
    assert {key: answer for key, answer in found.items() if answer != expected[key]} == {}
    assert (everything(world) != before) == bool(may & {ADD, CHANGE, DELETE})


def methods_of(row: Row) -> tuple[str, ...]:
    return METHODS if row.address.startswith("/v1.0/") else METHODS[:2]


def expectation(row: Row, method: str, may: set[str]) -> str:
    of_the_admin = row.address.startswith("/admin/")
    needed = row.needs.get(method)
    if needed == ANYONE or (needed in may and (STAFF in may or not of_the_admin)):
        return "in"
    return "login" if of_the_admin and STAFF not in may else "refused"


def outcome(client: Client, route: str, method: str, there: dict[str, Any]) -> str:
    address, _, sent = TABLE[route]
    address = address.format(**there)
    sent = {
        name: value.format(**there) if isinstance(value, str) else value
        for name, value in sent.items()
    }
    json = {"content_type": "application/json"} if address.startswith("/v1.0/") else {}
    data = {} if method == "GET" else {"data": sent, **json}
    answer: Any = getattr(client, method.lower())(address, **data)
    if answer.status_code == 302:
        # What is the admin's leads to its login; its logout leads to its front page and so does the same.
        led: str = answer["Location"]
        to_login = led.startswith("/admin/login/?next=") or (
            address == "/admin/logout/" and led == "/admin/"
        )
        return "login" if to_login else "in"
    return {401: "refused", 403: "refused", 404: "refused", 405: "refused"}.get(
        answer.status_code, "in" if answer.status_code <= 400 else str(answer.status_code)
    )


def again(client: Client) -> Client:
    """The same person in another session: some of what they do ends one."""
    other = Client()
    if "_auth_user_id" in client.session:
        other.force_login(User.objects.get(pk=client.session["_auth_user_id"]))
    return other


def everything(world: World) -> tuple[Any, ...]:
    """All that can be written, sessions and the time of signing in excepted."""
    items = world.dynamodb.scan(TableName=world.table)["Items"]
    kinds = (User.objects.defer("last_login"), Group.objects, ApiToken.objects, LogEntry.objects)
    rows = serializers.serialize("json", [row for kind in kinds for row in kind.order_by("pk")])
    return sorted(json.dumps(item, sort_keys=True) for item in items), re.sub(
        r'"last_login": [^,]*,', "", rows
    )
