"""The owner of a plan needs the permissions when the plan starts, not only when it was made."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from products import scheduling
from products.acceptance import Acceptance
from products.access import tokens
from products.catalogue import Catalogue
from products.changes import Origin
from products.models import ApiToken
from products.plans.plan import PlanRow
from tests.support.api_client import Api
from tests.support.builders import fields
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(world: World, acceptance: Acceptance, ann: Origin) -> Api:
    acceptance.create("p1", fields(price="100"), ann)
    return Api("Product editors", name="eve")


def plan_now(api: Api) -> str:
    """Make a plan that starts and is not made yet, and return its ID."""
    rows: list[dict[str, Any]] = [{"productId": "p1", "edits": {"price": "80"}}]
    made = api("post", "/plans", {"name": "Sale", "rows": rows})
    assert made.status_code == 201
    return str(made.json()["planId"])


def started_row(plan_id: str) -> PlanRow:
    """Make the due step, and return the row."""
    assert len(scheduling.switching().step()) == 1
    plans = scheduling.plans()
    return next(plans.rows(plans.plan(plan_id)))


def message_of(row: PlanRow) -> str:
    assert row.start is not None
    return row.start.message


def test_owner_with_the_permissions_is_allowed(api: Api, catalogue: Catalogue) -> None:
    assert message_of(started_row(plan_now(api))) == ""
    assert catalogue.newest("p1").price == 80


def test_plan_of_a_deactivated_account_is_refused(api: Api, catalogue: Catalogue) -> None:
    plan_id = plan_now(api)
    User.objects.filter(username="eve").update(is_active=False)
    assert message_of(started_row(plan_id)) == (
        "eve may not start this plan any more."
        " The account eve is not active any more, or was deleted."
    )
    assert catalogue.newest("p1").price == 100


def test_plan_made_with_a_revoked_token_is_refused(api: Api, catalogue: Catalogue) -> None:
    plan_id = plan_now(api)
    tokens.revoke(ApiToken.objects.get(user__username="eve"))
    assert "was revoked" in message_of(started_row(plan_id))
    assert catalogue.newest("p1").price == 100


def test_owner_who_left_the_group_is_refused(api: Api, catalogue: Catalogue) -> None:
    plan_id = plan_now(api)
    viewers = Group.objects.get(name="Product viewers")
    User.objects.get(username="eve").groups.set([viewers])
    assert "products.plan_product" in message_of(started_row(plan_id))
    assert catalogue.newest("p1").price == 100


def deactivation(api: Api) -> str:
    """Plan that a product is deactivated in a day, and return the plan's path."""
    rows: list[dict[str, Any]] = [{"productId": "p1", "edits": {"active": False}}]
    start = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    made = api("post", "/plans", {"name": "Away", "rows": rows, "startsAt": start})
    assert made.status_code == 201, made.content
    return f"/plans/{made.json()['planId']}"


def test_nobody_moves_a_plan_that_they_could_not_make(api: Api, catalogue: Catalogue) -> None:
    path = deactivation(Api("Product admins", name="ada"))
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    for changes in ({"startsAt": soon}, {"endsAt": None, "clashRule": "apply"}, {"name": "x"}):
        refused = api("patch", path, changes)
        assert refused.status_code == 403
        assert "products.delete_product" in refused.json()["message"]
    assert api("get", path).json()["version"] == 1


def test_nobody_revives_a_plan_that_they_could_not_make(api: Api) -> None:
    path = deactivation(Api("Product admins", name="ada"))
    assert api("delete", path).status_code == 200  # stopping it needs less
    assert api("post", f"{path}/undo").status_code == 403
    assert api("get", path).json()["state"] == "cancelled"
