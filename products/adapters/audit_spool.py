"""A sort of the whole audit trail, which need not fit into memory."""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from products.reconciliation.audit_records import AuditRecord

CREATE_TABLE = """
CREATE TABLE record (product_id TEXT, version INTEGER, key TEXT, own_hash TEXT, previous_hash TEXT)
"""
CREATE_INDEX = "CREATE INDEX by_product ON record (product_id, version, key)"
INSERT_RECORD = "INSERT INTO record VALUES (?, ?, ?, ?, ?)"
SELECT_IN_ORDER = "SELECT * FROM record ORDER BY product_id, version, key"


class SqliteAuditSpool:
    """Sorts audit records by product and version in a temporary SQLite file."""

    def __init__(self) -> None:
        # An empty name makes a private file on disk, which SQLite deletes on closing.
        self._database = sqlite3.connect("")
        self._database.execute(CREATE_TABLE)
        self._database.execute(CREATE_INDEX)

    def add(self, records: Iterable[AuditRecord]) -> None:
        """Add audit records, in any order."""
        rows = (
            (record.product_id, record.version, record.key, record.own_hash, record.previous_hash)
            for record in records
        )
        self._database.executemany(INSERT_RECORD, rows)

    def chains(self) -> Iterator[list[AuditRecord]]:
        """Yield the records of each product, in the order of versions and keys."""
        rows = self._database.execute(SELECT_IN_ORDER)
        for _, group in groupby(rows, key=itemgetter(0)):
            yield [AuditRecord(*row) for row in group]
