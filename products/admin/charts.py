"""The bars of the operations page, one for each of the last sixty minutes.

They are drawn as SVG, in a box of ``WIDTH`` by ``HEIGHT`` units.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext

from products.admin.formatting import grouped
from products.changes import Effect
from products.latencies import BOUNDS, Minute, percentile

HOUR = timedelta(hours=1)
MINUTES = 60
WIDTH = 600
HEIGHT = 80
BAR_DISTANCE = WIDTH // MINUTES

type Slots = Sequence[tuple[str, Minute | None]]
"""The minutes of the hour with their names; None where nothing was completed."""


class Bar(TypedDict):
    """One bar of a chart, in SVG units, with its tooltip."""

    x: int
    y: float
    height: float
    text: str


def drawn(bars: Iterable[Bar], css_class: str = "") -> SafeString:
    """Return the bars as SVG. A page has up to 540 of them, too many for a template."""
    style = format_html(' class="{}"', css_class) if css_class else ""
    return format_html_join(
        "",
        '<rect{} x="{}" y="{}" width="8" height="{}"><title>{}</title></rect>',
        ((style, bar["x"], bar["y"], bar["height"], bar["text"]) for bar in bars),
    )


def slots_of(minutes: Iterable[Minute], until: datetime) -> Slots:
    """Return the sixty minutes up to ``until``, oldest first, each with its time as a name."""
    minute_by_name = {f"{localtime(minute.at):%H:%M}": minute for minute in minutes}
    start = until - HOUR
    times = [start + timedelta(minutes=number) for number in range(1, MINUTES + 1)]
    names = [f"{localtime(time):%H:%M}" for time in times]
    return [(name, minute_by_name.get(name)) for name in names]


def completed_bars(slots: Slots) -> list[Bar]:
    """Return how many changes were completed each minute, relative to the busiest minute."""
    highest = max((minute.changes for _, minute in slots if minute), default=0) or 1
    return _bars(
        slots,
        height_of=lambda minute: minute.changes / highest,
        text_of=lambda minute: f"{minute.changes}",
    )


def latency_bars(slots: Slots, effect: Effect, share: float) -> list[Bar]:
    """Return within how many seconds that share of the changes had the effect.

    One step up is one bound of the histogram, which is about twice the time.
    """

    def bound_of(minute: Minute) -> float | None:
        return percentile(minute.buckets[effect], share)

    def height_of(minute: Minute) -> float:
        bound = bound_of(minute)
        return (BOUNDS.index(bound) + 1) / len(BOUNDS) if bound else 0

    within = gettext("{share} within {seconds} s")

    def text_of(minute: Minute) -> str:
        return within.format(share=f"{100 * share:.0f} %", seconds=grouped(f"{bound_of(minute):g}"))

    return _bars(slots, height_of, text_of)


def _bars(
    slots: Slots, height_of: Callable[[Minute], float], text_of: Callable[[Minute], str]
) -> list[Bar]:
    """Return the bars that are not empty; ``height_of`` gives a share of the full height."""
    bars: list[Bar] = []
    for number, (name, minute) in enumerate(slots):
        height = round(HEIGHT * height_of(minute), 1) if minute else 0
        if minute and height:
            bars.append(
                {
                    "x": number * BAR_DISTANCE,
                    "y": HEIGHT - height,
                    "height": height,
                    "text": f"{name}: {text_of(minute)}",
                }
            )
    return bars
