"""The log against its effects: record, index, audit trail, invalidations, claims, and the receipt telling of them."""

import hashlib
import json
from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from products.invalidation import SETTLE_TIME
from tests.gameday.case import Case, Verdict, called, product_of
from tests.gameday.evidence import Item

EFFECTS = {"stored", "purged", "searchable", "audited"}


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def all_came_about(case: Case) -> Verdict:
    """Once it was calm, without anybody's help - but for what an engine had refused for good."""
    count = sum(1 for _ in case.evidence.every_change())
    return Verdict("All comes about by itself once it is calm", count, case.left_open)


def receipts_are_complete(case: Case) -> Verdict:
    wrong, count = [], 0
    for change in case.evidence.every_change():
        count += 1
        done = change["done"]
        if missing := EFFECTS - done.keys():
            wrong.append(f"{called(change)}: not {', '.join(sorted(missing))}")
        if change.get("open") or "openFlag" in change or change.get("failures"):
            wrong.append(f"{called(change)}: complete, and yet among the open ones")
        wrong += [
            f"{called(change)}: {name} before it was accepted"
            for name, at in done.items()
            if at < change["acceptedAt"]
        ]
    return Verdict("One receipt: each effect of each change is stamped", count, wrong)


def records_are_the_last_version(case: Case) -> Verdict:
    return _same_everywhere(case, "The record is the last accepted version", case.evidence.records)


def documents_are_the_last_version(case: Case) -> Verdict:
    return _same_everywhere(case, "Search holds the last accepted version", case.evidence.documents)


def _same_everywhere(case: Case, promise: str, kept: dict[str, Item]) -> Verdict:
    wrong = [
        f"{product_id} is there, and the log has none"
        for product_id in kept.keys() - case.evidence.changes.keys()
    ]
    for product_id, changes in case.evidence.changes.items():
        last = product_of(changes[-1]["after"])
        standing = product_of(kept[product_id]) if product_id in kept else None
        if standing is None:
            wrong.append(f"{product_id} is missing")
        elif standing != last:
            differing = [name for name in last if last[name] != standing[name]]
            wrong.append(
                f"{product_id}: {', '.join(f'{n} is {standing[n]}, not {last[n]}' for n in differing)}"
            )
    return Verdict(promise, len(case.evidence.changes), wrong)


def audit_key(change: Item) -> str:
    at = moment(change["acceptedAt"])
    return f"{at:%Y/%m/%d}/{change['after']['productId']}_{at:%Y%m%dT%H%M%S.%fZ}.json"


def audit_is_one_record_each(case: Case) -> Verdict:
    """Its bytes have the hash the log knows, and say what the log says; there is no other object."""
    wrong, keys = [], set()
    for change in case.evidence.every_change():
        key = audit_key(change)
        keys.add(key)
        body = case.evidence.audit.get(key)
        if body is None:
            wrong.append(f"{called(change)}: no audit record {key}")
        elif hashlib.sha256(body).hexdigest() != change["recordHash"]:
            wrong.append(f"{called(change)}: its audit record is not what was accepted")
        elif why := _says_otherwise(json.loads(body), change):
            wrong.append(f"{called(change)}: the audit record has another {why}")
    wrong += [
        f"audit record {key} belongs to no change"
        for key in sorted(case.evidence.audit.keys() - keys)
    ]
    return Verdict("No effect doubled: one audit record per change", len(keys), wrong)


def _says_otherwise(record: dict[str, Any], change: Item) -> str:
    known = {
        "user": change["actor"],
        "requestId": change["requestId"],
        "changeId": change["changeId"],
    }
    for name, value in {
        **known,
        "changeType": change["changeType"],
        "timestamp": change["acceptedAt"],
    }.items():
        if record[name] != value:
            return name
    same = product_of(record["after"]) == product_of(change["after"])
    return "" if same and int(record["version"]) == int(change["after"]["version"]) else "after"


def audit_chain_verifies(case: Case) -> Verdict:
    """From the objects alone, as an auditor without our table would: each holds the hash of the one before it."""
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
            wrong.append(f"{product_id}: the chain does not begin with version 1")
        for (number, _, body), (later, previous, _) in pairwise(records):
            if later != number + 1 or previous != hashlib.sha256(body).hexdigest():
                wrong.append(f"{product_id}: the chain breaks between v{number} and v{later}")
    return Verdict("The audit chain verifies from S3 alone", len(case.evidence.audit), wrong)


def invalidations_cover_every_change(case: Case) -> Verdict:
    """One began SETTLE after the change was stored, and before it was called purged; none was made twice."""
    begun = [reference.split("-") for reference in case.evidence.invalidations]
    starts = sorted(
        datetime.strptime(at, "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC) for _, _, at in begun
    )
    wrong = [
        f"invalidation {number} was made {n} times"
        for number, n in Counter(p[1] for p in begun).items()
        if n > 1
    ]
    count = 0
    for change in case.evidence.every_change():
        count += 1
        done = change["done"]
        if "stored" not in done or "purged" not in done:
            continue  # the receipts say so
        place = bisect_left(starts, moment(done["stored"]) + SETTLE_TIME)
        if place == len(starts) or starts[place] > moment(done["purged"]) + timedelta(
            milliseconds=1
        ):
            wrong.append(f"{called(change)}: no invalidation began between stored and purged")
    return Verdict("An invalidation covers every change, none twice", count, wrong)


def names_are_unique(case: Case) -> Verdict:
    """Whoever is at it, a name is held by one product, and by the one whose last version has it."""
    held: dict[str, str] = {}
    wrong = []
    for product_id, changes in case.evidence.changes.items():
        name = "".join(changes[-1]["after"]["name"].casefold().split())
        if name in held:
            wrong.append(f"{product_id} and {held[name]} are both called {name!r}")
        held[name] = product_id
    wrong += [
        f"the name {name!r} is claimed by {case.evidence.claims.get(name)}, and held by {held.get(name)}"
        for name in held.keys() | case.evidence.claims.keys()
        if case.evidence.claims.get(name) != held.get(name)
    ]
    return Verdict("Names are unique, and claimed by who holds them", len(held), wrong)


def jobs_have_ended(case: Case) -> Verdict:
    """A bulk edit that was started is done, with an answer for each row."""
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
    return Verdict("Each row of a bulk edit has an end", count, wrong)


def nobody_met_an_error(case: Case) -> Verdict:
    return Verdict(
        "No answer was a 500, no legal request called wrong",
        len(case.writes) + len(case.reads),
        case.errors,
    )
