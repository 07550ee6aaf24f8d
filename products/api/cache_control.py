"""The ``Cache-Control`` of public responses: none outlives the next switch of a plan in a cache."""

import math
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from products.bootstrap import now
from products.scheduling import switch_calendar

MARGIN_SECONDS = 1.0
"""Caches count whole seconds, and the clocks of their hosts differ a little."""


@dataclass(frozen=True, slots=True)
class CacheTimes:
    """For how many seconds clients and shared caches may keep a response.

    ``revalidate`` is how much longer they may serve it while they ask for a newer one.
    """

    client: int
    shared: int
    revalidate: int = 0

    def header(self, seconds_left: float | None = None) -> str:
        """Return the header. No time ends after ``seconds_left``, if it is given."""
        left = math.inf if seconds_left is None else max(0, math.floor(seconds_left))
        if left >= self.shared + self.revalidate:
            return self._text(self.client, self.shared, self.revalidate)
        if not left:
            return "no-store"
        shared = min(self.shared, int(left))
        cut = self._text(min(self.client, int(left)), shared, int(left) - shared)
        return f"{cut}, must-revalidate"

    def _text(self, client: int, shared: int, revalidate: int) -> str:
        usual = f"public, max-age={client}, s-maxage={shared}"
        return f"{usual}, stale-while-revalidate={revalidate}" if revalidate else usual


PRODUCT_TIMES = CacheTimes(client=10, shared=600, revalidate=60)
LIST_TIMES = CacheTimes(client=10, shared=300, revalidate=60)
FOLLOW_TIMES = CacheTimes(client=1, shared=5)


def public_cache(times: CacheTimes, product_id: str | None = None) -> str:
    """Return the header of a public response about this product, or about a list."""
    return times.header(_seconds_left(switch_calendar().next_switch(product_id)))


def _seconds_left(switch: datetime | None) -> float | None:
    """Return how long a response may be kept. A process repeats it for HOT_ANSWER_SECONDS."""
    if switch is None:
        return None
    repeated: float = settings.HOT_ANSWER_SECONDS
    return (switch - now()).total_seconds() - MARGIN_SECONDS - repeated
