"""Revoked API tokens, in the product table, for as long as they would have lived."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from products.adapters.aws import calling


@dataclass(frozen=True, slots=True)
class DynamoRevocations:
    client: Any
    table: str

    def revoke(self, token_id: str, expires_at: datetime) -> None:
        """DynamoDB forgets the item after ``expires_at``: the token has no force by then."""
        item = {**_key(token_id), "expiresAt": {"N": str(int(expires_at.timestamp()) + 60)}}
        with calling("DynamoDB"):
            self.client.put_item(TableName=self.table, Item=item)

    def is_revoked(self, token_id: str) -> bool:
        with calling("DynamoDB"):
            return "Item" in self.client.get_item(TableName=self.table, Key=_key(token_id), ConsistentRead=True)


def _key(token_id: str) -> dict[str, Any]:
    return {"PK": {"S": f"TOKEN#{token_id}"}, "SK": {"S": "REVOKED"}}
