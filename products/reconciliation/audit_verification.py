"""Verify the audit trail: read it from S3 in key order, then judge each product. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import batched
from typing import Protocol

from products.reconciliation.audit_chain import (
    AuditRecord,
    audit_record_of,
    chain_differences,
    log_differences,
)
from products.reconciliation.differences import Difference, Kind, LogEntry
from products.reconciliation.sources import AUDIT_KEY, OPERATIONS_PREFIX, Candidate, MapFunction

BATCH = 200  # records read together


class AuditRecords(Protocol):
    def read(self, key: str) -> bytes | None: ...

    def keys_after(self, after: str = "", prefix: str = "") -> Iterator[str]: ...

    def folders(self, prefix: str = "") -> Iterator[str]: ...


class AuditSpool(Protocol):
    """A store for more records than memory holds, which groups them by product."""

    def add(self, links: Iterable[AuditRecord]) -> None: ...

    def add_products(self, product_ids: Iterable[str]) -> None:
        """Add products that may have no record."""

    def products(self) -> Iterator[tuple[str, list[AuditRecord]]]:
        """Yield each product with its records, sorted by version."""


class Logs(Protocol):
    def entries(self, product_id: str) -> Iterator[LogEntry]: ...

    def records_after(self, after: str | None, *, active: bool) -> Iterator[Candidate]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerification:
    """Verify the audit trail; without ``logs``, by S3 alone."""

    records: AuditRecords
    spool: AuditSpool
    logs: Logs | None
    map_function: MapFunction = map

    def run(
        self,
        *,
        product_id: str | None,
        since: date | None,
        show_progress: Callable[[Iterator[str]], Iterable[str]],
    ) -> Iterator[Difference]:
        """Yield the differences of one product, or of all.

        With ``since``, records before that day are left out. Then the log is not read, and a chain
        need not begin with version 1. ``show_progress`` passes the keys on.
        """
        keys = self._keys(product_id, since)
        for batch in batched(show_progress(keys), BATCH):
            records, unknown = self._read(batch)
            self.spool.add(records)
            yield from unknown
        if self.logs and not since:
            self.spool.add_products([product_id] if product_id else _known_products(self.logs))
        for name, chain in self.spool.products():
            yield from self._judge(name, chain, from_first=since is None)

    def _read(self, keys: Sequence[str]) -> tuple[list[AuditRecord], list[Difference]]:
        """Return the records under these keys, and differences for keys of no audit record."""
        records, unknown = [], []
        bodies = self.map_function(self.records.read, keys)
        for key, body in zip(keys, bodies, strict=True):
            if body is None:
                continue
            record = audit_record_of(key, body)
            if record:
                records.append(record)
            else:
                cause = f"S3 has {key}, but it is not the key of an audit record"
                unknown.append(Difference(Kind.AUDIT_OF_NO_CHANGE, "", cause, subject=key))
        return records, unknown

    def _judge(
        self, product_id: str, records: list[AuditRecord], *, from_first: bool
    ) -> list[Difference]:
        if self.logs is None or not from_first:
            return chain_differences(records, from_first=from_first)
        found = list(log_differences(product_id, records, self.logs.entries(product_id)))
        if all(difference.kind != Kind.CHANGE_ALTERED for difference in found):
            return found
        return [*found, *_altered_by_chain(records, found)]

    # Keys

    def _keys(self, product_id: str | None, since: date | None) -> Iterator[str]:
        if product_id is not None:
            return self._keys_of_product(product_id, since)
        keys = self.records.keys_after(_first_day(since))
        return (key for key in keys if not key.startswith(OPERATIONS_PREFIX))

    def _keys_of_product(self, product_id: str, since: date | None) -> Iterator[str]:
        """List day by day, since there are fewer days than keys."""
        for day in self._days(since):
            for key in self.records.keys_after(prefix=f"{day}{product_id}_"):
                match = AUDIT_KEY.fullmatch(key)
                if match and match["product_id"] == product_id:
                    yield key

    def _days(self, since: date | None) -> Iterator[str]:
        first_day = _first_day(since)
        first_year = first_day[:5]
        for year in self.records.folders():
            if year == OPERATIONS_PREFIX or year < first_year:
                continue
            for month in self.records.folders(year):
                yield from (day for day in self.records.folders(month) if day >= first_day)


def _altered_by_chain(
    records: list[AuditRecord], reported: list[Difference]
) -> Iterator[Difference]:
    """Yield the alterations that the chain proves where an altered log proves nothing."""
    identities = {difference.identity for difference in reported}
    for difference in chain_differences(records):
        if difference.kind == Kind.AUDIT_ALTERED and difference.identity not in identities:
            yield difference


def _known_products(logs: Logs) -> Iterator[str]:
    for active in (True, False):
        yield from (record.product_id for record in logs.records_after(None, active=active))


def _first_day(since: date | None) -> str:
    return f"{since:%Y/%m/%d}/" if since else ""
