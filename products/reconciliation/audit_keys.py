"""The keys of the audit bucket: which belong to audit records, and how they are listed. Pure."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

from products.identifiers import ID_PATTERN
from products.reconciliation.sources import AuditRecords

OPERATIONS_PREFIX = "operations/"
"""The keys of operator actions; they share the bucket and belong to no product."""
AUDIT_KEY = re.compile(
    rf"\d{{4}}/\d{{2}}/\d{{2}}/(?P<product_id>{ID_PATTERN})_(?P<at>\d{{8}}T\d{{6}}\.\d{{6}})Z\.json"
)


def parse_audit_key(key: str) -> tuple[str, datetime] | None:
    """Return the product's id and when its change was accepted, or None for any other key."""
    match = AUDIT_KEY.fullmatch(key)
    if match is None:
        return None
    try:
        accepted_at = datetime.fromisoformat(match["at"])
    except ValueError:  # e.g. the 99th of a month
        return None
    return match["product_id"], accepted_at.replace(tzinfo=UTC)


def product_of(key: str) -> str:
    """Return the id of the product that the key belongs to, or "" if it belongs to none."""
    parsed = parse_audit_key(key)
    return parsed[0] if parsed else ""


def record_keys(records: AuditRecords, after: str = "") -> Iterator[str]:
    """Yield the sorted keys that follow ``after``, without those of operator actions."""
    keys = records.keys_after(after)
    return (key for key in keys if not key.startswith(OPERATIONS_PREFIX))


def record_keys_of(
    product_id: str, records: AuditRecords, since: date | None = None
) -> Iterator[str]:
    """Yield the keys of one product, day by day, since there are fewer days than keys."""
    for day in _days(records, first_day(since)):
        for key in records.keys_after(prefix=f"{day}{product_id}_"):
            if product_of(key) == product_id:
                yield key


def first_day(since: date | None) -> str:
    """Return the folder of a day, e.g. ``2026/03/01/``; no key of an earlier day follows it."""
    return f"{since:%Y/%m/%d}/" if since else ""


def _days(records: AuditRecords, first: str) -> Iterator[str]:
    first_year = first[:5]
    for year in records.folders():
        if year == OPERATIONS_PREFIX or year < first_year:
            continue
        for month in records.folders(year):
            yield from (day for day in records.folders(month) if day >= first)
