"""Odd input to the API of plans: it is planned or refused, and never a server error."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from products.acceptance import Acceptance
from products.changes import Origin
from tests.support.api_client import token_of
from tests.support.builders import fields
from tests.support.plan_pages import make_plan
from tests.support.world import World

pytestmark = pytest.mark.django_db

SEED = 20261130
ROUNDS = 200
ODD_VALUES = [
    "null",
    "true",
    "0",
    "-1",
    "1e400",
    "1e-400",
    "-0.0",
    "9" * 90,
    "NaN",
    '""',
    '" "',
    json.dumps("x" * 20_000),
    r'"\u0000"',
    r'"\ud800"',
    r'"\u202e\u2028"',
    json.dumps("é" * 300),
    "[]",
    "{}",
    "[[]]",
    '{"a": [{}]}',
    "[" * 60 + "]" * 60,
    '"9999-12-31T23:59:59-23:59"',
    '"0001-01-01T00:00:00+23:59"',
    '"0000-01-01T00:00"',
    '"2026-02-30T00:00"',
    '"2026-11-30T24:00"',
    '"2027-03-28T02:30"',
    '"20261201T080000,123456789Z"',
    '"+262142-12-31T00:00Z"',
    '"2026-W49-1"',
    '"../../etc/passwd"',
    '"/etc/localtime"',
    '"Etc/GMT+12"',
    '"UTC\\u0000"',
    '"1e999999999"',
    '"-99.999"',
    '"１２"',
    '["price", "price", "x"]',
    '[{"productId": "p1"}, {"productId": "p1"}]',
    "[" + ",".join(['"p1"'] * 1100) + "]",
]
"""As JSON, so that what Python's encoder would refuse is sent too."""
TIMES = {"startsAt": "2099-12-01T08:00:00Z", "zone": "Europe/Berlin"}
ADJUST = {"kind": "percent", "by": "-10", "fields": ["price"], "rounding": "0.01"}
ROW = {"productId": "p1", "edits": {"price": "6.00"}, "adjust": ADJUST, "version": 1}
BODIES: list[dict[str, Any]] = [
    {"name": "Sale", "reason": "why", **TIMES, "endsAt": None, "clashRule": "keep", "rows": [ROW]},
    {"name": "Sale", "select": {"ids": ["p1"]}, "edits": {"price": "6", "features": ["ab"]}},
    {"name": "Sale", "select": {"currency": "ZAR", "minPrice": "1"}, "adjust": ADJUST},
    {"name": "Sale", "jobId": "01900000-0000-7000-8000-000000000000"},
]
PATHS = ["", "/rows", "/history", "/end", "/undo"]
IDS = ["", "x", "%00", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "9" * 3000]
HEADERS = [
    {},
    {"If-Match": '"v' + "9" * 5000 + '"'},
    {"If-Match": "W/" * 3000},
    {"If-None-Match": '"' * 5001},
    {"Idempotency-Key": "\xff" * 300},
    {"Idempotency-Key": "k"},
    {"Prefer": "wait=" + "9" * 5000},
    {"Accept": "application/json;q=" + "9" * 5000},
    {"Content-Type": "application/json; charset=latin-1"},
    {"X-Request-ID": "\n" * 100},
]
QUERIES = [
    "",
    "dryRun=true",
    "dryRun=true&dryRun=false",
    "limit=" + "9" * 5000,
    "startAt=" + "a:b" * 1000,
    "startAt=%00",
    "open=true&open=true",
    "open=%ff",
    "x" * 5000,
    "limit=²",
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value in a body."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        yield (*path, key)
        if isinstance(child, dict | list):
            yield from places(child, (*path, key))


def with_odd_value(body: dict[str, Any], path: tuple[Any, ...], odd: str) -> str:
    """Return the body as JSON, with an odd value at the path."""
    changed = copy.deepcopy(body)
    target: Any = changed
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = "<odd>"
    return json.dumps(changed).replace('"<odd>"', odd)


@pytest.fixture
def client(world: World, acceptance: Acceptance, ann: Origin) -> Client:
    acceptance.create("p1", fields(), ann)
    token = token_of("ann", "Product admins")
    return Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)


def test_odd_bodies_of_plans_are_never_a_server_error(client: Client) -> None:
    chance = random.Random(SEED)
    cases = [(body, path) for body in BODIES for path in places(body)]
    failed = []
    for number in range(ROUNDS):
        body, path = cases[number % len(cases)]
        sent = with_odd_value(body, path, chance.choice(ODD_VALUES))
        answer = client.post("/v1.0/plans?dryRun=true", sent, content_type="application/json")
        if answer.status_code >= 500:
            failed.append((answer.status_code, sent[:300]))
    assert failed == []


def test_odd_changes_of_plans_are_never_a_server_error(client: Client) -> None:
    path = f"/v1.0/plans/{make_plan('p1', '8').plan_id}"
    names = ["name", "reason", "startsAt", "endsAt", "zone", "clashRule", "rows", "x"]
    sent = [f'{{"{name}": {odd}}}' for name in names for odd in ODD_VALUES]
    answers = {
        body[:200]: client.patch(path, body, content_type="application/json").status_code
        for body in [*sent, *ODD_VALUES]
    }
    assert {body: code for body, code in answers.items() if code >= 500} == {}
    assert client.get(path).status_code == 200
    assert client.get(f"{path}/history").status_code == 200


def test_odd_addresses_of_plans_are_never_a_server_error(client: Client) -> None:
    chance = random.Random(SEED)
    plan = make_plan("p1", "8").plan_id
    failed = []
    for number in range(ROUNDS):
        id_ = chance.choice([*IDS, plan, plan])
        path = f"/v1.0/plans/{id_}{chance.choice(PATHS)}?{chance.choice(QUERIES)}"
        method = ("get", "post", "patch", "delete")[number % 4]
        headers = chance.choice(HEADERS)
        body = {} if method == "get" else {"data": "{}", "content_type": "application/json"}
        answer = getattr(client, method)(path, headers=headers, **body)
        if answer.status_code >= 500:
            failed.append((method, path[:200], headers, answer.status_code))
    assert failed == []
