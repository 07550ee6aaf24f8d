"""Checks that compare the change log with all effects of its changes."""

import hashlib
import json
from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from products.invalidation import SETTLE_TIME
from tests.gameday.case import Case, Verdict, label, product_of
from tests.gameday.evidence import Item

EFFECTS = {"stored", "purged", "searchable", "audited"}


def parse_timestamp(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def all_effects_completed(case: Case) -> Verdict:
    """Check that all effects completed automatically, except permanent failures."""
    count = sum(1 for _ in case.evidence.every_change())
    return Verdict("All effects complete automatically after the faults", count, case.left_open)


def receipts_are_complete(case: Case) -> Verdict:
    """Check that each receipt has all stamps, and that its change is closed."""
    wrong, count = [], 0
    for change in case.evidence.every_change():
        count += 1
        done = change["done"]
        if missing := EFFECTS - done.keys():
            wrong.append(f"{label(change)}: not {', '.join(sorted(missing))}")
        if change.get("open") or "openFlag" in change or change.get("failures"):
            wrong.append(f"{label(change)}: complete, but listed as open")
        wrong += [
            f"{label(change)}: {name} before it was accepted"
            for name, at in done.items()
            if at < change["acceptedAt"] and not case.has_wrong_clocks
        ]
    return Verdict("Each effect of each change is stamped on its receipt", count, wrong)


def records_are_the_last_version(case: Case) -> Verdict:
    return _same_everywhere(case, "The record is the last accepted version", case.evidence.records)


def documents_are_the_last_version(case: Case) -> Verdict:
    return _same_everywhere(case, "Search holds the last accepted version", case.evidence.documents)


def _same_everywhere(case: Case, promise: str, kept: dict[str, Item]) -> Verdict:
    wrong = [
        f"{product_id} exists, but the log has no change of it"
        for product_id in kept.keys() - case.evidence.changes.keys()
    ]
    for product_id, changes in case.evidence.changes.items():
        last = product_of(changes[-1]["after"])
        stored = product_of(kept[product_id]) if product_id in kept else None
        if stored is None:
            wrong.append(f"{product_id} is missing")
        elif stored != last:
            differences = [
                f"{name} is {stored[name]}, not {last[name]}"
                for name in last
                if last[name] != stored[name]
            ]
            wrong.append(f"{product_id}: {', '.join(differences)}")
    return Verdict(promise, len(case.evidence.changes), wrong)


def audit_key(change: Item) -> str:
    at = parse_timestamp(change["acceptedAt"])
    return f"{at:%Y/%m/%d}/{change['after']['productId']}_{at:%Y%m%dT%H%M%S.%fZ}.json"


def audit_is_one_record_each(case: Case) -> Verdict:
    """Check that each change has one audit record with the hash and the content of the log.

    There must be no other audit object.
    """
    wrong, keys = [], set()
    for change in case.evidence.every_change():
        key = audit_key(change)
        keys.add(key)
        body = case.evidence.audit.get(key)
        if body is None:
            wrong.append(f"{label(change)}: no audit record {key}")
        elif hashlib.sha256(body).hexdigest() != change["recordHash"]:
            wrong.append(f"{label(change)}: its audit record is not what was accepted")
        elif why := _record_difference(json.loads(body), change):
            wrong.append(f"{label(change)}: the audit record has another {why}")
    wrong += [
        f"audit record {key} belongs to no change"
        for key in sorted(case.evidence.audit.keys() - keys)
    ]
    return Verdict("Each change has exactly one audit record", len(keys), wrong)


def _record_difference(record: dict[str, Any], change: Item) -> str:
    """Return the first field in which an audit record differs from its change, or ""."""
    expected = {
        "user": change["actor"],
        "requestId": change["requestId"],
        "changeId": change["changeId"],
        "changeType": change["changeType"],
        "timestamp": change["acceptedAt"],
    }
    for name, value in expected.items():
        if record[name] != value:
            return name
    same = product_of(record["after"]) == product_of(change["after"])
    return "" if same and int(record["version"]) == int(change["after"]["version"]) else "after"


def audit_chain_verifies(case: Case) -> Verdict:
    """Check from the audit objects alone that each holds the hash of the one before it."""
    chains: dict[str, list[tuple[int, str, bytes]]] = {}
    for body in case.evidence.audit.values():
        record = json.loads(body)
        chains.setdefault(record["productId"], []).append(
            (int(record["version"]), record["previousHash"], body)
        )
    wrong = []
    for product_id, records in chains.items():
        records.sort(key=lambda record: record[0])
        if records[0][0] != 1 or records[0][1] is not None:
            wrong.append(f"{product_id}: the chain does not start with version 1")
        for (number, _, body), (later, previous, _) in pairwise(records):
            if later != number + 1 or previous != hashlib.sha256(body).hexdigest():
                wrong.append(f"{product_id}: the chain breaks between v{number} and v{later}")
    return Verdict("The audit chain verifies from S3 alone", len(case.evidence.audit), wrong)


def invalidations_cover_every_change(case: Case) -> Verdict:
    """Check that an invalidation covers each change, and that none was made twice.

    It must start at least ``SETTLE_TIME`` after "stored" and no later than "purged". Where clocks
    were wrong, it must have a later number than the last one before "stored".
    """
    begun = [reference.split("-") for reference in case.evidence.invalidations]
    starts = sorted(
        datetime.strptime(at, "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC) for _, _, at in begun
    )
    wrong = [
        f"invalidation {number} was made {n} times"
        for number, n in Counter(p[1] for p in begun).items()
        if n > 1
    ]
    latest = max((int(number) for _, number, _ in begun), default=0)
    count = 0
    for change in case.evidence.every_change():
        count += 1
        done = change["done"]
        if "stored" not in done or "purged" not in done:
            continue  # `receipts_are_complete` reports it
        if case.has_wrong_clocks:
            if latest <= int(change.get("lastInvalidation") or 0):
                wrong.append(f"{label(change)}: no invalidation after it was stored")
            continue
        place = bisect_left(starts, parse_timestamp(done["stored"]) + SETTLE_TIME)
        if place == len(starts) or starts[place] > parse_timestamp(done["purged"]) + timedelta(
            milliseconds=1
        ):
            wrong.append(f"{label(change)}: no invalidation started between stored and purged")
    return Verdict("An invalidation covers each change, none was made twice", count, wrong)


def names_are_unique(case: Case) -> Verdict:
    """Check that each name belongs to one product, and that its claim names this product."""
    held: dict[str, str] = {}
    wrong = []
    for product_id, changes in case.evidence.changes.items():
        name = "".join(changes[-1]["after"]["name"].casefold().split())
        if name in held:
            wrong.append(f"{product_id} and {held[name]} are both called {name!r}")
        held[name] = product_id
    wrong += [
        f"the name {name!r} is claimed by {case.evidence.claims.get(name)},"
        f" but held by {held.get(name)}"
        for name in held.keys() | case.evidence.claims.keys()
        if case.evidence.claims.get(name) != held.get(name)
    ]
    return Verdict("Names are unique, and claimed by their products", len(held), wrong)


def jobs_have_ended(case: Case) -> Verdict:
    """Check that each started bulk edit is done, with a result for each row."""
    wrong, count = [], 0
    for job_id, job in case.evidence.jobs.items():
        rows = case.evidence.rows.get(job_id, [])
        count += len(rows)
        if job["state"] == "running":
            wrong.append(f"job {job_id} still runs")
        elif job["state"] == "done":
            wrong += [
                f"job {job_id}: row {row['number']} waits"
                for row in rows
                if row["state"] == "waiting"
            ]
    return Verdict("Each row of a bulk edit has a result", count, wrong)


def clients_got_no_errors(case: Case) -> Verdict:
    """Check that no answer was an error, and that no valid request was refused as invalid."""
    return Verdict(
        "No answer was a 500, no valid request was rejected",
        len(case.writes) + len(case.reads),
        case.errors,
    )
