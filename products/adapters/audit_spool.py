"""Sorting more than fits into memory: a temporary SQLite file, which is gone when the process is."""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby

from products.reconciliation.audit_chain import AuditRecord


class SqliteAuditSpool:
    def __init__(self) -> None:
        self.file = sqlite3.connect(
            ""
        )  # an empty name is a private file on disk, deleted when it is closed
        self.file.execute(
            "CREATE TABLE link (product_id TEXT, version INTEGER, key TEXT, own TEXT, previous TEXT)"
        )
        self.file.execute("CREATE INDEX by_product ON link (product_id, version, key)")

    def add(self, links: Iterable[AuditRecord]) -> None:
        rows = (
            (link.product_id, link.version, link.key, link.own_hash, link.previous_hash)
            for link in links
        )
        self.file.executemany("INSERT INTO link VALUES (?, ?, ?, ?, ?)", rows)

    def add_products(self, product_ids: Iterable[str]) -> None:
        self.file.executemany(
            "INSERT INTO link (product_id) VALUES (?)", ((i,) for i in product_ids)
        )

    def products(self) -> Iterator[tuple[str, list[AuditRecord]]]:
        rows = self.file.execute("SELECT * FROM link ORDER BY product_id, version, key")
        for product_id, group in groupby(rows, key=lambda row: str(row[0])):
            yield product_id, [AuditRecord(*row) for row in group if row[2] is not None]
