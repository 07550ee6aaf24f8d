"""Every URL, requested by every kind of user: who gets in, and that a refusal writes nothing."""

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
from products.acceptance import Acceptance
from products.access import tokens
from products.bulk.job import JobKind
from products.bulk.rows import planned_row
from products.catalogue import Catalogue
from products.changes import Origin
from products.models import ApiToken
from products.pipeline import Pipeline
from tests.support.admin_client import sign_in
from tests.support.builders import fields
from tests.support.delivery import deliver
from tests.support.plan_pages import make_plan
from tests.support.url_table import (
    ADD,
    ANYONE,
    CHANGE,
    DELETE,
    METHODS,
    OPERATE,
    PLAN,
    ROOT,
    STAFF,
    TABLE,
    VIEW,
    Row,
)
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

MEMBER = {ANYONE, VIEW, ADD, CHANGE, DELETE, OPERATE, PLAN}
PEOPLE: dict[str, tuple[Callable[[], Client], set[str]]] = {
    "superuser": (lambda: sign_in("root", None, superuser=True), {*MEMBER, STAFF, ROOT}),
    "Product admins": (lambda: sign_in("ada"), {*MEMBER, STAFF}),
    "Product editors": (
        lambda: sign_in("eve", "Product editors"),
        {ANYONE, STAFF, VIEW, ADD, CHANGE, PLAN},
    ),
    "Product viewers": (lambda: sign_in("vera", "Product viewers"), {ANYONE, STAFF, VIEW}),
    "staff without permission": (lambda: sign_in("stan", None), {ANYONE, STAFF}),
    "a Product admin who is no staff": (lambda: sign_in("olga", staff=False), MEMBER),
    "anonymous": (Client, {ANYONE}),
}


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    """Yield the pattern of each URL."""
    for pattern in resolver.url_patterns:
        text = re.sub(r"^\^\(\?P<app_label>.*\)/\$$", "<app_label>/", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, prefix + text)
        else:
            yield prefix + text


def test_the_table_covers_every_route() -> None:
    existing = set(routes(get_resolver()))
    missing = sorted(existing - set(TABLE))
    suggestions = ", ".join(f'"{route}": page("/{route}", VIEW)' for route in missing)
    assert not missing, f"Add a line to TABLE for each, with who may do what: {suggestions}"
    removed = set(TABLE) - existing
    assert not removed, f"Remove from TABLE, as the URLconf has no such route: {removed}"


@pytest.fixture
def ids(
    acceptance: Acceptance, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> dict[str, Any]:
    """Create what the URLs in TABLE refer to. Return the ids to fill in."""
    for number in range(3):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}"), ann)
    acceptance.deactivate("p0", ann)
    deliver(pipeline.store, "p2", 1)
    user, holder = (User.objects.create(username=name) for name in ("somebody", "holder"))
    token, _ = tokens.issue(holder, label="theirs", lifetime=timedelta(days=1))
    group = Group.objects.create(name="Some group")
    row = planned_row(1, catalogue.newest("p1"), {"price": "8"})
    job = bootstrap.jobs().plan(JobKind.BULK, "Price 8", [row], ann)
    return {
        "user": user.pk,
        "holder": holder.pk,
        "group": group.pk,
        "token": token.pk,
        "job": job.job_id,
        "plan": make_plan("p2", "8").plan_id,
    }


@pytest.mark.parametrize(("log_in", "roles"), PEOPLE.values(), ids=PEOPLE)
def test_every_url_enforces_its_permissions(
    ids: dict[str, Any], world: World, log_in: Callable[[], Client], roles: set[str]
) -> None:
    client = log_in()
    requests = [(route, method) for route in TABLE for method in methods_of(TABLE[route])]
    expected = {
        (route, method): expected_outcome(TABLE[route], method, roles) for route, method in requests
    }
    writes = [key for key in requests if key[1] != "GET" and expected[key] == "allowed"]
    before = everything_stored(world)
    observed = {key: outcome(client, *key, ids) for key in requests if key not in writes}
    assert unexpected(observed, expected) == {}
    assert everything_stored(world) == before, "a GET or a refused request has written"
    observed = {key: outcome(new_session(client), *key, ids) for key in writes}
    assert unexpected(observed, expected) == {}
    assert (everything_stored(world) != before) == bool(roles & {ADD, CHANGE, DELETE})


def unexpected(
    observed: dict[tuple[str, str], str], expected: dict[tuple[str, str], str]
) -> dict[tuple[str, str], str]:
    return {key: result for key, result in observed.items() if result != expected[key]}


def methods_of(row: Row) -> tuple[str, ...]:
    return METHODS if row.address.startswith("/v1.0/") else METHODS[:2]


def expected_outcome(row: Row, method: str, roles: set[str]) -> str:
    is_admin_url = row.address.startswith("/admin/")
    needed = row.needs.get(method)
    has_role = needed in roles and (STAFF in roles or not is_admin_url)
    if needed == ANYONE or has_role:
        return "allowed"
    is_open = row.needs.get("GET") == ANYONE
    return "login" if is_admin_url and STAFF not in roles and not is_open else "refused"


def outcome(client: Client, route: str, method: str, ids: dict[str, Any]) -> str:
    row = TABLE[route]
    url = row.address.format(**ids)
    sent = {
        name: value.format(**ids) if isinstance(value, str) else value
        for name, value in row.sent.items()
    }
    options: dict[str, Any] = {}
    if method != "GET":
        options["data"] = sent
    if method != "GET" and url.startswith("/v1.0/"):
        options["content_type"] = "application/json"
    response: Any = getattr(client, method.lower())(url, **options)
    status = response.status_code
    if status == 302:
        return "login" if is_login_redirect(url, response["Location"]) else "allowed"
    if status in (401, 403, 404, 405):
        return "refused"
    return "allowed" if status <= 400 or status in (409, 410) else str(status)


def is_login_redirect(url: str, location: str) -> bool:
    """Check for the admin's login. Its logout redirects to the front page, which does the same."""
    is_logout = url == "/admin/logout/" and location == "/admin/"
    return is_logout or location.startswith("/admin/login/?next=")


def new_session(client: Client) -> Client:
    """Return the same person in a new session, because some requests end a session."""
    other = Client()
    if "_auth_user_id" in client.session:
        other.force_login(User.objects.get(pk=client.session["_auth_user_id"]))
    return other


def everything_stored(world: World) -> tuple[list[str], str]:
    """Return all data but sessions and the times of logins."""
    items = world.dynamodb.scan(TableName=world.table)["Items"]
    kinds = (User.objects.defer("last_login"), Group.objects, ApiToken.objects, LogEntry.objects)
    rows = [row for kind in kinds for row in kind.order_by("pk")]
    serialized = serializers.serialize("json", rows)
    without_logins = re.sub(r'"last_login": [^,]*,', "", serialized)
    return sorted(json.dumps(item, sort_keys=True) for item in items), without_logins
