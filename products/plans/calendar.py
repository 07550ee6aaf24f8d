"""The next switches of products, so that no cache outlives one. Pure.

A plan that is made at least NOTICE before its start is known in every process by the time at which
a response could be cached beyond that start.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from products.errors import Unavailable

MAX_CACHED = timedelta(minutes=11)
"""The longest that a cache may keep a public response: 600 seconds, and 60 while it asks again."""
REFRESH_AFTER = timedelta(seconds=5)
"""How old the known switches may be."""
REFRESH_WHEN_DUE = timedelta(seconds=0.5)
"""How old they may be while a switch is due and not made yet."""
SETTLE_TIME = timedelta(seconds=2)
"""How long the indexes of the table may lack a switch that was made."""
HORIZON = MAX_CACHED + 2 * REFRESH_AFTER
NOTICE = HORIZON
"""How long before its start a plan must be made, so that no cache has an answer from before."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A step of a plan that is still to be made."""

    plan_id: str
    due: datetime


class SwitchTable(Protocol):
    """Knows the steps to come. Methods may raise DependencyUnavailable."""

    def switches(self, until: datetime) -> list[Switch]:
        """Return the steps that are due by then, and not made yet."""

    def products_of(self, plan_id: str) -> frozenset[str]:
        """Return the IDs of the products in the plan, which never change."""


@dataclass(slots=True)
class SwitchCalendar:
    """The switches of the next minutes, as this process knows them. Threads share it."""

    table: SwitchTable
    clock: Callable[[], datetime]
    read_at: datetime | None = None
    due: Mapping[Switch, datetime | None] = field(default_factory=dict)
    """Each switch, and until when it counts as due although it was made; None while it is not."""
    products: dict[str, frozenset[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_switch(self, product_id: str | None = None) -> datetime | None:
        """Return when the next switch of this product is due, of any product without an ID.

        The time has passed while the switch is being made. None if there is none within HORIZON.
        """
        now = self.clock()
        self._refresh(now)
        times = [
            switch.due
            for switch, until in self.due.items()
            if (until is None or now < until) and self._concerns(switch, product_id)
        ]
        return min(times, default=None)

    def _concerns(self, switch: Switch, product_id: str | None) -> bool:
        return product_id is None or product_id in self.products.get(switch.plan_id, ())

    def _refresh(self, now: datetime) -> None:
        """Read the switches, unless they are known or another thread reads them."""
        if not self._is_outdated(now) or not self.lock.acquire(blocking=self.read_at is None):
            return
        try:
            if self._is_outdated(now):
                self._read(now)
        except Unavailable:
            pass  # what was known still holds, and a table that is unavailable answers no reads
        finally:
            self.lock.release()

    def _is_outdated(self, now: datetime) -> bool:
        if self.read_at is None or self.read_at > now:
            return True
        is_due = any(switch.due <= now for switch in self.due)
        return now - self.read_at >= (REFRESH_WHEN_DUE if is_due else REFRESH_AFTER)

    def _read(self, now: datetime) -> None:
        found = self.table.switches(now + HORIZON)
        known = {plan_id: self.products.get(plan_id) for plan_id in {s.plan_id for s in found}}
        products = {i: ids or self.table.products_of(i) for i, ids in known.items()}
        made = {
            switch: until or now + SETTLE_TIME
            for switch, until in self.due.items()
            if switch.due <= now and switch not in found and (until is None or now < until)
        }
        kept = {switch.plan_id: self.products.get(switch.plan_id, frozenset()) for switch in made}
        self.products = kept | products
        self.due = {**made, **dict.fromkeys(found)}
        self.read_at = now
