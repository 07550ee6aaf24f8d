"""The items of plans: the plan, its versions, its rows in chunks, and where products are named."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from products.adapters.dynamodb.items import EXPIRY, Item
from products.authority import Authority, AuthorityKind
from products.currency import canonical
from products.documents import format_timestamp, parse_timestamp
from products.permissions import permissions_among
from products.plans.plan import (
    RETENTION,
    ClashRule,
    FieldChanges,
    Plan,
    PlanRow,
    PlanState,
    RowOutcome,
    RowState,
    Step,
)

PLANS_PARTITION = "PLANS"
OPEN_PLAN = "PLAN"
"""The partition of the plans with a step left, in the index of open changes."""
CHUNK_SIZE = 50  # rows
MAX_CHUNK_BYTES = 300_000  # DynamoDB's limit is 400 KB
GROWTH = 8
"""How many times the bytes of its edits a row may take, once both of its steps are made."""
ROW_BYTES = 1500  # of a row besides its edits


def plan_key(plan_id: str) -> Item:
    return {"PK": PLANS_PARTITION, "SK": plan_id}


def chunk_key(plan_id: str, chunk: int) -> Item:
    return {"PK": f"PLAN#{plan_id}", "SK": f"ROWS#{chunk:06d}"}


def version_key(plan_id: str, version: int) -> Item:
    return {"PK": f"PLAN#{plan_id}#VERSIONS", "SK": f"{version:08d}"}


def product_key(product_id: str) -> Item:
    """Return the key of the item that names the plans about a product."""
    return {"PK": f"PLANNED#{product_id}", "SK": "PLANS"}


def plan_expiry(plan: Plan) -> int:
    """Return when DynamoDB may delete the plan, in seconds since 1970."""
    return int((plan.created_at + RETENTION).timestamp())


def chunks_of(rows: Sequence[PlanRow]) -> list[list[PlanRow]]:
    """Return the rows in chunks, each of which fits one item also after its steps."""
    chunks: list[list[PlanRow]] = [[]]
    size = 0
    for row in rows:
        row_size = ROW_BYTES + GROWTH * _bytes_of(row.edits)
        if chunks[-1] and (size + row_size > MAX_CHUNK_BYTES or len(chunks[-1]) == CHUNK_SIZE):
            chunks.append([])
            size = 0
        chunks[-1].append(replace(row, chunk=len(chunks) - 1))
        size += row_size
    return chunks


def _bytes_of(edits: Mapping[str, Any]) -> int:
    return len(json.dumps(dict(edits), ensure_ascii=False, default=str).encode())


def plan_item(plan: Plan) -> Item:
    return {**plan_key(plan.plan_id), **_index_keys(plan), **_facts(plan)}


def version_item(plan: Plan) -> Item:
    """Return the item that keeps what the plan was after a person changed it."""
    return {**version_key(plan.plan_id, plan.version), **_facts(plan)}


def _index_keys(plan: Plan) -> Item:
    """Return the keys that list a plan with a step left in the index of open changes."""
    if plan.due is None:
        return {}
    return {"openFlag": OPEN_PLAN, "acceptedAt": format_timestamp(plan.due)}


def _facts(plan: Plan) -> Item:
    return {
        EXPIRY: plan_expiry(plan),
        "planId": plan.plan_id,
        "name": plan.name,
        "owner": plan.owner,
        "reason": plan.reason,
        "startsAt": format_timestamp(plan.starts_at),
        "endsAt": _written(plan.ends_at),
        "zone": plan.zone,
        "rows": plan.rows,
        "chunks": plan.chunks,
        "createdAt": format_timestamp(plan.created_at),
        "changedAt": format_timestamp(plan.updated_at),
        "changedBy": plan.updated_by,
        "permissions": sorted(map(str, plan.permissions)),
        "authority": str(plan.authority.kind),
        "tokenId": plan.authority.token_id,
        "clashRule": str(plan.clash_rule),
        "state": str(plan.state),
        "version": plan.version,
        "turn": plan.sequence,
        "startedAt": _written(plan.started_at),
        "endedAt": _written(plan.ended_at),
        "counts": {
            str(step): {str(state): count for state, count in counts.items()}
            for step, counts in plan.counts.items()
        },
    }


def _written(at: datetime | None) -> str | None:
    return None if at is None else format_timestamp(at)


def _read(text: str | None) -> datetime | None:
    return None if text is None else parse_timestamp(text)


def to_plan(item: Mapping[str, Any]) -> Plan:
    return Plan(
        plan_id=item["planId"],
        name=item["name"],
        owner=item["owner"],
        reason=item["reason"],
        starts_at=parse_timestamp(item["startsAt"]),
        ends_at=_read(item["endsAt"]),
        zone=item["zone"],
        rows=int(item["rows"]),
        chunks=int(item["chunks"]),
        created_at=parse_timestamp(item["createdAt"]),
        updated_at=parse_timestamp(item["changedAt"]),
        updated_by=item["changedBy"],
        permissions=permissions_among(item["permissions"]),
        authority=Authority(AuthorityKind(item["authority"]), item["tokenId"]),
        clash_rule=ClashRule(item["clashRule"]),
        state=PlanState(item["state"]),
        version=int(item["version"]),
        sequence=int(item["turn"]),
        started_at=_read(item["startedAt"]),
        ended_at=_read(item["endedAt"]),
        counts={
            Step(step): {RowState(state): int(count) for state, count in counts.items()}
            for step, counts in item["counts"].items()
        },
    )


def chunk_item(plan: Plan, chunk: int, rows: Iterable[PlanRow]) -> Item:
    return {
        **chunk_key(plan.plan_id, chunk),
        EXPIRY: plan_expiry(plan),
        "turn": plan.sequence,
        "rows": [_row_item(row) for row in rows],
    }


def rows_of(item: Mapping[str, Any]) -> Iterator[PlanRow]:
    """Yield the rows of a chunk."""
    chunk = int(item["SK"].partition("#")[2])
    return (_to_row(row, chunk) for row in item["rows"])


def _row_item(row: PlanRow) -> Item:
    return {
        "number": row.number,
        "productId": row.product_id,
        "name": row.name,
        "currency": row.currency,
        "edits": {name: _to_stored(value) for name, value in row.edits.items()},
        "base": row.base,
        "changed": _stored_changes(row.changed),
        "start": _outcome_item(row.start),
        "end": _outcome_item(row.end),
    }


def _to_row(item: Mapping[str, Any], chunk: int) -> PlanRow:
    return PlanRow(
        number=int(item["number"]),
        product_id=item["productId"],
        name=item["name"],
        currency=item["currency"],
        edits={name: _from_stored(value) for name, value in item["edits"].items()},
        base=int(item["base"]),
        changed=_read_changes(item["changed"]),
        start=_to_outcome(item["start"]),
        end=_to_outcome(item["end"]),
        chunk=chunk,
    )


def _outcome_item(outcome: RowOutcome | None) -> Item | None:
    if outcome is None:
        return None
    return {
        "state": str(outcome.state),
        "version": outcome.version,
        "changed": _stored_changes(outcome.changed),
        "message": outcome.message,
    }


def _to_outcome(item: Mapping[str, Any] | None) -> RowOutcome | None:
    if item is None:
        return None
    version = item["version"]
    return RowOutcome(
        state=RowState(item["state"]),
        version=None if version is None else int(version),
        changed=_read_changes(item["changed"]),
        message=item["message"],
    )


def _stored_changes(changed: FieldChanges) -> Item:
    return {
        name: [_to_stored(before), _to_stored(after)] for name, (before, after) in changed.items()
    }


def _read_changes(stored: Mapping[str, Any]) -> FieldChanges:
    return {
        name: (_from_stored(before), _from_stored(after))
        for name, (before, after) in stored.items()
    }


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
