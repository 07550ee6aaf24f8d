"""Revoked API tokens, stored in the product table until they would have expired."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from products.adapters.dynamodb.calls import DynamoCalls
from products.adapters.dynamodb.items import EXPIRY, Item

EXPIRY_MARGIN = timedelta(minutes=1)  # for the difference between two hosts' clocks


@dataclass(frozen=True, slots=True)
class DynamoRevocations(DynamoCalls):
    """The list of revoked tokens: a token is revoked when the table has an item for it."""

    def revoke(self, token_id: str, expires_at: datetime) -> None:
        """Revoke a token. DynamoDB deletes the item once the token has expired anyway."""
        deleted_at = expires_at + EXPIRY_MARGIN
        self._overwrite_item({**_key(token_id), EXPIRY: int(deleted_at.timestamp())})

    def is_revoked(self, token_id: str) -> bool:
        """Whether the token was revoked."""
        return self._get_item(_key(token_id)) is not None


def _key(token_id: str) -> Item:
    return {"PK": f"TOKEN#{token_id}", "SK": "REVOKED"}
