"""The product table: the adapters of its subjects in one class, which the wiring uses."""

from dataclasses import dataclass

from products.adapters.dynamodb.change_log import DynamoChangeLog
from products.adapters.dynamodb.effects import DynamoEffects
from products.adapters.dynamodb.invalidations import DynamoInvalidations
from products.adapters.dynamodb.items import INVALIDATION_KEY
from products.adapters.dynamodb.records import DynamoRecords


@dataclass(frozen=True, slots=True)
class DynamoProductTable(DynamoChangeLog, DynamoEffects, DynamoRecords, DynamoInvalidations):
    """The one DynamoDB table: change log, effects, records, name claims and invalidations."""

    def ping(self) -> None:
        """Read one item, for the readiness check.

        Raises: DependencyUnavailable or ClientError when the table can't be read.
        """
        self._get_item(INVALIDATION_KEY)
