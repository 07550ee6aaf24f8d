"""The columns that users chose for imported files, by a key of the head line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from products.adapters.dynamodb.calls import DynamoCalls
from products.adapters.dynamodb.items import EXPIRY, Item

RETENTION = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class DynamoMappings(DynamoCalls):
    """Chosen columns in the product table, which DynamoDB deletes after RETENTION."""

    clock: Callable[[], datetime]

    def mapping(self, key: str) -> list[str] | None:
        """Return the field of each column, "" for an ignored one."""
        item = self._get_item(_key(key))
        return [str(field) for field in item["fields"]] if item else None

    def remember_mapping(self, key: str, fields: Sequence[str]) -> None:
        """Write the fields, in place of those that were chosen before."""
        expiry = int((self.clock() + RETENTION).timestamp())
        self._overwrite_item({**_key(key), "fields": list(fields), EXPIRY: expiry})


def _key(key: str) -> Item:
    return {"PK": f"COLUMNS#{key}", "SK": "MAPPING"}
