"""When the messages about due steps are sent. Pure.

They are for the functions on Lambda, which do not poll. Workers look for due steps themselves.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from products.appending import Doorbell
from products.plans.calendar import NOTICE, REFRESH_AFTER
from products.plans.plan import Plan

LEAD = timedelta(seconds=2)
"""How long before its time a step is claimed and its rows are read, at least."""
LEAD_OF_EACH = timedelta(milliseconds=4)
"""How much earlier it begins for each step that is due soon."""
MAX_LEAD = timedelta(seconds=8)
ANNOUNCED = timedelta(seconds=130)
"""How far ahead steps are announced: longer than the time between two announcements.

The schedule says each minute, but EventBridge only promises some second of each minute, so two
runs may be nearly two minutes apart.
"""
MARGIN = timedelta(seconds=0.25)
"""How much two clocks may differ: a message that came before LEAD would find nothing due."""
KNOWN_AFTER = REFRESH_AFTER + timedelta(seconds=2)
"""How long after it was made each process knows a plan. DynamoDB's index may lag two seconds."""


@dataclass(frozen=True, slots=True)
class Announcer:
    """Sends the messages about a plan that was made or moved shortly before its next step."""

    doorbell: Doorbell
    clock: Callable[[], datetime]
    has_cdn: bool

    def announce(self, plan: Plan) -> None:
        """Send a message for a step that is due before the relay announces it.

        Have the CDN purged when it may keep answers of processes that do not know the plan beyond
        its start or its end. Too shortly before a step, this is left to the purge of the changes
        that the step makes.
        """
        now = self.clock()
        if plan.due is None:
            return
        delay = near_delay(plan.due, now)
        if delay is not None:
            self.doorbell.notify_switch(delay)
        steps = [at for at in (plan.due, plan.ends_at) if at]
        outlived = [at for at in steps if now + KNOWN_AFTER < at < now + NOTICE]
        if self.has_cdn and outlived:
            self.doorbell.notify_purge(int(KNOWN_AFTER.total_seconds()), max(outlived))


def lead_of(steps: int) -> timedelta:
    """Return how long before its time a step is claimed if so many are due soon."""
    return min(MAX_LEAD, LEAD + steps * LEAD_OF_EACH)


def message_delay(due: datetime, now: datetime) -> int:
    """Return after how many whole seconds the message arrives: within LEAD of the step's time."""
    return max(0, math.ceil((due - LEAD + MARGIN - now).total_seconds()))


def near_delay(due: datetime | None, now: datetime) -> int | None:
    """Return after how many seconds a message about a step arrives.

    None if there is no step, or if the relay will announce it in time.
    """
    return message_delay(due, now) if due and due <= now + ANNOUNCED else None
