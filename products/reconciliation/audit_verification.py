"""Verifying the whole audit trail: gathered from S3 in its order, judged product by product. Pure."""

from collections.abc import Callable, Iterable, Iterator
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
from products.reconciliation.verification import KEY, OPERATIONS, Candidate, MapFunction

BATCH = 200  # records read together


class AuditRecords(Protocol):
    def read(self, key: str) -> bytes | None: ...
    def keys_after(self, after: str = "", prefix: str = "") -> Iterator[str]: ...
    def folders(self, prefix: str = "") -> Iterator[str]: ...


class AuditSpool(Protocol):
    """Holds what does not fit into memory, and gives it back by product and version."""

    def add(self, links: Iterable[AuditRecord]) -> None: ...
    def add_products(self, product_ids: Iterable[str]) -> None:
        """That there are these products, whether or not they have a record."""

    def products(self) -> Iterator[tuple[str, list[AuditRecord]]]: ...


class Logs(Protocol):
    def entries(self, product_id: str) -> Iterator[LogEntry]: ...
    def records_after(self, after: str | None, *, active: bool) -> Iterator[Candidate]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerification:
    """``logs`` is None to go by S3 alone."""

    records: AuditRecords
    spool: AuditSpool
    logs: Logs | None
    map_function: MapFunction = map

    def run(
        self,
        *,
        product_id: str | None,
        since: date | None,
        shown: Callable[[Iterator[str]], Iterable[str]],
    ) -> Iterator[Difference]:
        """``since`` leaves out what was written before that day, and so the log, and where a chain begins."""
        for keys in batched(shown(self._keys(product_id, since)), BATCH):
            links, strangers = self._links(keys)
            self.spool.add(links)
            yield from strangers
        if self.logs and not since:
            self.spool.add_products([product_id] if product_id else self._known(self.logs))
        for name, chain in self.spool.products():
            yield from self._judged(name, chain, whole=since is None)

    def _judged(
        self, product_id: str, links: list[AuditRecord], *, whole: bool
    ) -> list[Difference]:
        if self.logs is None or not whole:
            return chain_differences(links, whole=whole)
        found = list(log_differences(product_id, links, self.logs.entries(product_id)))
        if all(difference.kind != Kind.CHANGE_ALTERED for difference in found):
            return found
        told = {difference.identity for difference in found}
        altered = (d for d in chain_differences(links) if d.kind == Kind.AUDIT_ALTERED)
        return [*found, *(difference for difference in altered if difference.identity not in told)]

    def _links(self, keys: Iterable[str]) -> tuple[list[AuditRecord], list[Difference]]:
        links, strangers = [], []
        for key, body in self.map_function(lambda key: (key, self.records.read(key)), keys):
            link = None if body is None else audit_record_of(key, body)
            if link:
                links.append(link)
            elif body is not None:
                cause = f"S3 has {key}, but its key is not one of an audit record"
                strangers.append(Difference(Kind.AUDIT_OF_NO_CHANGE, "", cause, subject=key))
        return links, strangers

    def _known(self, logs: Logs) -> Iterator[str]:
        for active in (True, False):
            yield from (place.product_id for place in logs.records_after(None, active=active))

    def _keys(self, product_id: str | None, since: date | None) -> Iterator[str]:
        if product_id is None:
            keys = self.records.keys_after(f"{since:%Y/%m/%d}/" if since else "")
            return (key for key in keys if not key.startswith(OPERATIONS))
        return self._keys_of(product_id, since)

    def _keys_of(self, product_id: str, since: date | None) -> Iterator[str]:
        """Day by day, of which there are fewer than keys."""
        for day in self._days(since):
            for key in self.records.keys_after(prefix=f"{day}{product_id}_"):
                match = KEY.fullmatch(key)
                if match and match["product_id"] == product_id:
                    yield key

    def _days(self, since: date | None) -> Iterator[str]:
        first = f"{since:%Y/%m/%d}/" if since else ""
        for year in self.records.folders():
            if year == OPERATIONS or year < first[:5]:
                continue
            for month in self.records.folders(year):
                yield from (day for day in self.records.folders(month) if day >= first)
