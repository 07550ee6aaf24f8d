"""The state of the scheduled drift scan: one item, which each step of a scan replaces."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from products.adapters.dynamodb.calls import IS_NEW, DynamoCalls
from products.adapters.dynamodb.items import Item
from products.documents import format_timestamp, parse_timestamp
from products.reconciliation.differences import Difference, Kind
from products.reconciliation.drift_scan import Scan, ScanState
from products.reconciliation.verification import Stage

SCAN_KEY = {"PK": "CHECK#drift", "SK": "LATEST"}
IS_NEW_OR_NEXT_STEP = f"{IS_NEW} OR turn < :turn"


@dataclass(frozen=True, slots=True)
class DynamoScanTable(DynamoCalls):
    """The last complete scan and the running one."""

    def scan_state(self) -> ScanState | None:
        """Return the state that the latest step saved."""
        item = self._get_item(SCAN_KEY)
        return _to_state(item) if item else None

    def save(self, state: ScanState) -> bool:
        """Save a step; return False when another process has saved this one."""
        item = {
            **SCAN_KEY,
            "turn": state.sequence,
            "last": _scan_item(state.last),
            "running": _scan_item(state.running),
        }
        request = self._put_request(item, IS_NEW_OR_NEXT_STEP, {":turn": state.sequence})
        return self._put_item(request)


def _to_state(item: Mapping[str, Any]) -> ScanState:
    """Return the saved state.

    A state in the format of another release may not be readable: then the scan starts again.
    """
    sequence = int(item["turn"])
    try:
        return ScanState(sequence, _to_scan(item["last"]), _to_scan(item["running"]))
    except (KeyError, ValueError, TypeError):
        return ScanState(sequence)


def _scan_item(scan: Scan | None) -> Item | None:
    if scan is None:
        return None
    return {
        "beganAt": format_timestamp(scan.began_at),
        "movedAt": format_timestamp(scan.updated_at),
        "stage": str(scan.stage),
        "after": scan.after,
        "checked": {str(stage): count for stage, count in scan.checked.items()},
        "differences": scan.difference_count,
        "found": [_difference_item(difference) for difference in scan.kept_differences],
        "interrupted": scan.interrupted,
    }


def _to_scan(item: Mapping[str, Any] | None) -> Scan | None:
    if not item:
        return None
    return Scan(
        began_at=parse_timestamp(item["beganAt"]),
        updated_at=parse_timestamp(item["movedAt"]),
        stage=Stage(item["stage"]),
        after=item["after"],
        checked={Stage(stage): int(count) for stage, count in item["checked"].items()},
        difference_count=int(item["differences"]),
        kept_differences=tuple(_to_difference(found) for found in item["found"]),
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
