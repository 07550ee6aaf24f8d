"""Jobs in the product table: each job under ``JOBS``, ordered by id, and its rows in chunks.

A running job is also in the index of open changes, under a flag of its own, so that the relay
finds it.
"""

import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import batched
from typing import Any

from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.calls import DynamoCalls
from products.adapters.dynamodb.items import EXPIRY, OPEN_CHANGES, Item
from products.authority import Authority, AuthorityKind
from products.bulk.job import CHUNK_SIZE, RETENTION, Job, JobKind, JobState
from products.bulk.rows import Row, RowState
from products.currency import canonical
from products.documents import format_timestamp, parse_timestamp
from products.merging import Clash
from products.permissions import WRITING, permissions_among

logger = logging.getLogger(__name__)

LARGE_FIELDS = {"description", "features"}
MAX_ITEM_SIZE = 300_000  # bytes of JSON; DynamoDB's limit is 400 KB
JOBS_PARTITION = "JOBS"
RUNNING = "JOB"
UNDER_WAY = (JobState.PLANNING, JobState.RUNNING)
IS_PREVIOUS_STEP = "turn = :turn"
IS_RUNNING = "openFlag = :running"


@dataclass(frozen=True, slots=True)
class DynamoJobTable(DynamoCalls):
    """Jobs and their rows, which DynamoDB deletes together after RETENTION."""

    def chunk_count(self, rows: int) -> int:
        """Return in how many items so many rows are stored."""
        return math.ceil(rows / CHUNK_SIZE)

    def put_job(self, job: Job, rows: Sequence[Row]) -> None:
        """Write the rows, and then the job, so that a job that can be read is complete."""
        for chunk, chunk_rows in enumerate(batched(rows, CHUNK_SIZE)):
            for item in _chunk_items(job, chunk, chunk_rows):
                self._overwrite_item(item)
        self._overwrite_item(_job_item(job))

    def job(self, job_id: str) -> Job | None:
        """Return the job with this id."""
        item = self._get_item(_job_key(job_id))
        return _to_job(item) if item else None

    def rows(self, job_id: str, chunk: int) -> list[Row]:
        """Return the rows of a chunk; chunks count from 0."""
        first = self._get_item(_chunk_key(job_id, chunk))
        if first is None:
            return []
        keys = [_chunk_key(job_id, chunk, part) for part in range(1, int(first.get("parts", 1)))]
        parts = [first, *(item for item in map(self._get_item, keys) if item)]
        return [_to_row(row) for part in parts for row in part["rows"]]

    def jobs(self, limit: int) -> list[Job]:
        """Return the newest jobs, newest first."""
        return [_to_job(item) for item in self._query_newest(JOBS_PARTITION, limit)]

    def save_step(self, job: Job, rows: Sequence[Row] | None = None) -> bool:
        """Write the next step of a job, with the rows of the chunk it worked on.

        Return False when the job has had another step.
        """
        writes = [self._put_request(_job_item(job), IS_PREVIOUS_STEP, {":turn": job.sequence - 1})]
        if rows:
            chunk = (rows[0].number - 1) // CHUNK_SIZE
            writes += [self._put(item) for item in _chunk_items(job, chunk, rows)]
        if not self._transact(writes):
            return False
        _log_step(job, "job state changed" if rows is None else "job chunk done")
        return True

    def _put(self, item: Item) -> Item:
        return {"Put": {"TableName": self.name, "Item": encoded(item)}}

    def running_jobs(self, updated_before: datetime, at: datetime) -> Iterator[Job]:
        """Yield the running jobs without a step since then, or with one in the future.

        A time in the future is of a host whose clock is ahead. There are few running jobs.
        """
        before, now = format_timestamp(updated_before), format_timestamp(at)
        items = (
            item
            for item in self._query(IS_RUNNING, {":running": RUNNING}, IndexName=OPEN_CHANGES)
            if item["acceptedAt"] <= before or item["acceptedAt"] > now
        )
        keys = [{"PK": item["PK"], "SK": item["SK"]} for item in items]
        return map(_to_job, self._batch_get(keys))


def _log_step(job: Job, event: str) -> None:
    facts = {
        "job_id": job.job_id,
        "request_id": job.job_id,
        "state": str(job.state),
        "turn": job.sequence,
        "kind": str(job.kind),
        "rows": job.rows,
        "counts": _counts_by_name(job),
        "reason": job.message,
    }
    logger.info(event, extra=facts)


def _job_key(job_id: str) -> Item:
    return {"PK": JOBS_PARTITION, "SK": job_id}


def _chunk_key(job_id: str, chunk: int, part: int = 0) -> Item:
    suffix = f"#{part:02d}" if part else ""
    return {"PK": f"JOB#{job_id}", "SK": f"ROWS#{chunk:06d}{suffix}"}


def _expiry(job: Job) -> Item:
    return {EXPIRY: int((job.created_at + RETENTION).timestamp())}


def _index_keys(job: Job) -> Item:
    """Return the keys that list a job under way in the index of open changes."""
    if job.state not in UNDER_WAY:
        return {}
    return {"openFlag": RUNNING, "acceptedAt": format_timestamp(job.updated_at)}


def _counts_by_name(job: Job) -> dict[str, int]:
    return {str(state): count for state, count in job.counts.items()}


def _job_item(job: Job) -> Item:
    return {
        **_job_key(job.job_id),
        **_expiry(job),
        **_index_keys(job),
        "kind": str(job.kind),
        "title": job.title,
        "actor": job.actor,
        "reason": job.reason,
        "state": str(job.state),
        "createdAt": format_timestamp(job.created_at),
        "movedAt": format_timestamp(job.updated_at),
        "rows": job.rows,
        "counts": _counts_by_name(job),
        "chunk": job.chunk,
        "turn": job.sequence,
        "undoOf": job.undo_of,
        "chunks": job.chunks,
        "permissions": sorted(map(str, job.permissions)),
        "notes": list(job.notes),
        "authority": str(job.authority.kind),
        "tokenId": job.authority.token_id,
        "message": job.message,
    }


def _to_job(item: Mapping[str, Any]) -> Job:
    """Return the job. One from before jobs had permissions may need all of those to write.

    One from before they had an authority is of an account.
    """
    kind = AuthorityKind(item.get("authority", AuthorityKind.ACCOUNT))
    rows = int(item["rows"])
    return Job(
        job_id=item["SK"],
        kind=JobKind(item["kind"]),
        title=item["title"],
        actor=item["actor"],
        reason=item["reason"],
        state=JobState(item["state"]),
        created_at=parse_timestamp(item["createdAt"]),
        updated_at=parse_timestamp(item["movedAt"]),
        rows=rows,
        chunks=int(item.get("chunks", math.ceil(rows / CHUNK_SIZE))),
        permissions=permissions_among(item.get("permissions", WRITING)),
        counts={RowState(state): int(count) for state, count in item["counts"].items()},
        chunk=int(item["chunk"]),
        sequence=int(item["turn"]),
        undo_of=item["undoOf"],
        notes=tuple(item.get("notes", ())),
        authority=Authority(kind, item.get("tokenId", "")),
        message=item.get("message", ""),
    )


def _chunk_items(job: Job, chunk: int, rows: Sequence[Row]) -> list[Item]:
    """Return the items of a chunk: one, or more if its rows are large."""
    parts: list[list[Item]] = [[]]
    size = 0
    for item in map(_row_item, rows):
        row_size = len(json.dumps(item, ensure_ascii=False, default=str).encode())
        if parts[-1] and size + row_size > MAX_ITEM_SIZE:
            parts.append([])
            size = 0
        parts[-1].append(item)
        size += row_size
    return [
        {
            **_chunk_key(job.job_id, chunk, part),
            **_expiry(job),
            "rows": part_rows,
            "parts": len(parts),
        }
        for part, part_rows in enumerate(parts)
    ]


def _row_item(row: Row) -> Item:
    return {
        "number": row.number,
        "productId": row.product_id,
        "name": row.name,
        "edits": {name: _to_stored(value) for name, value in row.edits.items()},
        "creates": row.creates,
        "base": row.base,
        "strict": row.strict,
        "changed": {
            name: [_to_stored(before), _to_stored(after)]
            for name, (before, after) in row.changed.items()
            if name not in _in_clashes(row.state, row.clashes)
        },
        "state": str(row.state),
        "message": row.message,
        "version": row.version,
        "line": row.line,
        "note": row.note,
        "currency": row.currency,
        "clashes": {
            name: [_to_stored(value) for value in (clash.base, clash.yours, clash.theirs)]
            for name, clash in row.clashes.items()
        },
    }


def _to_row(item: Mapping[str, Any]) -> Row:
    clashes = {
        name: Clash(*(_from_stored(value) for value in values))
        for name, values in item.get("clashes", {}).items()
    }
    changed = {
        name: (_from_stored(before), _from_stored(after))
        for name, (before, after) in item["changed"].items()
    }
    return Row(
        number=int(item["number"]),
        product_id=item["productId"],
        name=item["name"],
        edits={name: _from_stored(value) for name, value in item["edits"].items()},
        creates=item["creates"],
        base=_to_version(item["base"]),
        strict=item["strict"],
        changed=changed
        | {
            name: (clashes[name].theirs, clashes[name].yours)
            for name in _in_clashes(RowState(item["state"]), clashes)
        },
        state=RowState(item["state"]),
        message=item["message"],
        version=_to_version(item["version"]),
        line=_to_version(item.get("line")),
        note=item.get("note", ""),
        currency=item.get("currency", ""),
        clashes=clashes,
    )


def _in_clashes(state: RowState, clashes: Mapping[str, Clash]) -> set[str]:
    """Return the large fields that only their clash has, so that 50 rows fit one transaction."""
    return LARGE_FIELDS & clashes.keys() if state == RowState.CLASH else set()


def _to_version(number: Decimal | None) -> int | None:
    return None if number is None else int(number)


def _to_stored(value: Any) -> Any:
    """Return a field's value as DynamoDB stores it: an enum as a string, a tuple as a list."""
    if isinstance(value, str):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _from_stored(value: Any) -> Any:
    """Return a field's value as the core holds it."""
    if isinstance(value, Decimal):
        return canonical(value)
    return tuple(value) if isinstance(value, list) else value
