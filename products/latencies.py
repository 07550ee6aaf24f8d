"""How long the effects of changes take: a histogram of each minute. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from products.changes import Effect

BOUNDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 600.0)
"""Upper bounds of the latency histogram, in seconds. The last bucket also has all longer times."""


@dataclass(frozen=True, slots=True)
class Minute:
    """The changes completed in one minute: how many, and a latency histogram of each effect."""

    at: datetime
    changes: int
    buckets: Mapping[Effect, Sequence[int]]


def bucket_of(seconds: float) -> int:
    """Return the index of the histogram bucket for this latency."""
    for number, bound in enumerate(BOUNDS):
        if seconds <= bound:
            return number
    return len(BOUNDS) - 1


def percentile(counts: Sequence[int], share: float) -> float | None:
    """Return the bound below which this share of the latencies is, None without latencies."""
    total = sum(counts)
    below = 0
    for count, bound in zip(counts, BOUNDS, strict=True):
        below += count
        if total and below >= share * total:
            return bound
    return None


def latencies(minutes: Sequence[Minute]) -> dict[Effect, tuple[float | None, float | None]]:
    """Return the median and the 95th percentile of each effect, as upper bounds.

    Latencies are in seconds from acceptance.
    """
    found: dict[Effect, tuple[float | None, float | None]] = {}
    for effect in Effect:
        histograms = [minute.buckets[effect] for minute in minutes]
        counts = [sum(histogram[n] for histogram in histograms) for n in range(len(BOUNDS))]
        found[effect] = (percentile(counts, 0.5), percentile(counts, 0.95))
    return found
