"""Jobs in the product table: the job itself under ``JOBS``, in the order of their ids, and its rows in chunks.

A running job stands in the index of open changes under a flag of its own, so that the relay finds it.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.calls import DynamoCalls
from products.adapters.dynamodb.items import OPEN_CHANGES, Item
from products.bulk.jobs import RETENTION, Job, JobKind, JobState
from products.bulk.rows import CHUNK, Row, RowState, in_chunks
from products.documents import format_timestamp, parse_timestamp

logger = logging.getLogger(__name__)
RUNNING = "JOB"
CENTS = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class DynamoJobTable(DynamoCalls):
    """Jobs and their rows; they are forgotten together."""

    def put_job(self, job: Job, rows: Sequence[Row]) -> None:
        for chunk, part in enumerate(in_chunks(rows)):
            self._call("put_item", TableName=self.name, Item=encoded(_chunk_item(job, chunk, part)))
        self._call("put_item", TableName=self.name, Item=encoded(_job_item(job)))

    def job(self, job_id: str) -> Job | None:
        item = self._get(_job_key(job_id))
        return _to_job(item) if item else None

    def rows(self, job_id: str, chunk: int) -> list[Row]:
        item = self._get(_chunk_key(job_id, chunk))
        return [_to_row(row) for row in item["rows"]] if item else []

    def jobs(self, limit: int) -> list[Job]:
        found = self._query(
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": "JOBS"},
            ScanIndexForward=False,
            Limit=limit,
            ConsistentRead=True,
        )
        return [_to_job(item) for item in islice(found, limit)]

    def save_step(self, job: Job, rows: Sequence[Row] | None = None) -> bool:
        writes = [self._put(_job_item(job), "turn = :turn", {":turn": job.sequence - 1})]
        if rows:
            chunk = (rows[0].number - 1) // CHUNK
            writes.append(
                {"Put": {"TableName": self.name, "Item": encoded(_chunk_item(job, chunk, rows))}}
            )
        if not self._transact(writes):
            return False
        counts = {str(state): count for state, count in job.counts.items()}
        facts = {
            "job_id": job.job_id,
            "request_id": job.job_id,
            "state": str(job.state),
            "turn": job.sequence,
        }
        event = "job moved" if rows is None else "job chunk done"
        logger.info(
            event, extra={**facts, "kind": str(job.kind), "rows": job.rows, "counts": counts}
        )
        return True

    def running_jobs(self, updated_before: datetime) -> Iterator[Job]:
        found = self._query(
            IndexName=OPEN_CHANGES,
            KeyConditionExpression="openFlag = :running AND acceptedAt <= :before",
            ExpressionAttributeValues={
                ":running": RUNNING,
                ":before": format_timestamp(updated_before),
            },
        )
        return map(_to_job, found)


def _job_key(job_id: str) -> Item:
    return {"PK": "JOBS", "SK": job_id}


def _chunk_key(job_id: str, chunk: int) -> Item:
    return {"PK": f"JOB#{job_id}", "SK": f"ROWS#{chunk:06d}"}


def _expiry(job: Job) -> Item:
    return {"expiresAt": int((job.created_at + RETENTION).timestamp())}


def _job_item(job: Job) -> Item:
    running = (
        {"openFlag": RUNNING, "acceptedAt": format_timestamp(job.updated_at)}
        if job.state == JobState.RUNNING
        else {}
    )
    return {
        **_job_key(job.job_id),
        **_expiry(job),
        **running,
        "kind": str(job.kind),
        "title": job.title,
        "actor": job.actor,
        "reason": job.reason,
        "state": str(job.state),
        "createdAt": format_timestamp(job.created_at),
        "movedAt": format_timestamp(job.updated_at),
        "rows": job.rows,
        "counts": {str(state): count for state, count in job.counts.items()},
        "chunk": job.chunk,
        "turn": job.sequence,
        "undoOf": job.undo_of,
    }


def _to_job(item: Mapping[str, Any]) -> Job:
    return Job(
        job_id=item["SK"],
        kind=JobKind(item["kind"]),
        title=item["title"],
        actor=item["actor"],
        reason=item["reason"],
        state=JobState(item["state"]),
        created_at=parse_timestamp(item["createdAt"]),
        updated_at=parse_timestamp(item["movedAt"]),
        rows=int(item["rows"]),
        counts={RowState(state): int(count) for state, count in item["counts"].items()},
        chunk=int(item["chunk"]),
        sequence=int(item["turn"]),
        undo_of=item["undoOf"],
    )


def _chunk_item(job: Job, chunk: int, rows: Sequence[Row]) -> Item:
    return {
        **_chunk_key(job.job_id, chunk),
        **_expiry(job),
        "rows": [_row_item(row) for row in rows],
    }


def _row_item(row: Row) -> Item:
    return {
        "number": row.number,
        "productId": row.product_id,
        "name": row.name,
        "edits": {name: _kept(value) for name, value in row.edits.items()},
        "creates": row.creates,
        "base": row.base,
        "strict": row.strict,
        "changed": {
            name: [_kept(before), _kept(after)] for name, (before, after) in row.changed.items()
        },
        "state": str(row.state),
        "message": row.message,
        "version": row.version,
    }


def _to_row(item: Mapping[str, Any]) -> Row:
    return Row(
        number=int(item["number"]),
        product_id=item["productId"],
        name=item["name"],
        edits={name: _read(value) for name, value in item["edits"].items()},
        creates=item["creates"],
        base=None if item["base"] is None else int(item["base"]),
        strict=item["strict"],
        changed={
            name: (_read(before), _read(after)) for name, (before, after) in item["changed"].items()
        },
        state=RowState(item["state"]),
        message=item["message"],
        version=None if item["version"] is None else int(item["version"]),
    )


def _kept(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)  # the plain text of a billing cycle
    return list(value) if isinstance(value, tuple) else value


def _read(value: Any) -> Any:
    """Amounts have two places, and lists do not change."""
    if isinstance(value, Decimal):
        return value.quantize(CENTS)
    return tuple(value) if isinstance(value, list) else value
