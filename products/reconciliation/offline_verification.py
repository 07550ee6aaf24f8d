"""Verify the audit trail by S3 alone: read it in key order, then judge each product's chain. Pure.

The online verification also compares the trail with the log; see ``verification``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import batched
from typing import Protocol

from products.parallel import MapFunction
from products.reconciliation.audit_chain import chain_differences
from products.reconciliation.audit_keys import first_day, record_keys, record_keys_of
from products.reconciliation.audit_records import AuditRecord, audit_record_of, foreign_object
from products.reconciliation.differences import Difference
from products.reconciliation.sources import AuditRecords

BATCH = 200  # records read together


class AuditSpool(Protocol):
    """A store for more records than memory holds, which groups them by product."""

    def add(self, records: Iterable[AuditRecord]) -> None: ...

    def chains(self) -> Iterator[list[AuditRecord]]:
        """Yield the records of each product, sorted by version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineVerification:
    """Verify the audit trail without the log."""

    records: AuditRecords
    spool: AuditSpool
    map_function: MapFunction = map

    def run(
        self,
        *,
        product_id: str | None,
        since: date | None,
        show_progress: Callable[[Iterator[str]], Iterable[str]],
    ) -> Iterator[Difference]:
        """Yield the differences of one product, or of all.

        With ``since``, records before that day are left out, so a chain need not begin with
        version 1. ``show_progress`` passes the keys on.
        """
        if product_id:
            keys = record_keys_of(product_id, self.records, since)
        else:
            keys = record_keys(self.records, first_day(since))
        for batch in batched(show_progress(keys), BATCH):
            records, foreign = self._read(batch)
            self.spool.add(records)
            yield from foreign
        for chain in self.spool.chains():
            yield from chain_differences(chain, from_first=since is None)

    def _read(self, keys: Sequence[str]) -> tuple[list[AuditRecord], list[Difference]]:
        """Return the records under these keys, and differences for keys of no audit record."""
        records, foreign = [], []
        bodies = self.map_function(self.records.read, keys)
        for key, body in zip(keys, bodies, strict=True):
            if body is None:
                continue
            record = audit_record_of(key, body)
            if record:
                records.append(record)
            else:
                foreign.append(foreign_object(key))
        return records, foreign
