"""What the scheduled drift check has come to: one item, moved on from slice to slice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from products.adapters.dynamodb.calls import DynamoCalls
from products.adapters.dynamodb.items import Item
from products.documents import format_timestamp, parse_timestamp
from products.reconciliation.differences import Difference, Kind
from products.reconciliation.drift_scan import Scan, ScanState
from products.reconciliation.verification import Stage

CHECK_KEY = {"PK": "CHECK#drift", "SK": "LATEST"}


@dataclass(frozen=True, slots=True)
class DynamoScanTable(DynamoCalls):
    """The last round and the one under way."""

    def scan_state(self) -> ScanState | None:
        item = self._get(CHECK_KEY)
        return _to_check(item) if item else None

    def save(self, state: ScanState) -> bool:
        last, running = (_round_item(r) if r else None for r in (state.last, state.running))
        item = {**CHECK_KEY, "turn": state.sequence, "last": last, "running": running}
        return self._do(
            self._put(item, "attribute_not_exists(PK) OR turn < :turn", {":turn": state.sequence})
        )


def _to_check(item: Mapping[str, Any]) -> ScanState:
    """What another version of this code wrote down may not be readable: then the round begins anew."""
    try:
        last, running = (
            _to_round(item[name]) if item[name] else None for name in ("last", "running")
        )
    except (KeyError, ValueError, TypeError):
        return ScanState(int(item["turn"]))
    return ScanState(int(item["turn"]), last, running)


def _round_item(made: Scan) -> Item:
    return {
        "beganAt": format_timestamp(made.began_at),
        "movedAt": format_timestamp(made.updated_at),
        "stage": str(made.stage),
        "after": made.after,
        "checked": {str(stage): count for stage, count in made.checked.items()},
        "differences": made.difference_count,
        "found": [_difference_item(difference) for difference in made.kept_differences],
        "interrupted": made.interrupted,
    }


def _to_round(item: Mapping[str, Any]) -> Scan:
    return Scan(
        began_at=parse_timestamp(item["beganAt"]),
        updated_at=parse_timestamp(item["movedAt"]),
        stage=Stage(item["stage"]),
        after=item["after"],
        checked={Stage(stage): int(count) for stage, count in item["checked"].items()},
        difference_count=int(item["differences"]),
        kept_differences=tuple(map(_to_difference, item["found"])),
        interrupted=item["interrupted"],
    )


def _difference_item(difference: Difference) -> Item:
    return {
        "kind": str(difference.kind),
        "productId": difference.product_id,
        "cause": difference.cause,
        "version": difference.version,
        "subject": difference.subject,
    }


def _to_difference(item: Mapping[str, Any]) -> Difference:
    version = None if item["version"] is None else int(item["version"])
    return Difference(
        Kind(item["kind"]), item["productId"], item["cause"], version, item["subject"]
    )
