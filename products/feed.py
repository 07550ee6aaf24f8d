"""The feed: the latest changes of the whole catalogue, newest first, with filters. Pure."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from products.changes import Change
from products.merging import differences

MAX_EXAMINED = 500
"""Changes that one page reads at most. A rare filter, or a long line, reads no whole log."""
SMALLEST_STEP = timedelta(microseconds=1)  # between two times in the log


class FeedTable(Protocol):
    def latest_changes(self, since: datetime | None, until: datetime | None) -> Iterator[Change]:
        """Yield the changes accepted between these times, newest first, read lazily."""


def own_line(change: Change) -> Hashable:
    """Return a key that no other change has."""
    return change.change_id


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedQuery:
    """A page of the feed. An empty filter matches every change.

    ``limit`` counts lines: changes that follow one another with the same key by ``line_of`` are
    one line. ``since`` is the first time that counts, ``before`` is later than the last.
    """

    limit: int
    max_examined: int = MAX_EXAMINED
    line_of: Callable[[Change], Hashable] = own_line
    actor: str = ""
    source: str = ""
    field: str = ""
    since: datetime | None = None
    before: datetime | None = None

    def matches(self, change: Change) -> bool:
        """Return whether the change passes the filters."""
        if self.actor and change.origin.actor != self.actor:
            return False
        if self.source and change.origin.source != self.source:
            return False
        return not self.field or self.field in differences(change.before, change.after)


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Changes that match, newest first.

    The next page has those before ``older``; None on the last page. With ``is_partial`` the page
    ended because it had read enough changes. With ``is_cut`` its last line goes on after it.
    """

    changes: list[Change]
    older: datetime | None
    is_partial: bool = False
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Feed:
    """The use case of reading the feed."""

    table: FeedTable

    def page(self, query: FeedQuery) -> FeedPage:
        """Return one page. It never ends between changes that were accepted at the same time."""
        until = query.before - SMALLEST_STEP if query.before else None
        found: list[Change] = []
        lines, line, oldest = 0, None, None
        for examined, change in enumerate(self.table.latest_changes(query.since, until)):
            goes_on = query.line_of(change) == line
            is_full = lines >= query.limit and not goes_on
            if (is_full or examined >= query.max_examined) and change.accepted_at != oldest:
                return FeedPage(found, oldest, is_partial=not is_full, is_cut=goes_on)
            oldest = change.accepted_at
            if query.matches(change):
                found.append(change)
                lines, line = lines + (not goes_on), query.line_of(change)
        return FeedPage(found, None)
