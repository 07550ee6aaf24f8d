"""When the messages about due steps are sent. Pure.

They are for the functions on Lambda, which do not poll. Workers look for due steps themselves.
"""

import math
from datetime import datetime, timedelta

LEAD = timedelta(seconds=2)
"""How long before its time a step is claimed and its rows are read."""
ANNOUNCED = timedelta(seconds=75)
"""How far ahead steps are announced: longer than the minute between two announcements."""


def message_delay(due: datetime, now: datetime) -> int:
    """Return after how many seconds the message arrives: before the step is due."""
    return max(0, math.floor((due - LEAD - now).total_seconds()))
