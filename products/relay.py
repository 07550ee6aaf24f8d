"""The relay: it requeues open changes, so that no effect depends on a message. Pure."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from products.appending import Doorbell, Notification
from products.changes import Change, Effect
from products.effects import TASKS, EffectTable, Statistics, clear_permanent_failure, complete
from products.invalidation import SETTLE_TIME

MAX_REQUEUE_DELAY = timedelta(minutes=3)
"""The longest pause of an effect that waits for an unavailable dependency."""
MAX_RELAY_TIME = timedelta(seconds=6)  # Lambda ends a task after 10 seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Requeues open changes, with longer and longer waits."""

    table: EffectTable
    doorbell: Doorbell
    statistics: Statistics
    clock: Callable[[], datetime]
    requeue_after: timedelta

    def requeue(self, *, failed: bool = False) -> int:
        """Requeue every change that has stayed open, and return how many.

        The wait before each further requeue of a change is longer. With ``failed``, requeue all
        changes without a wait, including permanent failures: their cause has been fixed.

        Ends after MAX_RELAY_TIME, so that many open changes can't outlast the task. The next run
        continues with the changes that are due.

        A time in the future is of a host whose clock is ahead. It says nothing, so no change waits
        for it.
        """
        count = 0
        began = self.clock()
        accepted_before = began if failed else began - self.requeue_after
        for change in itertools.chain(
            self.table.open_changes(accepted_before),
            self.table.open_changes(accepted_after=began),
        ):
            if not change.open:  # a crash left it among the open ones
                complete(change, self.table, self.statistics)
            elif (failed or self._is_due(change)) and self._requeue(change, failed=failed):
                self.table.record_requeue(change, self.clock())
                count += 1
            if self.clock() - began > MAX_RELAY_TIME:
                break
        return count

    def _is_due(self, change: Change) -> bool:
        count, last = change.requeues
        now = self.clock()
        if last is None or last > now:
            return True
        delay: timedelta = min(self.requeue_after * 2**count, MAX_REQUEUE_DELAY)
        return now >= last + delay

    def _requeue(self, change: Change, *, failed: bool) -> bool:
        """Notify the workers of the open effects. False when there is nothing to notify about.

        Permanent failures wait for a person, unless ``failed``. The record must be stored first;
        the messages of the other effects are sent after that.
        """
        candidates = {Effect.STORED} if Effect.STORED in change.open else change.open
        effects = [
            effect for effect in sorted(candidates) if failed or change.state(effect) != "failed"
        ]
        for effect in effects:
            clear_permanent_failure(self.table, change, effect)
        self.doorbell.notify([_notification(change, effect) for effect in effects])
        return bool(effects)


def _notification(change: Change, effect: Effect) -> Notification:
    delay = SETTLE_TIME if effect is Effect.PURGED else timedelta()
    return Notification(TASKS[effect], change, int(delay.total_seconds()))
