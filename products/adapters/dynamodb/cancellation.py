"""Why DynamoDB cancelled a transaction that appends changes."""

from collections.abc import Sequence

from products.adapters.dynamodb.attribute_values import decoded
from products.adapters.dynamodb.items import CLAIM, Item
from products.appending import Obstacles
from products.changes import Change

CONDITION_FAILED, NO_REASON = "ConditionalCheckFailed", "None"


def explain_cancellation(
    change_writes: Sequence[tuple[Change, Item]], keys: Sequence[str], reasons: Sequence[Item]
) -> Obstacles:
    """Return what was in the way of a cancelled transaction.

    DynamoDB gives one reason for each write, in order. The reasons after those of the changes'
    own writes are those of the idempotency records with these ``keys``.
    """
    versions: dict[str, str | None] = {}
    names: dict[str, str] = {}
    for (change, write), reason in zip(change_writes, reasons, strict=False):
        existing = _existing_item(write, reason)
        if reason["Code"] == CONDITION_FAILED and existing and existing["SK"] == CLAIM:
            names[change.product_id] = existing["productId"]
        elif reason["Code"] != NO_REASON:
            versions[change.product_id] = existing.get("changeId") if existing else None
    duplicates = frozenset(
        key
        for key, reason in zip(keys, reasons[len(change_writes) :], strict=False)
        if reason["Code"] == CONDITION_FAILED
    )
    if not (versions or names or duplicates):
        # A transaction under way refused the record only: plan again.
        versions = {change.product_id: None for change, _ in change_writes}
    return Obstacles(versions, names, duplicates)


def _existing_item(write: Item, reason: Item) -> Item | None:
    """Return the item that made the condition of a Put fail, if DynamoDB returned it."""
    return decoded(reason["Item"]) if "Put" in write and reason.get("Item") else None
