"""Walk through everything that follows from the log, in batches and in constant memory. Pure.

Nothing is scanned. Records are walked through their index. A product without a record is found
through the index of open changes, else through its document, else through its audit records.
So each product is verified once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import batched

from products.parallel import MapFunction
from products.reconciliation.audit_keys import first_day, product_of, record_keys, record_keys_of
from products.reconciliation.comparison import (
    DOCUMENT,
    RECORD,
    claim_differences,
    overdue_differences,
    replica_difference,
)
from products.reconciliation.differences import Difference, Kind, Observed
from products.reconciliation.product_log import GRACE_PERIOD, ProductLog
from products.reconciliation.sources import (
    AuditRecords,
    Candidate,
    Documents,
    Logs,
)
from products.reconciliation.trail_comparison import TrailComparison

BATCH = 25  # products compared together

Comparison = Callable[[], list[Difference]]


class Stage(StrEnum):
    """Where candidates are found, in the order of the walk."""

    ACTIVE = "active records"
    INACTIVE = "inactive records"
    OPEN = "open changes"
    DOCUMENTS = "documents"
    TRAIL = "audit records"


@dataclass(frozen=True, slots=True)
class Batch:
    """The result of one step of the walk, and the position from which it continues."""

    stage: Stage
    after: str
    checked: int
    differences: list[Difference]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Compare the log with everything that follows from it.

    ``documents`` is None without a search index. ``grace_period`` is how long an open effect counts
    as in progress.
    """

    logs: Logs
    documents: Documents | None
    trail: AuditRecords
    clock: Callable[[], datetime]
    map_function: MapFunction = map
    grace_period: timedelta = GRACE_PERIOD

    def walk(
        self, stage: Stage | None = None, after: str | None = None, since: datetime | None = None
    ) -> Iterator[Batch]:
        """Verify all stages from the given position on; with ``since``, only what changed since."""
        stages = list(Stage)
        first = stages.index(stage) if stage else 0
        for current in stages[first:]:
            start = after if current == stage else None
            for batch in batched(self._candidates(current, start, since), BATCH):
                differences = _found_twice(self._comparison(current, batch, since))
                yield Batch(current, batch[-1].after, len(batch), differences)

    def verify(self, product_ids: Sequence[str]) -> list[Difference]:
        """Verify these products only."""
        return _found_twice(lambda: self._compare(product_ids))

    def verify_with_trail(self, product_id: str) -> list[Difference]:
        """Verify one product, and every audit record in S3 that has its id."""
        keys = list(record_keys_of(product_id, self.trail))
        return _found_twice(lambda: self._compare_trail(keys, [product_id]))

    # Candidates

    def _candidates(
        self, stage: Stage, after: str | None, since: datetime | None
    ) -> Iterator[Candidate]:
        if stage == Stage.OPEN:
            return self.logs.open_after(after)
        if stage == Stage.DOCUMENTS:
            return self._candidates_of_documents(after, since)
        if stage == Stage.TRAIL:
            return self._candidates_of_trail(after, since)
        candidates = self.logs.records_after(after, active=stage == Stage.ACTIVE)
        return (candidate for candidate in candidates if _is_updated_since(candidate, since))

    def _candidates_of_documents(
        self, after: str | None, since: datetime | None
    ) -> Iterator[Candidate]:
        if self.documents is None:
            return
        for product_id in self.documents.ids_after(after, since):
            yield Candidate(product_id, product_id)

    def _candidates_of_trail(
        self, after: str | None, since: datetime | None
    ) -> Iterator[Candidate]:
        """Yield a candidate for each key; it has no product id when the key is not of a record."""
        for key in record_keys(self.trail, after or first_day(since)):
            yield Candidate(key, product_of(key))

    def _comparison(
        self, stage: Stage, candidates: Sequence[Candidate], since: datetime | None
    ) -> Comparison:
        """Return the comparison of a stage: without the products of an earlier stage."""
        ids = list(dict.fromkeys(c.product_id for c in candidates if c.product_id))
        if stage == Stage.OPEN:
            return lambda: self._compare(self._without_record(ids, since))
        if stage == Stage.DOCUMENTS:
            return lambda: self._compare(self._without_open_change(self._without_record(ids)))
        if stage == Stage.TRAIL:
            keys = [candidate.after for candidate in candidates]
            return lambda: self._compare_trail(keys, self._only_in_trail(ids))
        return lambda: self._compare(ids)

    def _compare_trail(self, keys: Sequence[str], ids: Sequence[str]) -> list[Difference]:
        return self._trail_comparison().foreign_records(keys) + self._compare(ids)

    def _trail_comparison(self) -> TrailComparison:
        return TrailComparison(self.logs, self.trail, self.map_function)

    def _without_record(self, ids: Sequence[str], since: datetime | None = None) -> list[str]:
        """Return the products that the walk over the records misses.

        With ``since``, it misses those whose record is older.
        """
        records = self.logs.records(ids)
        missed = []
        for product_id in ids:
            record = records.get(product_id)
            if record is None or (since and _is_older(record, since)):
                missed.append(product_id)
        return missed

    def _without_open_change(self, ids: Sequence[str]) -> list[str]:
        return [product_id for product_id in ids if not self._has_open_change(product_id)]

    def _has_open_change(self, product_id: str) -> bool:
        entries = self.logs.entries(product_id)
        return any(entry.change is not None and entry.listed for entry in entries)

    def _only_in_trail(self, ids: Sequence[str]) -> list[str]:
        """Return the products that no earlier stage has verified.

        A product without a log is left out: its audit records are reported as unknown.
        """
        remaining = self._without_open_change(self._without_record(ids))
        if self.documents and remaining:
            documents = self.documents.documents(remaining)
            remaining = [product_id for product_id in remaining if product_id not in documents]
        return [product_id for product_id in remaining if self._has_log(product_id)]

    def _has_log(self, product_id: str) -> bool:
        return next(self.logs.entries(product_id), None) is not None

    # Comparisons

    def _compare(self, product_ids: Sequence[str]) -> list[Difference]:
        logs: list[ProductLog] = list(self.map_function(self._read_log, product_ids))
        found = [difference for log in logs for difference in log.differences]
        records = self.logs.records(product_ids)
        names = [name for log in logs for name in log.names.values()]
        owners = self.logs.name_owners(names)
        documents = None
        if self.documents and product_ids:
            documents = self.documents.documents(product_ids)
        for log in logs:
            found += self._compare_log(log, records, owners, documents)
        return found

    def _read_log(self, product_id: str) -> ProductLog:
        log = ProductLog(product_id, overdue_before=self.clock() - self.grace_period)
        self._trail_comparison().replay(log)
        return log

    def _compare_log(
        self,
        log: ProductLog,
        records: Mapping[str, Observed],
        owners: Mapping[str, str],
        documents: Mapping[str, Observed] | None,
    ) -> list[Difference]:
        record = records.get(log.product_id)
        document = documents.get(log.product_id) if documents else None
        if log.newest is None:
            return _without_product(log, record, document)
        found = [replica_difference(RECORD, log, record, self.logs.change)]
        if documents is not None:
            found.append(replica_difference(DOCUMENT, log, document, self.logs.change))
        of_replicas = [difference for difference in found if difference]
        of_claims = claim_differences(log, owners)
        overdue = overdue_differences(log, [*of_replicas, *log.differences])
        return [*of_replicas, *of_claims, *overdue]


def _found_twice(compare: Comparison) -> list[Difference]:
    """Compare twice and return the differences that both comparisons find.

    Writes continue meanwhile, so a product may change between two reads of one comparison.
    """
    first = {difference.identity for difference in compare()}
    if not first:
        return []
    return [difference for difference in compare() if difference.identity in first]


def _without_product(
    log: ProductLog, record: Observed | None, document: Observed | None
) -> list[Difference]:
    """Report the record and the document of a product that has no log."""
    found = []
    if record:
        cause = "there is a record, but no change in the log"
        kind = Kind.RECORD_OF_NO_PRODUCT
        found.append(Difference(kind, log.product_id, cause, observed_version=record.version))
    if document:
        cause = "the search index has a document, but there is no such product"
        kind = Kind.DOCUMENT_OF_NO_PRODUCT
        found.append(Difference(kind, log.product_id, cause, observed_version=document.version))
    return found


def _is_updated_since(candidate: Candidate, since: datetime | None) -> bool:
    if since is None or candidate.updated_at is None:
        return True
    return candidate.updated_at >= since


def _is_older(record: Observed, since: datetime) -> bool:
    updated_at = getattr(record.content, "updated_at", None)
    return updated_at is not None and updated_at < since
