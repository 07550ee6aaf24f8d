"""A table of an earlier release gets the indexes of this one, and its items the keys for them."""

from functools import partial
from typing import Any

import pytest

from products import bootstrap, maintenance
from products.acceptance import Acceptance
from products.changes import Origin
from products.lists import ListQuery, SortKey
from tests.support.builders import fields
from tests.support.commands import output
from tests.support.processes import until
from tests.support.world import World

pytestmark = pytest.mark.engines
NEW_INDEXES = (
    "LatestChangesIndex",
    "ProductsByNameIndex",
    "ProductsByUpdateIndex",
    "StoredRecordsIndex",
)
NEW_KEYS = ("nameSort", "updatedSort", "storedShard", "activeShard", "storedSort")


def make_old(world: World) -> None:
    """Take from the table what later releases added. DynamoDB deletes indexes one by one."""
    for name in NEW_INDEXES:
        change = [{"Delete": {"IndexName": name}}]
        world.dynamodb.update_table(TableName=world.table, GlobalSecondaryIndexUpdates=change)
        until(partial(is_deleted, world, name))
    for item in world.dynamodb.scan(TableName=world.table)["Items"]:
        remove(world, item, *(NEW_KEYS if item["SK"]["S"] == "METADATA" else ("logShard",)))


def is_deleted(world: World, name: str) -> bool:
    table = world.dynamodb.describe_table(TableName=world.table)["Table"]
    return all(index["IndexName"] != name for index in table["GlobalSecondaryIndexes"])


def remove(world: World, item: dict[str, Any], *names: str) -> None:
    if item["PK"]["S"].startswith("PRODUCT#"):
        world.dynamodb.update_item(
            TableName=world.table,
            Key={"PK": item["PK"], "SK": item["SK"]},
            UpdateExpression=f"REMOVE {', '.join(names)}",
        )


def names_by(sort: SortKey) -> list[str]:
    found = bootstrap.catalogue().walk(ListQuery(sort=sort), 10)
    return [product.name for product in found]


@pytest.mark.django_db
def test_old_table_is_brought_up_to_date(world: World, acceptance: Acceptance, ann: Origin) -> None:
    for number, name in enumerate(("Second", "First", "Third")):
        acceptance.create(f"p{number}", fields(name=f"{name} hosting"), ann)
    acceptance.deactivate("p2", ann)
    world.work()
    make_old(world)
    assert maintenance.indexes().missing() == list(NEW_INDEXES)
    assert "added 4 indexes, filled 7 items" in output("add_indexes")
    assert names_by(SortKey.NAME) == ["First hosting", "Second hosting"]
    assert len(names_by(SortKey.UPDATED)) == 2
    table = bootstrap.table()
    assert sorted(product_id for _, product_id in table.stored_after("0", 10)) == ["p0", "p1", "p2"]
    assert "added 0 indexes, filled 0 items" in output("add_indexes")
