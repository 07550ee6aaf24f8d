"""Items written into the file of DynamoDB Local are those that its API would have written."""

import json
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deploy.local.dynamodb_file import COLUMNS, Row, open_file, row_of
from deploy.local.java_engines import DynamoDBLocal
from deploy.local.sample_catalogue import (
    SampleCatalogue,
    product_items,
    sample_change,
    sample_product,
)
from products.adapters.aws.clients import client
from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.definition import table_definition
from products.adapters.dynamodb.table import DynamoProductTable
from products.lists import ListQuery, SortKey
from tests.plugin import search_address
from tests.support.world import World

pytestmark = [pytest.mark.needs("dynamodb-local"), pytest.mark.timeout(300)]
ODD_ITEM = {
    "PK": "NAME#größe",
    "SK": "CLAIM",
    "text": "größe \U0001f600",
    "numbers": [1, 1200, Decimal("123456.78")],
    "flags": {"yes": True, "none": None, "empty": {}},
    "set": {"a", "bc"},
}


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDBLocal]:
    engine = DynamoDBLocal(home=tmp_path / "dynamodb", keep=True)
    engine.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", engine.url)
    try:
        patient_client().create_table(**table_definition("filled"))
        yield engine
    finally:
        engine.stop()


def patient_client() -> Any:
    """Return a client that waits for an engine that has just started."""
    return client("dynamodb", read=60)


def readable(row: Row) -> dict[str, Any]:
    columns = dict(zip(COLUMNS, row, strict=True))
    item = json.loads(columns["ObjectJSON"])
    for value in item.values():
        value.get("SS", []).sort()
    return columns | {"ObjectJSON": item}


def test_rows_are_those_of_the_api(local: DynamoDBLocal) -> None:
    items = [ODD_ITEM, *product_items(sample_change(sample_product(3)))]
    for item in items:
        patient_client().put_item(TableName="filled", Item=encoded(item))
    local.stop()
    query = f"SELECT {', '.join(COLUMNS)} FROM filled"  # our columns
    stored = sqlite3.connect(local.file).execute(query).fetchall()
    expected = [readable(row_of(item)) for item in items]
    assert sorted(map(readable, stored), key=str) == sorted(expected, key=str)


def test_the_engine_serves_what_its_file_was_given(local: DynamoDBLocal, world: World) -> None:
    samples = SampleCatalogue("filled", search_address(), world.alias, local.file)
    with local.stopped():
        assert [samples.load(70), samples.load(72)] == [70, 2]
    table = DynamoProductTable(patient_client(), "filled")
    assert table.record("b0000042") == sample_product(42)
    for sort in SortKey:
        listing = ListQuery(sort=sort, limit=100)
        found = [product.product_id for product in table.in_order(listing, active=True)]
        assert len(set(found)) == len(found) == 72
    change = table.change("b0000071", 1)
    assert change
    assert (change.after, change.open) == (sample_product(71), frozenset())


def test_a_file_refuses_an_item_that_exists(local: DynamoDBLocal) -> None:
    rows = [row_of(ODD_ITEM)]
    local.stop()
    with open_file(local.file, "filled") as file:
        file.insert(rows)
        with pytest.raises(sqlite3.IntegrityError):
            file.insert(rows)
        assert file.sort_key_owners("CLAIM") == {"NAME#größe"}
