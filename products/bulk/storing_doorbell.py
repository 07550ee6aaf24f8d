"""A doorbell for jobs, which stores the rows of a job in the job's own step. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from products.appending import Doorbell, Notification
from products.changes import Change
from products.effects import Failures, key_of


@dataclass(frozen=True, slots=True)
class StoringDoorbell:
    """Stores changes instead of sending messages about them.

    Messages about thousands of rows would delay the edits of other people, which wait in the same
    queue. ``store`` gets changes that have just been appended. ``doorbell`` gets the messages about
    those that it could not store.
    """

    store: Callable[[Sequence[Change]], Failures]
    doorbell: Doorbell

    def notify(self, notifications: Sequence[Notification]) -> None:
        """Store the changes."""
        failures = self.store([notification.change for notification in notifications])
        self.doorbell.notify([n for n in notifications if key_of(n.change) in failures])

    def notify_job(self, job_id: str) -> None:
        """Send a message that the job has work left."""
        self.doorbell.notify_job(job_id)

    def notify_switch(self, delay: int) -> None:
        """Send a message that steps of plans will be due."""
        self.doorbell.notify_switch(delay)

    def notify_purge(self, delay: int, until: datetime, after: int | None = None) -> None:
        """Send a message to purge the CDN for a plan."""
        self.doorbell.notify_purge(delay, until, after)
