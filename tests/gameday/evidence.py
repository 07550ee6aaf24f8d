"""The evidence: everything that the backing services hold after the game.

It is read without the proxies and without the product's own adapters.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from opensearchpy import OpenSearch

from tests.gameday.ledger import Bulk, ClientResult, Outcome, Write

READERS = 8
Item = dict[str, Any]


@dataclass
class Evidence:
    """The contents of all stores.

    ``changes`` (oldest first), ``records`` and ``documents`` are keyed by product id.
    ``audit`` holds the bytes of each object by key. ``invalidations`` are CloudFront's caller
    references.
    """

    changes: dict[str, list[Item]] = field(default_factory=dict)
    records: dict[str, Item] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, Item] = field(default_factory=dict)
    rows: dict[str, list[Item]] = field(default_factory=dict)
    plans: dict[str, Item] = field(default_factory=dict)
    documents: dict[str, Item] = field(default_factory=dict)
    audit: dict[str, bytes] = field(default_factory=dict)
    invalidations: list[str] = field(default_factory=list)

    def every_change(self) -> Iterator[Item]:
        for changes in self.changes.values():
            yield from changes

    def change(self, product_id: str, version: int | None) -> Item | None:
        changes = self.changes.get(product_id, [])
        return changes[version - 1] if version and 0 < version <= len(changes) else None


def evidence_of(items: list[Item]) -> Evidence:
    """Sort the items of the table by their kind."""
    found = Evidence()
    for item in sorted(items, key=lambda item: (item["PK"], item["SK"])):
        kind, _, name = item["PK"].partition("#")
        if item["SK"].startswith("CHANGE#"):
            found.changes.setdefault(name, []).append(item)
        elif item["SK"] == "METADATA":
            found.records[name] = item
        elif item["SK"] == "CLAIM":
            found.claims[name] = item["productId"]
        elif kind == "JOBS":
            found.jobs[item["SK"]] = item
        elif item["PK"] == "PLANS":
            found.plans[item["SK"]] = item
        elif kind == "JOB":
            found.rows.setdefault(name, []).extend(item["rows"])
    return found


def scan_table(dynamodb: Any, table: str) -> list[Item]:
    """Return all items of the table, so that unexpected items are found as well."""
    plain = TypeDeserializer().deserialize
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [
        {name: plain(value) for name, value in item.items()}
        for page in pages
        for item in page["Items"]
    ]


def collect_evidence(
    *, dynamodb_url: str, aws_url: str, search_url: str, table: str, bucket: str, distribution: str
) -> Evidence:
    """Read all stores. Nothing may be under way any more."""
    found = evidence_of(scan_table(boto3.client("dynamodb", endpoint_url=dynamodb_url), table))
    found.documents = _documents(OpenSearch(search_url), table)
    found.audit = _objects(boto3.client("s3", endpoint_url=aws_url), bucket)
    found.invalidations = _references(
        boto3.client("cloudfront", endpoint_url=aws_url), distribution
    )
    return found


def _documents(opensearch: OpenSearch, alias: str) -> dict[str, Item]:
    opensearch.indices.refresh(index=alias)
    response = opensearch.search(index=alias, body={"query": {"match_all": {}}, "size": 5000})
    return {hit["_id"]: hit["_source"] for hit in response["hits"]["hits"]}


def _objects(s3: Any, bucket: str) -> dict[str, bytes]:
    """Return the audit objects of changes, without those of operators' actions."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    wanted = [key for key in keys if not key.startswith("operations/")]
    with ThreadPoolExecutor(READERS) as threads:
        bodies = threads.map(
            lambda key: bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read()), wanted
        )
        return dict(zip(wanted, bodies, strict=True))


def _references(cloudfront: Any, distribution: str) -> list[str]:
    pages = cloudfront.get_paginator("list_invalidations").paginate(DistributionId=distribution)
    made = [entry["Id"] for page in pages for entry in page["InvalidationList"].get("Items", [])]
    asked = (cloudfront.get_invalidation(DistributionId=distribution, Id=number) for number in made)
    return [
        str(response["Invalidation"]["InvalidationBatch"]["CallerReference"]) for response in asked
    ]


def writes_of(bulk: Bulk, evidence: Evidence) -> list[Write]:
    """Return the rows of a bulk edit as writes, with the outcome that the job recorded."""
    outcomes = {"accepted": Outcome.ACCEPTED, "unchanged": Outcome.UNCHANGED}
    outcomes |= {"refused": Outcome.REFUSED, "skipped": Outcome.REFUSED}
    writes = []
    for row in evidence.rows.get(bulk.job_id, []):
        version = int(row["version"]) if row.get("version") else None
        outcome = outcomes.get(row["state"], Outcome.UNKNOWN)
        writes.append(
            Write(
                write_id=bulk.job_id,
                client=bulk.client,
                kind="bulk",
                product_id=row["productId"],
                edits={"price": bulk.price},
                base=int(row["base"]) if row.get("base") else None,
                has_key=True,
                results=[ClientResult(request_id=bulk.job_id, outcome=outcome, version=version)],
            )
        )
    return writes
