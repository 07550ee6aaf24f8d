"""Revoked API tokens, in the product table, for as long as they would have lived."""

from dataclasses import dataclass
from datetime import datetime

from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.calls import DynamoCalls
from products.adapters.dynamodb.items import Item


@dataclass(frozen=True, slots=True)
class DynamoRevocations(DynamoCalls):
    """A token is revoked when its item is there."""

    def revoke(self, token_id: str, expires_at: datetime) -> None:
        """DynamoDB forgets the item after ``expires_at``: the token has no force by then."""
        item = {**_key(token_id), "expiresAt": int(expires_at.timestamp()) + 60}
        self._call("put_item", TableName=self.name, Item=encoded(item))

    def is_revoked(self, token_id: str) -> bool:
        return self._get(_key(token_id)) is not None


def _key(token_id: str) -> Item:
    return {"PK": f"TOKEN#{token_id}", "SK": "REVOKED"}
