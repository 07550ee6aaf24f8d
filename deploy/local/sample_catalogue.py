"""A catalogue of any size, written directly: products, their first changes, names and documents.

`make run SAMPLE_PRODUCTS=1000000` uses it, and so do the benchmarks. A million writes through the
API would take hours. These are complete except that nothing is audited or purged: the receipts say
"not configured" for both, and the reason of each change says why.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import batched
from pathlib import Path

from deploy.local.dynamodb_file import Row, open_file, row_of
from deploy.local.engines import EngineFailed, die_with_parent
from products.adapters.aws.clients import client
from products.adapters.aws.direct import direct_client
from products.adapters.dynamodb.attribute_values import encoded
from products.adapters.dynamodb.calls import IS_NEW
from products.adapters.dynamodb.items import (
    Item,
    change_item,
    claim_key,
    product_partition,
    record_item,
    record_key,
)
from products.adapters.dynamodb.records import DynamoRecords
from products.adapters.opensearch.documents import index_products
from products.adapters.opensearch.index import connect
from products.changes import Change, Effect, Origin, next_change
from products.documents import format_timestamp
from products.parallel import bounded_map
from products.product import CENT, BillingCycle, Product
from products.retries import Retries

CHUNK = 495  # products that are looked up and indexed together
CHUNKS_AHEAD = 8  # that the processes may be ahead of the table
ITEMS = 3  # of a product
PRODUCTS_PER_TRANSACTION = 33  # of three items each; DynamoDB's limit is 100 items
TIMEOUT_SECONDS = 120  # the engines are busy, and a load need not hurry
CREATED_FROM = datetime(2020, 1, 1, tzinfo=UTC)
ORIGIN = Origin(
    actor="sample",
    source="command",
    request_id="sample-catalogue",
    reason="Written directly as sample data, without audit record and purge.",
)
EFFECTS = frozenset({Effect.STORED, Effect.SEARCHABLE})
WORDS = (
    "managed",
    "shared",
    "mail",
    "shop",
    "agency",
    "studio",
    "reseller",
    "secure",
    "express",
    "family",
)
FEATURES = (
    "50 GB of SSD storage, mirrored",
    "Unmetered traffic within fair use",
    "Free SSL certificate, renewed for you",
    "Daily backups, kept for 30 days",
    "WordPress with automatic updates",
    "Staging site with one click",
    "Support by people, seven days a week",
    "Malware scan every night",
)


def read_sample_size() -> int:
    """Return the number in SAMPLE_PRODUCTS, 0 without it. Raise EngineFailed for other text."""
    text = os.environ.get("SAMPLE_PRODUCTS", "0")
    if not text.isdigit():
        raise EngineFailed(f"SAMPLE_PRODUCTS must be a number, not {text!r}.")
    return int(text)


def sample_id(number: int) -> str:
    return f"b{number:07}"


def sample_product(number: int) -> Product:
    """Return a product of realistic size with a unique name."""
    at = CREATED_FROM + timedelta(seconds=number)
    word = WORDS[number % len(WORDS)]
    return Product(
        product_id=sample_id(number),
        name=f"Hosting {word} {number}",
        description=(
            f"WordPress hosting number {number} for a {word} site: fast disks, backups,"
            " and people who answer. Moves of an existing site are free, and so is the first"
            " domain for a year when it is paid yearly."
        ),
        price=(Decimal(number % 99_000 + 100) / 100).quantize(CENT),
        renewal_price=Decimal("99.00"),
        billing_cycle=BillingCycle.YEARLY,
        features=FEATURES,
        version=1,
        created_at=at,
        updated_at=at,
        updated_by=ORIGIN.actor,
    )


def sample_change(product: Product) -> Change:
    """Return the change that created the product, with its two effects still open."""
    return next_change(
        None,
        product,
        ORIGIN,
        at=product.created_at,
        change_id=f"sample-{product.product_id}",
        effects=EFFECTS,
    )


def product_items(change: Change) -> list[Item]:
    """Return all items of a new product: its change with the effects done, claim and record."""
    item = change_item(change)
    del item["open"], item["openFlag"]
    item["done"] = {str(effect): format_timestamp(change.accepted_at) for effect in change.open}
    claim = {**claim_key(change.after.name), "productId": change.product_id}
    return [item, claim, record_item(change.after, change.accepted_at)]


@dataclass(frozen=True, slots=True)
class SampleCatalogue:
    """The table and the search index to write to.

    ``file`` is that of a stopped DynamoDB Local. Without it the items are written by the API.
    """

    table: str
    search_url: str
    alias: str
    file: Path | None = None

    def load(self, size: int, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Write the products up to this number that don't exist; return how many were written.

        It can be stopped and started again.
        """
        with ProcessPoolExecutor(os.cpu_count(), initializer=_end_with_parent) as pool:
            counts = self._written(pool, batched(range(size), CHUNK))
            written = sum(_until(is_stopping, counts))
        sys.stderr.write("\r" + " " * 40 + "\r")
        return written

    def _written(self, pool: Executor, chunks: Iterable[Sequence[int]]) -> Iterator[int]:
        """Yield for each chunk how many products were written."""
        if self.file is None:
            yield from bounded_map(pool, CHUNKS_AHEAD, self._write_by_api, chunks)
            return
        with open_file(self.file, self.table) as file:
            owners = file.sort_key_owners(record_key("")["SK"])
            missing = (
                [number for number in chunk if product_partition(sample_id(number)) not in owners]
                for chunk in chunks
            )
            for rows in bounded_map(pool, CHUNKS_AHEAD, self._rows, missing):
                file.insert(rows)
                yield len(rows) // ITEMS

    def _write_by_api(self, numbers: Sequence[int]) -> int:
        """Write what a chunk lacks. The documents are first, so an existing record has one."""
        dynamodb = direct_client("dynamodb", partial(client, read=TIMEOUT_SECONDS), attempts=4)
        table = DynamoRecords(dynamodb, self.table)
        existing = table.records([sample_id(number) for number in numbers])
        changes = self._index([number for number in numbers if sample_id(number) not in existing])
        for batch in batched(changes, PRODUCTS_PER_TRANSACTION):
            # One transaction is one write to DynamoDB Local's file; a batch would be 99.
            puts = [self._put(item) for change in batch for item in product_items(change)]
            table.client.transact_write_items(TransactItems=puts)
        return len(changes)

    def _rows(self, numbers: Sequence[int]) -> list[Row]:
        """Index products that have no record. Return the rows of their items."""
        return [row_of(item) for change in self._index(numbers) for item in product_items(change)]

    def _index(self, numbers: Sequence[int]) -> list[Change]:
        """Index products. Return the changes that create them."""
        changes = [sample_change(sample_product(number)) for number in numbers]
        search = connect(self.search_url, timeout_seconds=TIMEOUT_SECONDS)
        products = (change.after for change in changes)
        index_products(search, self.alias, products, Retries(time.sleep), refresh=False)
        return changes

    def _put(self, item: Item) -> Item:
        """Return a Put that overwrites nothing."""
        put = {"TableName": self.table, "Item": encoded(item), "ConditionExpression": IS_NEW}
        return {"Put": put}


def _until(is_stopping: Callable[[], bool], counts: Iterable[int]) -> Iterator[int]:
    """Yield the counts of the chunks, and show the progress."""
    for number, count in enumerate(counts, 1):
        yield count
        sys.stderr.write(f"\r  {number * CHUNK:,} sample products")
        if is_stopping():
            return


def _end_with_parent() -> None:
    """Let only the parent process handle Ctrl-C, and end when it has ended."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with_parent()
