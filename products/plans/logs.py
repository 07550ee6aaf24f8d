"""Reading what plans and people did to products, as far back as plans need it. Pure."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from products.changes import Change
from products.errors import CorruptChange
from products.parallel import MapFunction
from products.plans.holds import first_version
from products.plans.plan import FINAL, Entry, RowOutcome, Step, made_by
from products.plans.step_writes import ProductLog, applied
from products.product import Product

logger = logging.getLogger(__name__)

HISTORY_PAGE = 50  # changes that are read together

type OutcomeKey = tuple[str, int]
"""The ID of a plan, and the number of a row."""
type Outcomes = Mapping[OutcomeKey, RowOutcome]


class HistoryReader(Protocol):
    """Reads the change log. May raise DependencyUnavailable."""

    def history(self, product_id: str, before: int | None, limit: int) -> list[Change]:
        """Return changes with a version below ``before``, newest first, read consistently."""


class EntryReader(Protocol):
    """Reads the plans of products. May raise DependencyUnavailable."""

    def entries_of(self, product_ids: Sequence[str]) -> Mapping[str, Sequence[Entry]]:
        """Return the rows of all plans about these products, by product, read consistently."""


@dataclass(frozen=True, slots=True)
class ProductLogs:
    """Reads the logs of products that plans are about."""

    log: HistoryReader
    plans: EntryReader
    map_function: MapFunction

    def read(
        self, product_ids: Sequence[str], outcomes: Outcomes | None = None
    ) -> dict[str, ProductLog]:
        """Return the logs of these products, without those that do not exist or are damaged.

        A damaged log must not hold up the plans of other products. ``outcomes`` are those of steps
        that are made, and perhaps not stored yet.
        """
        if not product_ids:
            return {}
        entries = self.plans.entries_of(product_ids)

        def read_one(product_id: str) -> ProductLog | None:
            known = _with_outcomes(entries.get(product_id, ()), outcomes or {})
            try:
                return self._read_one(product_id, known)
            except CorruptChange as fault:
                facts = {"product_id": product_id, "fault": str(fault)}
                logger.error("log of a planned product is damaged", extra=facts)
                return None

        read = self.map_function(read_one, product_ids)
        return {log.newest.product_id: log for log in read if log}

    def version(self, product_id: str, version: int) -> Product | None:
        """Return the product as it was after this version; None if there is no such version."""
        page = self.log.history(product_id, version + 1, 1)
        return page[0].after if page and page[0].version == version else None

    def _read_one(self, product_id: str, entries: Sequence[Entry]) -> ProductLog | None:
        open_entries = [entry for entry in entries if entry.plan.state not in FINAL]
        since = min((first_version(entry, entries) for entry in open_entries), default=None)
        changes: list[Change] = []
        newest: Change | None = None
        page = self.log.history(product_id, None, HISTORY_PAGE if open_entries else 1)
        while page:
            newest = newest or page[0]
            if since is None:
                break
            changes += [change for change in page if change.version > since]
            if page[-1].version <= since + 1:
                break
            page = self.log.history(product_id, page[-1].version, HISTORY_PAGE)
        if newest is None:
            return None
        return ProductLog(newest, changes, [_with_log(entry, changes) for entry in entries])


def _with_outcomes(entries: Iterable[Entry], outcomes: Outcomes) -> list[Entry]:
    """Return the entries with the outcomes of steps that are not stored yet."""
    return [_with_outcome(entry, outcomes) for entry in entries]


def _with_outcome(entry: Entry, outcomes: Outcomes) -> Entry:
    outcome = outcomes.get((entry.plan.plan_id, entry.row.number))
    if outcome is None:
        return entry
    if entry.plan.next_step is Step.START:
        return replace(entry, row=replace(entry.row, start=outcome))
    return replace(entry, row=replace(entry.row, end=outcome))


def _with_log(entry: Entry, changes: Sequence[Change]) -> Entry:
    """Return the entry with what the log says of a step whose outcome was not stored."""
    row = entry.row
    if row.start is None and (change := made_by(entry.plan, Step.START, changes)):
        row = replace(row, start=applied(change))
    if row.end is None and (change := made_by(entry.plan, Step.END, changes)):
        row = replace(row, end=applied(change))
    return replace(entry, row=row)
