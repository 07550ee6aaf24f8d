"""What operators need of the product table: how fast changes went by the minute, what was done, effects given up."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.calls import DynamoCalls
from products.adapters.dynamodb.items import Item, change_key, discard_item, discard_name
from products.changes import Change, Discard, Effect
from products.documents import format_timestamp, parse_timestamp
from products.errors import DependencyUnavailable
from products.operations import BOUNDS, Action, Minute, bucket_of

logger = logging.getLogger(__name__)
RETENTION = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class DynamoOperations(DynamoCalls):
    """Statistics, what operators did, and effects given up."""

    # Statistics

    def count_completed(self, change: Change) -> None:
        """One update a completed change. It may be lost or, in a crash, counted twice: nothing depends on it."""
        at = max(change.done.values())
        names, values = (
            {"#changes": "changes"},
            {":one": 1, ":expires": int((at + RETENTION).timestamp())},
        )
        parts = ["#changes :one"]
        for effect, done in change.done.items():
            names[f"#{effect}"] = (
                f"{effect}-{bucket_of((done - change.accepted_at).total_seconds())}"
            )
            parts.append(f"#{effect} :one")
        try:
            self._call(
                "update_item",
                TableName=self.name,
                Key=encoded(_minute_key(at)),
                UpdateExpression=f"ADD {', '.join(parts)} SET expiresAt = :expires",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=encoded(values),
            )
        except (DependencyUnavailable, ClientError) as fault:
            logger.warning("a completed change was not counted", extra={"fault": repr(fault)})

    def minutes(self, since: datetime, until: datetime) -> list[Minute]:
        found: list[Minute] = []
        hour = since.replace(minute=0, second=0, microsecond=0)
        while hour <= until:
            found += map(_to_minute, self._of(_minute_key(hour)["PK"]))
            hour += timedelta(hours=1)
        return [minute for minute in found if since <= minute.at <= until]

    # What was done

    def discard(self, change: Change, effect: Effect, discard: Discard) -> bool:
        key = change_key(change.product_id, change.version)
        discarded = self._update(
            key,
            "SET #discarded = :discard DELETE #open :effects",
            "contains(#open, :effect)",
            {"#open": "open", "#discarded": discard_name(effect)},
            {":effect": str(effect), ":effects": {str(effect)}, ":discard": discard_item(discard)},
        )
        if discarded is None:
            return False
        if "open" not in discarded:
            self._call(
                "update_item",
                TableName=self.name,
                Key=encoded(key),
                UpdateExpression="REMOVE openFlag",
            )
        return True

    def write(self, action: Action) -> None:
        item = {
            "PK": _month(action.at),
            "SK": action.action_id,
            "at": format_timestamp(action.at),
            "by": action.by,
            "what": action.what,
            "reason": action.reason,
            "changes": list(action.changes)[:20],
            "count": len(action.changes),
        }
        self._call("put_item", TableName=self.name, Item=encoded(item))
        facts = {
            "actor": action.by,
            "action": action.what,
            "reason": action.reason,
            "action_id": action.action_id,
        }
        logger.info("operator action", extra={**facts, "changes": list(action.changes)[:20]})

    def actions(self, month: datetime, limit: int) -> list[Action]:
        return [
            Action(
                action_id=item["SK"],
                at=parse_timestamp(item["at"]),
                by=item["by"],
                what=item["what"],
                reason=item["reason"],
                changes=item["changes"],
            )
            for item in islice(self._of(_month(month), ScanIndexForward=False, Limit=limit), limit)
        ]

    def _of(self, partition: str, **arguments: Any) -> Iterator[Item]:
        values = {":pk": partition}
        return self._query(
            KeyConditionExpression="PK = :pk", ExpressionAttributeValues=values, **arguments
        )


def _minute_key(at: datetime) -> Item:
    return {"PK": f"STATS#{at:%Y-%m-%dT%H}", "SK": f"MINUTE#{at:%M}"}


def _month(at: datetime) -> str:
    return f"OPERATIONS#{at:%Y-%m}"


def _to_minute(item: Mapping[str, Any]) -> Minute:
    at = datetime.fromisoformat(
        f"{item['PK'].removeprefix('STATS#')}:{item['SK'].removeprefix('MINUTE#')}:00+00:00"
    )
    buckets = {
        effect: [int(item.get(f"{effect}-{n}", 0)) for n in range(len(BOUNDS))] for effect in Effect
    }
    return Minute(at, int(item["changes"]), buckets)
