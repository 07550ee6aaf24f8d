"""Walking through everything that should follow from the log, in batches, each place once, in constant memory. Pure.

Nothing is scanned. Records are walked through their index; what has no record is revealed by the index of open changes,
by the documents of the search index, or by the keys of the audit trail - whichever of them knows it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import batched
from typing import Any, Protocol

from products.changes import Change, audit_key
from products.reconciliation.comparison import (
    DOCUMENT,
    RECORD,
    audit_difference,
    claim_differences,
    late_differences,
    replica_difference,
)
from products.reconciliation.differences import Difference, Kind, LogEntry, Observed
from products.reconciliation.product_log import GRACE_PERIOD, ProductLog, replay

BATCH = 25  # products looked at together
OPERATIONS = (
    "operations/"  # what operators did is kept in the same bucket; it belongs to no product
)
KEY = re.compile(
    r"\d{4}/\d{2}/\d{2}/(?P<product_id>[A-Za-z0-9_-]{1,64})_(?P<at>\d{8}T\d{6}\.\d{6})Z\.json"
)


class Stage(StrEnum):
    """Where products are found, in the order of the walk."""

    ACTIVE = "active records"
    INACTIVE = "inactive records"
    OPEN = "open changes"
    DOCUMENTS = "documents"
    TRAIL = "audit records"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that names a product, and where the walk goes on behind it."""

    after: str
    product_id: str
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step of the walk has come to."""

    stage: Stage
    after: str
    checked: int
    differences: list[Difference]


class Logs(Protocol):
    """The table, read for its own sake. Each method may raise EngineAway."""

    def entries(self, product_id: str) -> Iterator[LogEntry]:
        """The product's log from its first version on, consistently, read lazily."""

    def change(self, product_id: str, version: int) -> Change | None: ...
    def records(self, product_ids: Sequence[str]) -> dict[str, Observed]:
        """The records, consistently; one whose index keys do not fit it has no content."""

    def name_owners(self, names: list[str]) -> dict[str, str]: ...
    def records_after(self, after: str | None, *, active: bool) -> Iterator[Candidate]: ...
    def open_after(self, after: str | None) -> Iterator[Candidate]: ...
    def accepted_between(self, product_id: str, first: datetime, last: datetime) -> set[datetime]:
        """When the product's changes of that time were accepted."""


class Documents(Protocol):
    def documents(self, product_ids: Sequence[str]) -> dict[str, Observed]: ...
    def ids_after(self, after: str | None, since: datetime | None) -> Iterator[str]:
        """The ids of all documents, in their order."""


class Trail(Protocol):
    def read(self, key: str) -> bytes | None: ...
    def keys_after(self, after: str) -> Iterator[str]:
        """All keys of the bucket behind this one, in their order."""


MapFunction = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""As ``map``, perhaps several at once: most of the time of a check is spent waiting for answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """``documents`` is None where there is no search index."""

    logs: Logs
    documents: Documents | None
    trail: Trail
    clock: Callable[[], datetime]
    map_function: MapFunction = map
    grace_period: timedelta = GRACE_PERIOD

    def walk(
        self, stage: Stage | None = None, after: str | None = None, since: datetime | None = None
    ) -> Iterator[Batch]:
        """All stages from the given place on. With ``since``, only what was changed or written since then."""
        stages = list(Stage)
        for current in stages[stages.index(stage) if stage else 0 :]:
            places = self._places(current, after if current == stage else None, since)
            for batch in batched(places, BATCH):
                found = self._confirmed(self._of(current, batch, since))
                yield Batch(current, batch[-1].after, len(batch), found)

    def verify(self, product_ids: Sequence[str]) -> list[Difference]:
        """Of these products, as far as their log, records, claims, documents and audit records go."""
        return self._confirmed(lambda: self._looked_at(product_ids))

    # Where products are found

    def _places(
        self, stage: Stage, after: str | None, since: datetime | None
    ) -> Iterator[Candidate]:
        if stage in (Stage.ACTIVE, Stage.INACTIVE):
            places = self.logs.records_after(after, active=stage == Stage.ACTIVE)
            return (
                p for p in places if since is None or p.updated_at is None or p.updated_at >= since
            )
        if stage == Stage.OPEN:
            return self.logs.open_after(after)
        if stage == Stage.DOCUMENTS:
            return (
                (Candidate(i, i) for i in self.documents.ids_after(after, since))
                if self.documents
                else iter(())
            )
        start = after or (f"{since:%Y/%m/%d}/" if since else "")
        keys = (key for key in self.trail.keys_after(start) if not key.startswith(OPERATIONS))
        return (
            Candidate(key, match["product_id"] if (match := KEY.fullmatch(key)) else "")
            for key in keys
        )

    def _of(
        self, stage: Stage, places: Sequence[Candidate], since: datetime | None
    ) -> Callable[[], list[Difference]]:
        """What there is to find at these places. What has no record belongs to the first stage that knows of it."""
        ids = list(dict.fromkeys(place.product_id for place in places if place.product_id))
        if stage in (Stage.ACTIVE, Stage.INACTIVE):
            return lambda: self._looked_at(ids)
        if stage == Stage.OPEN:
            return lambda: self._looked_at(self._without_record(ids, since))
        if stage == Stage.DOCUMENTS:
            return lambda: self._looked_at(self._unopened(self._without_record(ids)))
        keys = [place.after for place in places]
        return lambda: self._strangers(keys) + self._looked_at(self._unknown(ids))

    def _without_record(self, ids: Sequence[str], since: datetime | None = None) -> list[str]:
        """Those the walk over the records does not come to; with ``since`` it leaves out what has an old record."""
        records = self.logs.records(ids)
        return [i for i in ids if i not in records or (since and _is_older(records[i], since))]

    def _unopened(self, ids: Sequence[str]) -> list[str]:
        return [
            i
            for i in ids
            if not any(e.change is not None and e.listed for e in self.logs.entries(i))
        ]

    def _unknown(self, ids: Sequence[str]) -> list[str]:
        lacking = self._unopened(self._without_record(ids))
        found = self.documents.documents(lacking) if self.documents and lacking else {}
        known = [i for i in lacking if i not in found]
        return [
            i for i in known if next(self.logs.entries(i), None)
        ]  # without a log its keys are reported already

    def _strangers(self, keys: Sequence[str]) -> list[Difference]:
        """Audit records under keys that no change has."""
        by_product: dict[str, list[tuple[str, datetime]]] = {}
        found = []
        for key in keys:
            match = KEY.fullmatch(key)
            if match is None:
                found.append(_stranger(key, "", "its key is not one of an audit record"))
            else:
                by_product.setdefault(match["product_id"], []).append((key, _moment(match["at"])))
        for strangers in self.map_function(self._strangers_of, by_product.items()):
            found += strangers
        return found

    def _strangers_of(self, product: tuple[str, list[tuple[str, datetime]]]) -> list[Difference]:
        product_id, keyed = product
        times = [at for _, at in keyed]
        accepted = self.logs.accepted_between(product_id, min(times), max(times))
        return [
            _stranger(key, product_id, "no change was accepted then")
            for key, at in keyed
            if at not in accepted
        ]

    # What is compared

    def _confirmed(self, look: Callable[[], list[Difference]]) -> list[Difference]:
        """What is seen twice. Writes go on meanwhile, and a product may move on between two reads of one look."""
        first = {difference.identity for difference in look()}
        return (
            [difference for difference in look() if difference.identity in first] if first else []
        )

    def _looked_at(self, product_ids: Sequence[str]) -> list[Difference]:
        logs: list[ProductLog] = list(self.map_function(self._log, product_ids))
        found = [difference for log in logs for difference in log.differences]
        records = self.logs.records(product_ids)
        owners = self.logs.name_owners([name for log in logs for name in log.names.values()])
        documents = (
            self.documents.documents(product_ids) if self.documents and product_ids else None
        )
        for log in logs:
            found += self._of_log(log, records, owners, documents)
        return found

    def _log(self, product_id: str) -> ProductLog:
        """The product's log, and with it the audit record of each change; most are read one by one, some at once."""
        log = ProductLog(product_id, overdue_before=self.clock() - self.grace_period)
        for change in replay(log, self.logs.entries(product_id)):
            if difference := audit_difference(log, change, self.trail.read(audit_key(change))):
                log.differences.append(difference)
        return log

    def _of_log(
        self,
        log: ProductLog,
        records: Mapping[str, Observed],
        owners: Mapping[str, str],
        documents: Mapping[str, Observed] | None,
    ) -> list[Difference]:
        record = records.get(log.product_id)
        if log.newest is None:
            return _of_no_product(log, record, documents)
        found = [replica_difference(RECORD, log, record, self.logs.change)]
        if documents is not None:
            found.append(
                replica_difference(DOCUMENT, log, documents.get(log.product_id), self.logs.change)
            )
        named = [difference for difference in found if difference]
        return [
            *named,
            *claim_differences(log, owners),
            *late_differences(log, [*named, *log.differences]),
        ]


def _of_no_product(
    log: ProductLog, record: Observed | None, documents: Mapping[str, Observed] | None
) -> list[Difference]:
    found = []
    if record:
        cause = "there is a record, and no log of any change to it"
        found.append(
            Difference(
                Kind.RECORD_OF_NO_PRODUCT, log.product_id, cause, observed_version=record.version
            )
        )
    if document := (documents or {}).get(log.product_id):
        cause = "the search index has a document of it, and there is no such product"
        found.append(
            Difference(
                Kind.DOCUMENT_OF_NO_PRODUCT,
                log.product_id,
                cause,
                observed_version=document.version,
            )
        )
    return found


def _is_older(record: Observed, since: datetime) -> bool:
    updated_at = getattr(record.content, "updated_at", None)
    return updated_at is not None and updated_at < since


def _stranger(key: str, product_id: str, why: str) -> Difference:
    return Difference(Kind.AUDIT_OF_NO_CHANGE, product_id, f"S3 has {key}, but {why}", subject=key)


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
