"""When the messages about due steps are sent. Pure.

They are for the functions on Lambda, which do not poll. Workers look for due steps themselves.
"""

import math
from datetime import datetime, timedelta

LEAD = timedelta(seconds=2)
"""How long before its time a step is claimed and its rows are read."""
ANNOUNCED = timedelta(seconds=130)
"""How far ahead steps are announced: longer than the time between two announcements.

The schedule says each minute, but EventBridge only promises some second of each minute, so two
runs may be nearly two minutes apart.
"""

MARGIN = timedelta(seconds=0.25)
"""How much two clocks may differ: a message that came before LEAD would find nothing due."""


def message_delay(due: datetime, now: datetime) -> int:
    """Return after how many whole seconds the message arrives: within LEAD of the step's time."""
    return max(0, math.ceil((due - LEAD + MARGIN - now).total_seconds()))


def near_delay(due: datetime | None, now: datetime) -> int | None:
    """Return after how many seconds a message about a step arrives.

    None if there is no step, or if the relay will announce it in time.
    """
    return message_delay(due, now) if due and due <= now + ANNOUNCED else None
