"""When the messages about due steps are sent. Pure.

They are for the functions on Lambda, which do not poll. Workers look for due steps themselves.
"""

import math
from datetime import datetime, timedelta

LEAD = timedelta(seconds=2)
"""How long before its time a step is claimed and its rows are read, at least."""
LEAD_OF_EACH = timedelta(milliseconds=4)
"""How much earlier it begins for each step that is due soon."""
MAX_LEAD = timedelta(seconds=8)
ANNOUNCED = timedelta(seconds=75)
"""How far ahead steps are announced: longer than the minute between two announcements."""
MARGIN = timedelta(seconds=0.25)
"""How much two clocks may differ: a message that came before LEAD would find nothing due."""


def lead_of(steps: int) -> timedelta:
    """Return how long before its time a step is claimed if so many are due soon."""
    return min(MAX_LEAD, LEAD + steps * LEAD_OF_EACH)


def message_delay(due: datetime, now: datetime) -> int:
    """Return after how many whole seconds the message arrives: within LEAD of the step's time."""
    return max(0, math.ceil((due - LEAD + MARGIN - now).total_seconds()))
