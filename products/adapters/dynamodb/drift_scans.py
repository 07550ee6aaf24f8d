"""What the scheduled drift check has come to: one item, moved on from slice to slice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from products.adapters.dynamodb.calls import DynamoCalls
from products.adapters.dynamodb.items import Item
from products.documents import iso, moment
from products.reconciliation.differences import Difference, Kind
from products.reconciliation.drift_scan import Check, Round
from products.reconciliation.verification import Stage

CHECK_KEY = {"PK": "CHECK#drift", "SK": "LATEST"}


@dataclass(frozen=True, slots=True)
class DynamoChecks(DynamoCalls):
    """The last round and the one under way."""

    def last_check(self) -> Check | None:
        item = self._get(CHECK_KEY)
        return _to_check(item) if item else None

    def step(self, check: Check) -> bool:
        last, running = (_round_item(r) if r else None for r in (check.last, check.running))
        item = {**CHECK_KEY, "turn": check.turn, "last": last, "running": running}
        return self._do(
            self._put(item, "attribute_not_exists(PK) OR turn < :turn", {":turn": check.turn})
        )


def _to_check(item: Mapping[str, Any]) -> Check:
    """What another version of this code wrote down may not be readable: then the round begins anew."""
    try:
        last, running = (
            _to_round(item[name]) if item[name] else None for name in ("last", "running")
        )
    except (KeyError, ValueError, TypeError):
        return Check(int(item["turn"]))
    return Check(int(item["turn"]), last, running)


def _round_item(made: Round) -> Item:
    return {
        "beganAt": iso(made.began_at),
        "movedAt": iso(made.moved_at),
        "stage": str(made.stage),
        "after": made.after,
        "checked": {str(stage): count for stage, count in made.checked.items()},
        "differences": made.differences,
        "found": [_difference_item(difference) for difference in made.found],
        "interrupted": made.interrupted,
    }


def _to_round(item: Mapping[str, Any]) -> Round:
    return Round(
        began_at=moment(item["beganAt"]),
        moved_at=moment(item["movedAt"]),
        stage=Stage(item["stage"]),
        after=item["after"],
        checked={Stage(stage): int(count) for stage, count in item["checked"].items()},
        differences=int(item["differences"]),
        found=tuple(map(_to_difference, item["found"])),
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
