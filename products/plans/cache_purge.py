"""Purging the CDN for a plan that was made shortly before its next step. Pure.

A cache may have answers from before the plan existed, which could outlive the step.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from products.appending import Doorbell
from products.errors import DependencyUnavailable
from products.invalidation import Cdn, InvalidationTable, Pace, StoredRecord, cover

logger = logging.getLogger(__name__)

RETRY_SECONDS = 10
SETTLED = datetime(1970, 1, 1, tzinfo=UTC)
"""Any later invalidation will do: processes have known the plan since before the message came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePurge:
    """Purges all public responses once. The doorbell sends the message again while it must wait."""

    table: InvalidationTable
    cdn: Cdn
    doorbell: Doorbell
    clock: Callable[[], datetime]
    pace: Pace

    def purge(self, until: datetime, after: int | None = None) -> None:
        """Have CloudFront confirm an invalidation with a number above ``after``.

        Without ``after``, the invalidation begins from now on. Nothing is done once ``until`` has
        passed: the step has changed the products by then, and those changes are purged.
        """
        if self.clock() >= until:
            return
        try:
            if after is None:
                latest = self.table.invalidation()
                after = latest.number if latest else 0
            record = StoredRecord(SETTLED, after)
            [wait] = cover([record], self.table, self.cdn, self.clock, self.pace)
        except DependencyUnavailable as fault:
            logger.warning("purge for a plan waits", extra={"fault": str(fault)})
            self.doorbell.notify_purge(RETRY_SECONDS, until, after)
            return
        if wait:
            self.doorbell.notify_purge(math.ceil(wait.total_seconds()), until, after)
