"""Real workers make the steps of plans, each once, also when one of them is killed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from products import scheduling
from products.adapters.dynamodb.plans import DynamoPlanTable
from products.adapters.dynamodb.table import DynamoProductTable
from products.changes import Change
from products.plans.drafts import Draft, DraftRow
from products.plans.logs import ProductLogs
from products.plans.plans import Plans
from tests.support.builders import fields, origin
from tests.support.processes import Deployment, until

IDS = [f"p{number}" for number in range(5)]


def plans_of(deployment: Deployment) -> Plans:
    """Return the use cases of plans on the deployment's table."""
    table = DynamoProductTable(deployment.world.dynamodb, deployment.world.table)
    stored = DynamoPlanTable(deployment.world.dynamodb, deployment.world.table)
    logs = ProductLogs(table, stored, map)
    return replace(scheduling.plans(), table=stored, logs=logs, names=table)


@pytest.mark.timeout(300)
def test_plan_starts_and_ends_once_although_a_worker_is_killed(deployment: Deployment) -> None:
    killed = deployment.start_worker()
    deployment.start_worker()
    deployment.start_web()
    deployment.await_worker()
    for product_id in IDS:
        body = fields(productId=product_id, name=f"Hosting {product_id}")
        deployment.call("POST", "/v1.0/products", body, Prefer="wait=10")
    plan = plan_offer(deployment)
    until(lambda: switched(deployment, "-start"))
    deployment.kill(killed)
    until(lambda: switched(deployment, "-end"))
    for product_id in IDS:
        changes = history(deployment, product_id)
        steps = [change.origin.request_id for change in changes]
        assert steps == [f"{plan.plan_id}-end", f"{plan.plan_id}-start", steps[-1]]
        assert changes[1].accepted_at >= plan.starts_at
        assert changes[0].accepted_at >= plan.ends_at
        assert changes[0].after.price == changes[2].after.price
        deployment.complete(product_id, 3)


def plan_offer(deployment: Deployment) -> Any:
    now = datetime.now(UTC)
    draft = Draft(
        name="Offer",
        rows=[DraftRow(product_id=one, edits={"price": "999.00"}) for one in IDS],
        starts_at=now + timedelta(seconds=5),
        ends_at=now + timedelta(seconds=9),
        zone="UTC",
    )
    return plans_of(deployment).create(draft, origin("eve")).plan


def history(deployment: Deployment, product_id: str) -> list[Change]:
    table = DynamoProductTable(deployment.world.dynamodb, deployment.world.table)
    return table.history(product_id, None, 10)


def switched(deployment: Deployment, suffix: str) -> bool:
    newest = [history(deployment, product_id)[0] for product_id in IDS]
    return all(change.origin.request_id.endswith(suffix) for change in newest)
