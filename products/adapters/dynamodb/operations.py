"""The operators' items in the product table: statistics and the action log."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from products.adapters.dynamodb.calls import IN_PARTITION, DynamoCalls
from products.adapters.dynamodb.items import (
    EXPIRY,
    Item,
)
from products.changes import Change, Effect
from products.documents import format_timestamp, parse_timestamp
from products.errors import DependencyUnavailable
from products.latencies import BOUNDS, Minute, bucket_of
from products.operations import Action

logger = logging.getLogger(__name__)

STATISTICS_RETENTION = timedelta(days=2)
MAX_LISTED_CHANGES = 20  # of an action; its item counts all of them


@dataclass(frozen=True, slots=True)
class DynamoOperations(DynamoCalls):
    """Statistics by the minute, and what operators did."""

    # Statistics

    def count_completed(self, changes: Sequence[Change]) -> None:
        """Count completed changes in the minute in which the last effect of each ended.

        Best effort: a count may be lost or, after a crash, doubled. Nothing depends on it.
        """
        by_minute: dict[datetime, Counter[str]] = {}
        for change in changes:
            minute = change.progressed_at.replace(second=0, microsecond=0)
            by_minute.setdefault(minute, Counter()).update(_counters_of(change))
        for minute, counters in by_minute.items():
            self._add_to_minute(minute, counters)

    def _add_to_minute(self, minute: datetime, counters: Mapping[str, int]) -> None:
        expires_at = minute + STATISTICS_RETENTION
        numbered = list(enumerate(counters.items()))
        additions = ", ".join(f"#c{number} :c{number}" for number, _ in numbered)
        values = {f":c{number}": count for number, (_, count) in numbered}
        try:
            self._update_item(
                _minute_key(minute),
                f"ADD {additions} SET {EXPIRY} = :expires",
                names={f"#c{number}": name for number, (name, _) in numbered},
                values={**values, ":expires": int(expires_at.timestamp())},
            )
        except (DependencyUnavailable, ClientError) as fault:
            logger.warning("completed change not counted", extra={"fault": repr(fault)})

    def minutes(self, since: datetime, until: datetime) -> list[Minute]:
        """Return the minutes with completed changes, oldest first."""
        found: list[Minute] = []
        hour = since.replace(minute=0, second=0, microsecond=0)
        while hour <= until:
            found += map(_to_minute, self._query(IN_PARTITION, {":pk": _minute_key(hour)["PK"]}))
            hour += timedelta(hours=1)
        return [minute for minute in found if since <= minute.at <= until]

    # Actions

    def write(self, action: Action) -> None:
        """Append an action to the log of its month."""
        listed_changes = list(action.changes)[:MAX_LISTED_CHANGES]
        self._overwrite_item(
            {
                "PK": _month_partition(action.at),
                "SK": action.action_id,
                "at": format_timestamp(action.at),
                "by": action.by,
                "what": action.what,
                "reason": action.reason,
                "changes": listed_changes,
                "count": len(action.changes),
            }
        )
        facts = {
            "actor": action.by,
            "action": action.what,
            "reason": action.reason,
            "action_id": action.action_id,
            "changes": listed_changes,
        }
        logger.info("operator action", extra=facts)

    def actions(self, month: datetime, limit: int) -> list[Action]:
        """Return the actions of a month, newest first."""
        return [_to_action(item) for item in self._query_newest(_month_partition(month), limit)]


def _counters_of(change: Change) -> list[str]:
    """Return the counters of a minute that a completed change raises by one."""
    buckets = [
        f"{effect}-{bucket_of((done_at - change.accepted_at).total_seconds())}"
        for effect, done_at in change.done.items()
    ]
    return ["changes", *buckets]


def _minute_key(at: datetime) -> Item:
    return {"PK": f"STATS#{at:%Y-%m-%dT%H}", "SK": f"MINUTE#{at:%M}"}


def _month_partition(at: datetime) -> str:
    return f"OPERATIONS#{at:%Y-%m}"


def _to_action(item: Mapping[str, Any]) -> Action:
    return Action(
        action_id=item["SK"],
        at=parse_timestamp(item["at"]),
        by=item["by"],
        what=item["what"],
        reason=item["reason"],
        changes=item["changes"],
    )


def _to_minute(item: Mapping[str, Any]) -> Minute:
    hour = item["PK"].removeprefix("STATS#")
    minute = item["SK"].removeprefix("MINUTE#")
    buckets = {effect: _to_counts(item, effect) for effect in Effect}
    at = datetime.fromisoformat(f"{hour}:{minute}:00+00:00")
    return Minute(at, int(item["changes"]), buckets)


def _to_counts(item: Mapping[str, Any], effect: Effect) -> list[int]:
    return [int(item.get(f"{effect}-{number}", 0)) for number in range(len(BOUNDS))]
