"""The product table: the adapters of its subjects in one class, which the wiring uses."""

from collections.abc import Iterable
from dataclasses import dataclass

from botocore.exceptions import ClientError

from products.adapters.aws.clients import is_about_an_index
from products.adapters.dynamodb.change_log import DynamoChangeLog
from products.adapters.dynamodb.effects import DynamoEffects
from products.adapters.dynamodb.invalidations import DynamoInvalidations
from products.adapters.dynamodb.items import INDEX_KEYS, INVALIDATION_KEY
from products.adapters.dynamodb.records import DynamoRecords
from products.errors import DependencyUnavailable, IndexMissing


@dataclass(frozen=True, slots=True)
class DynamoProductTable(DynamoChangeLog, DynamoEffects, DynamoRecords, DynamoInvalidations):
    """The one DynamoDB table: change log, effects, records, name claims and invalidations."""

    def ping(self) -> None:
        """Read one item, for the readiness check.

        Raises: DependencyUnavailable or ClientError when the table can't be read.
        """
        self._get_item(INVALIDATION_KEY)

    def require_indexes(self, names: Iterable[str]) -> None:
        """Query each of the indexes. Raises: IndexMissing, which names those that do not answer."""
        if missing := [name for name in names if not self._has_index(name)]:
            raise IndexMissing(missing)

    def _has_index(self, name: str) -> bool:
        partition_key, _ = INDEX_KEYS[name]
        condition, nobody = f"{partition_key} = :nobody", {":nobody": "NOBODY"}
        try:
            list(self._query(condition, nobody, IndexName=name, Limit=1))
        except DependencyUnavailable as fault:
            cause = fault.__cause__
            if isinstance(cause, ClientError) and is_about_an_index(cause):
                return False
            raise
        return True
