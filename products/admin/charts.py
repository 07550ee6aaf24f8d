"""The small charts of the operations page: a bar for each of the last sixty minutes, drawn as SVG by the template."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from products.changes import Effect
from products.operations import BOUNDS, Minute, percentile

HOUR = timedelta(hours=1)
WIDTH, HEIGHT, SLOTS = 600, 80, 60
STEP = WIDTH // SLOTS

Slots = Sequence[tuple[str, Minute | None]]


def slots_of(minutes: Iterable[Minute], until: datetime) -> Slots:
    """The sixty minutes up to ``until``, oldest first, by name; None where nothing was completed."""
    known = {f"{minute.at:%H:%M}": minute for minute in minutes}
    names = [f"{until - HOUR + timedelta(minutes=number):%H:%M}" for number in range(1, SLOTS + 1)]
    return [(name, known.get(name)) for name in names]


def completed_bars(slots: Slots) -> list[dict[str, Any]]:
    """How many changes were completed, against the best minute."""
    most = max((minute.changes for _, minute in slots if minute), default=0) or 1
    return _bars(slots, lambda minute: minute.changes / most, lambda minute: f"{minute.changes}")


def latency_bars(slots: Slots, effect: Effect, share: float) -> list[dict[str, Any]]:
    """Within how many seconds that share came about. A step up is one bound of the histogram, about twice the time."""

    def bound(minute: Minute) -> float | None:
        return percentile(minute.buckets[effect], share)

    def height(minute: Minute) -> float:
        reached = bound(minute)
        return (BOUNDS.index(reached) + 1) / len(BOUNDS) if reached else 0

    return _bars(slots, height, lambda minute: f"{share:.0%} within {bound(minute):g} s")


def _bars(
    slots: Slots, height: Callable[[Minute], float], said: Callable[[Minute], str]
) -> list[dict[str, Any]]:
    bars = []
    for number, (name, minute) in enumerate(slots):
        if minute and (tall := round(HEIGHT * height(minute), 1)):
            bars.append(
                {
                    "x": number * STEP,
                    "y": HEIGHT - tall,
                    "height": tall,
                    "said": f"{name}: {said(minute)}",
                }
            )
    return bars
