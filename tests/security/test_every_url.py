"""Every address of the URLconf, asked by everyone: who is let in, and that whoever is not writes nothing."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.core import serializers
from django.test import Client
from django.urls import URLResolver, get_resolver

from products import bootstrap
from products.access import tokens
from products.bulk.jobs import JobKind
from products.bulk.rows import planned_row
from products.catalogue import Catalogue
from products.changes import Origin
from products.models import ApiToken
from products.pipeline import Pipeline
from tests.support.admin_client import form_entries, sign_in
from tests.support.builders import fields
from tests.support.world import World

pytestmark = pytest.mark.django_db

ANYONE, STAFF, VIEW, ADD, CHANGE, DELETE, ROOT = (
    "anyone",
    "staff",
    "view",
    "add",
    "change",
    "delete",
    "root",
)
OPERATE = "operate"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
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


class Row(NamedTuple):
    """An address, what each method needs (one that is not named is refused to all), and what is sent to write."""

    address: str
    needs: dict[str, str]
    sent: dict[str, Any]


def row(address: str, sent: dict[str, Any] | None = None, **needs: str) -> Row:
    return Row(address, needs, sent or {})


def page(address: str, needed: str, sent: dict[str, Any] | None = None) -> Row:
    """Opened and sent by the same people."""
    return row(address, sent, GET=needed, POST=needed)


def public(address: str) -> Row:
    return row(address, **dict.fromkeys(METHODS, ANYONE))


A, P = "/v1.0/products", "/admin/products/product/"
U, G, K = "/admin/auth/user/", "/admin/auth/group/", "/admin/products/apitoken/"
NEW = {
    "productId": "p3",
    "name": "Third one",
    "description": "Hosting for a third site.",
    "price": "3.00",
}
CREATE = {
    "action": "create",
    "productId": "p4",
    "product": {**NEW, "name": "Fourth one", "productId": "p4"},
}
YES = {"post": "yes"}
CELL = {"field": "price", "value": "7", "version": "1"}
BULK = {"doing": "price", "field": "price", "way": "set", "by": "7", "rounding": "1"}
STUCK = {"product": "p1", "version": "1", "effect": "audited", "reason": "No need of it"}
SECRET = "a-password-of-somebody"
# One line for each route, as `routes` spells it; {user}, {group}, {token} and its {holder} are made by `there`.
# Under /admin/ everything needs the staff flag besides. What is sent would write if it were let in.
TABLE: dict[str, Row] = {
    "": public("/"),
    "healthz": public("/healthz"),
    "readyz": public("/readyz"),
    "v1.0/schema": row("/v1.0/schema", GET=ANYONE),
    "v1.0/docs": row("/v1.0/docs", GET=ANYONE),
    "v1.0/products": row(A, NEW, GET=ANYONE, POST=ADD),
    "v1.0/products:batch": row(f"{A}:batch", {"mode": "all", "items": [CREATE]}, POST=ADD),
    "v1.0/products/<str:product_id>": row(
        f"{A}/p2", {"price": "2.00"}, GET=ANYONE, PUT=CHANGE, PATCH=CHANGE, DELETE=DELETE
    ),
    "v1.0/products/<str:product_id>/changes": row(f"{A}/p2/changes", GET=VIEW),
    "v1.0/products/<str:product_id>/changes/<int:version>": row(f"{A}/p2/changes/1", GET=VIEW),
    "v1.0/products/<str:product_id>/changes/<int:version>/restore": row(
        f"{A}/p2/changes/1/restore", POST=CHANGE
    ),
    "api-auth/login/": public("/api-auth/login/"),
    "api-auth/logout/": row("/api-auth/logout/", POST=ANYONE),
    "admin/": page("/admin/", STAFF),
    "admin/<app_label>/": page("/admin/products/", VIEW),
    "admin/login/": page("/admin/login/", ANYONE),
    "admin/logout/": row("/admin/logout/", POST=STAFF),
    "admin/password_change/": page("/admin/password_change/", STAFF),
    "admin/password_change/done/": row("/admin/password_change/done/", GET=STAFF),
    "admin/jsi18n/": row("/admin/jsi18n/", GET=STAFF),
    "admin/search/": page("/admin/search/?s=basic", STAFF),
    "admin/autocomplete/": row("/admin/autocomplete/"),  # no page asks it anything
    "admin/r/<path:content_type_id>/<path:object_id>/": row(
        "/admin/r/1/1/"
    ),  # nothing of ours has a page elsewhere
    "admin/(?P<url>.*)$": row("/admin/no/such/page/"),
    "admin/products/product/": page(P, VIEW),
    "admin/products/product/add/": page(
        f"{P}add/", ADD, form_entries(product_id="p3", name="Third one")
    ),
    "admin/products/product/<path:object_id>/": page(f"{P}p1/", STAFF),  # leads to the change page
    "admin/products/product/<path:object_id>/change/": row(
        f"{P}p1/change/", form_entries(price="1.00"), GET=VIEW, POST=CHANGE
    ),
    "admin/products/product/<path:object_id>/history/": page(f"{P}p1/history/", VIEW),
    "admin/products/product/<path:object_id>/delete/": page(f"{P}p1/delete/", DELETE, YES),
    "admin/products/product/<path:object_id>/restore/": row(f"{P}p0/restore/", POST=CHANGE),
    "admin/products/product/<path:object_id>/restore/<int:version>/": row(
        f"{P}p2/restore/1/", POST=CHANGE
    ),
    "admin/products/product/<path:object_id>/undo/<int:version>/": row(
        f"{P}p2/undo/2/", POST=CHANGE
    ),
    "admin/products/product/<path:object_id>/receipt/<int:version>/": row(
        f"{P}p1/receipt/1/", GET=VIEW
    ),
    "admin/products/product/add/preview/": row(f"{P}add/preview/", form_entries(), POST=ADD),
    "admin/products/product/<path:object_id>/preview/": row(
        f"{P}p1/preview/", form_entries(), POST=CHANGE
    ),
    "admin/products/product/<path:object_id>/cell/": row(f"{P}p1/cell/", CELL, POST=CHANGE),
    "admin/products/product/<path:object_id>/image/": row(f"{P}p1/image/", POST=CHANGE),
    "admin/products/product/bulk/": page(f"{P}bulk/?id=p1", CHANGE, BULK),
    "admin/products/product/export/": row(f"{P}export/", GET=VIEW),
    "admin/products/product/import/": page(f"{P}import/", CHANGE),
    "admin/products/product/jobs/": row(f"{P}jobs/", GET=VIEW),
    "admin/products/product/jobs/<str:job_id>/": row(P + "jobs/{job}/", GET=VIEW),
    "admin/products/product/jobs/<str:job_id>/progress/": row(P + "jobs/{job}/progress/", GET=VIEW),
    "admin/products/product/jobs/<str:job_id>/errors/": row(P + "jobs/{job}/errors/", GET=VIEW),
    "admin/products/product/jobs/<str:job_id>/start/": row(
        P + "jobs/{job}/start/"
    ),  # only by who planned it
    "admin/products/product/jobs/<str:job_id>/cancel/": row(P + "jobs/{job}/cancel/", POST=CHANGE),
    "admin/products/product/jobs/<str:job_id>/undo/": row(P + "jobs/{job}/undo/", POST=CHANGE),
    "admin/products/product/operations/": row(f"{P}operations/", GET=OPERATE),
    "admin/products/product/operations/retry/": row(f"{P}operations/retry/", STUCK, POST=OPERATE),
    "admin/products/product/operations/retry_cause/": row(
        f"{P}operations/retry_cause/", POST=OPERATE
    ),
    "admin/products/product/operations/discard/": row(
        f"{P}operations/discard/", STUCK, POST=OPERATE
    ),
    "admin/products/product/operations/redrive/": row(f"{P}operations/redrive/", POST=OPERATE),
    "admin/products/apitoken/": page(
        K, ROOT, {"action": "revoke", "_selected_action": "{token}", "index": "0"}
    ),
    "admin/products/apitoken/add/": page(
        f"{K}add/", ROOT, {"user": "{holder}", "label": "x", "days": "1"}
    ),
    "admin/products/apitoken/<path:object_id>/": page(K + "{token}/", STAFF),
    "admin/products/apitoken/<path:object_id>/change/": row(
        K + "{token}/change/", {"label": "y"}, GET=ROOT
    ),
    "admin/products/apitoken/<path:object_id>/history/": page(K + "{token}/history/", ROOT),
    "admin/products/apitoken/<path:object_id>/delete/": row(K + "{token}/delete/", YES),
    "admin/auth/user/": page(U, ROOT),
    "admin/auth/user/add/": page(
        f"{U}add/", ROOT, {"username": "new", "password1": SECRET, "password2": SECRET}
    ),
    "admin/auth/user/<path:object_id>/": page(U + "{user}/", STAFF),
    "admin/auth/user/<path:object_id>/change/": page(
        U + "{user}/change/", ROOT, {"username": "renamed"}
    ),
    "admin/auth/user/<id>/password/": page(
        U + "{user}/password/", ROOT, {"password1": SECRET, "password2": SECRET}
    ),
    "admin/auth/user/<path:object_id>/history/": page(U + "{user}/history/", ROOT),
    "admin/auth/user/<path:object_id>/delete/": page(U + "{user}/delete/", ROOT, YES),
    "admin/auth/group/": page(G, ROOT),
    "admin/auth/group/add/": page(f"{G}add/", ROOT, {"name": "Others"}),
    "admin/auth/group/<path:object_id>/": page(G + "{group}/", STAFF),
    "admin/auth/group/<path:object_id>/change/": page(
        G + "{group}/change/", ROOT, {"name": "Renamed"}
    ),
    "admin/auth/group/<path:object_id>/history/": page(G + "{group}/history/", ROOT),
    "admin/auth/group/<path:object_id>/delete/": page(G + "{group}/delete/", ROOT, YES),
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
