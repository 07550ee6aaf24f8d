"""Files of imports in the product table, until a worker has planned their jobs."""

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from products.adapters.dynamodb.calls import DynamoCalls
from products.adapters.dynamodb.items import EXPIRY, Item
from products.amounts import DecimalMark
from products.bulk.identities import Trace
from products.bulk.import_steps import Upload
from products.bulk.imports import ImportOptions
from products.bulk.job import Job
from products.permissions import permissions_among
from products.product import BillingCycle

RETENTION = timedelta(days=2)
PART_SIZE = 300_000  # characters of one item
FILE, TRACES = "FILE#", "TRACES#"
HAS_PREFIX = "PK = :pk AND begins_with(SK, :prefix)"


@dataclass(frozen=True, slots=True)
class DynamoUploads(DynamoCalls):
    """Files in parts next to the rows of their jobs, and the traces of the rows so far."""

    def put_upload(self, job: Job, upload: Upload) -> None:
        """Write the file, and its options with the first part."""
        text = base64.b64encode(zlib.compress(upload.data)).decode()
        starts = range(0, max(1, len(text)), PART_SIZE)
        for part, start in enumerate(starts):
            item = {**_key(job.job_id, FILE, part), "data": text[start : start + PART_SIZE]}
            options = _to_options_item(upload) if part == 0 else {}
            self._overwrite_item({**item, **options, **_expiry(job)})

    def upload(self, job_id: str) -> Upload | None:
        """Return the file with its options."""
        parts = self._parts(job_id, FILE)
        if not parts:
            return None
        data = zlib.decompress(base64.b64decode("".join(part["data"] for part in parts)))
        held = permissions_among(parts[0]["permissions"])
        return Upload(data, _to_options(json.loads(parts[0]["options"])), held)

    def put_traces(self, job: Job, traces: Sequence[Trace]) -> None:
        """Write the traces of rows that follow each other."""
        first = traces[0].number
        content = json.dumps([list(asdict(trace).values()) for trace in traces])
        item = {**_key(job.job_id, TRACES, first), "traces": content, **_expiry(job)}
        self._overwrite_item(item)

    def traces(self, job_id: str) -> list[Trace]:
        """Return the traces in the order of the rows; of the same row, the later one."""
        lists = [json.loads(part["traces"]) for part in self._parts(job_id, TRACES)]
        by_number = {entry[0]: Trace(*entry) for entries in lists for entry in entries}
        return [by_number[number] for number in sorted(by_number)]

    def _parts(self, job_id: str, prefix: str) -> list[Item]:
        values = {":pk": f"JOB#{job_id}", ":prefix": prefix}
        return list(self._query(HAS_PREFIX, values, ConsistentRead=True))


def _key(job_id: str, prefix: str, number: int) -> Item:
    return {"PK": f"JOB#{job_id}", "SK": f"{prefix}{number:06d}"}


def _expiry(job: Job) -> Item:
    return {EXPIRY: int((job.created_at + RETENTION).timestamp())}


def _to_options_item(upload: Upload) -> Item:
    options = upload.options
    document = {
        "columns": {str(number): field for number, field in options.columns.items()},
        "mark": options.mark.name if options.mark else None,
        "currency": options.currency,
        "billingCycle": str(options.billing_cycle) if options.billing_cycle else None,
    }
    permissions = sorted(map(str, upload.permissions))
    return {"options": json.dumps(document), "permissions": permissions}


def _to_options(document: dict[str, Any]) -> ImportOptions:
    mark, cycle = document["mark"], document["billingCycle"]
    return ImportOptions(
        columns={int(number): field for number, field in document["columns"].items()},
        mark=DecimalMark[mark] if mark else None,
        currency=document["currency"],
        billing_cycle=BillingCycle(cycle) if cycle else None,
    )
