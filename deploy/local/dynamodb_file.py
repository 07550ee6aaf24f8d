"""DynamoDB Local's file: new items written into it while the engine is stopped.

Its API needs 1.6 ms of CPU time for the items of one product. The file is a SQLite database in a
format of its own; a test compares rows that were written here with rows of the API.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.items import INDEX_KEYS, Item

Row = tuple[Any, ...]

SALT = b"LocalDdb"
PAGE_BYTES = 8192  # the engine's 1024 are smaller than an item
CACHE_KIB = 1_000_000
KEYS = list(dict.fromkeys(key for pair in INDEX_KEYS.values() for key in pair))
"""The attributes that are keys of an index, in the order of their columns."""
COLUMNS = [
    "hashKey",
    "rangeKey",
    "hashValue",
    "rangeValue",
    "hashRangeValue",
    "itemSize",
    "ObjectJSON",
    *(f"indexKey_{number}" for number in range(len(KEYS))),
]


@dataclass(frozen=True, slots=True)
class DynamoDBFile:
    """An open file, and the table to write to."""

    connection: sqlite3.Connection
    table: str

    def sort_key_owners(self, sort_key: str) -> set[str]:
        """Return the partition keys of all items with this sort key."""
        query = f'SELECT hashKey FROM "{self.table}" WHERE rangeKey = ?'  # noqa: S608 # our table
        found = self.connection.execute(query, [sort_key.encode()])
        return {partition.decode() for (partition,) in found}

    def insert(self, rows: Iterable[Row]) -> None:
        """Add rows in one transaction. Raise sqlite3.IntegrityError when one exists."""
        columns, marks = ", ".join(COLUMNS), ", ".join("?" * len(COLUMNS))
        statement = f'INSERT INTO "{self.table}" ({columns}) VALUES ({marks})'  # noqa: S608
        with self.connection:
            self.connection.executemany(statement, rows)


@contextmanager
def open_file(path: Path, table: str) -> Iterator[DynamoDBFile]:
    """Open the file of a stopped DynamoDB Local that has created the table."""
    with closing(sqlite3.connect(path)) as connection:
        # A killed load leaves a journal, which the next start rolls back.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        if not connection.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone():  # noqa: S608
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("VACUUM")
        yield DynamoDBFile(connection, table)


def row_of(item: Item) -> Row:
    """Return the row of an item, with the columns of ``COLUMNS``. Texts are stored as bytes."""
    values = encoded(item)
    partition, sort_key = item["PK"].encode(), item["SK"].encode()
    return (
        partition,
        sort_key,
        _hash(partition),
        _hash(sort_key),
        _hash(_hash(partition) + _hash(sort_key)),
        size_of(values),
        json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode(),
        *(item[key].encode() if key in item else None for key in KEYS),
    )


def _hash(content: bytes) -> bytes:
    return hashlib.sha1(SALT + content, usedforsecurity=False).digest()


def size_of(values: Mapping[str, Any]) -> int:
    """Return the bytes of an item by DynamoDB's rules."""
    return sum(len(name.encode()) + _size_of_value(value) for name, value in values.items())


def _size_of_value(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return _size_of_number(content)
    if kind == "SS":
        return sum(len(text.encode()) for text in content)
    if kind == "L":
        return 3 + sum(1 + _size_of_value(element) for element in content)
    if kind == "M":
        return 3 + len(content) + size_of(content)
    return 1


def _size_of_number(text: str) -> int:
    digits = text.replace(".", "").strip("0")
    return len(digits) // 2 + 1 + len(digits) % 2
