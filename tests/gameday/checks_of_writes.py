"""Checks that compare the clients' results with the change log."""

from collections import defaultdict
from itertools import pairwise
from typing import Any

from tests.gameday.case import FIELDS, Case, Verdict, comparable, label, product_of
from tests.gameday.evidence import Item
from tests.gameday.ledger import ClientResult, Outcome, Write


def versions_are_gap_free(case: Case) -> Verdict:
    """Check that each product has versions 1, 2, 3 ..., each based on the one before it."""
    wrong, count = [], 0
    ids: set[str] = set()
    for product_id, changes in case.evidence.changes.items():
        for place, change in enumerate(changes, 1):
            count += 1
            number = int(change["after"]["version"])
            if (
                number != place
                or change["SK"] != f"CHANGE#{place:012d}"
                or change["after"]["productId"] != product_id
            ):
                wrong.append(
                    f"{product_id}: version {place} is missing;"
                    f" {change['SK']} holds version {number}"
                )
            if change["changeId"] in ids:
                wrong.append(f"{label(change)}: change id {change['changeId']} occurs twice")
            ids.add(change["changeId"])
        wrong += [
            f"{label(later)}: {why}"
            for one, later in pairwise(changes)
            if (why := _sequence_error(one, later))
        ]
    return Verdict("Each version once, gap-free, in order", count, wrong)


def _sequence_error(one: Item, later: Item) -> str:
    if later["acceptedAt"] <= one["acceptedAt"]:
        return "accepted no later than the version before it"
    if later["before"] != one["after"]:
        return "does not start from the version before it"
    return (
        ""
        if later["previousHash"] == one["recordHash"]
        else "is not chained to the version before it"
    )


def acceptances_are_kept(case: Case) -> Verdict:
    """Check that the log holds each accepted version, made by that request with those edits."""
    wrong, count = [], 0
    for write in case.writes:
        for result in write.results:
            if result.outcome is Outcome.ACCEPTED:
                count += 1
                wrong += [
                    f"{_author_label(write)} was answered {_result_label(result)}: {why}"
                    for why in _acceptance_errors(case, write, result)
                ]
    return Verdict("Accepted writes are in the log as they were answered", count, wrong)


def _acceptance_errors(case: Case, write: Write, result: ClientResult) -> list[str]:
    if result.version is None:
        made = case.changes_of(write)
        return [] if len(made) == 1 else [f"the log holds {len(made)} changes of it"]
    change = case.evidence.change(write.product_id, result.version)
    if change is None:
        return ["the log has no such version"]
    if case.author(change) is not write:
        return [f"that version was made by request {change['requestId']}"]
    return _content_errors(case, write, change)


def _content_errors(case: Case, write: Write, change: Item) -> list[str]:
    after = product_of(change["after"], FIELDS)
    return [
        f"{name} is {after[name]!r} in v{change['after']['version']}, not {value!r}"
        for name, value in case.intended(write).items()
        if after[name] != value and not _had_value_already(case, write, change, name)
    ]


def _had_value_already(case: Case, write: Write, change: Item, name: str) -> bool:
    """Return whether the field already had the value when a write without a base version was sent.

    Such a write does not touch the field, so another client's later edit of it is kept.
    """
    if write.base or not change["before"]:
        return False
    value, kept = case.intended(write)[name], product_of(change["before"], FIELDS)[name]
    bases = case.possible_bases(write, change)
    untouched = product_of(change["after"], FIELDS)[name] == kept
    return untouched and any(product_of(base["after"], FIELDS)[name] == value for base in bases)


def refusals_left_no_trace(case: Case) -> Verdict:
    """Check that refused and unchanged writes made no change, and that refusals had a reason."""
    wrong, count = [], 0
    for write in case.writes:
        for result in write.results:
            if result.outcome in (Outcome.REFUSED, Outcome.UNCHANGED):
                count += 1
                wrong += [
                    f"{_author_label(write)} was answered {_result_label(result)},"
                    f" but made {label(change)}"
                    for change in case.changes_of(write, result.request_id)
                ]
                wrong += [
                    f"{_author_label(write)} was answered {_result_label(result)}: {why}"
                    for why in _refusal_errors(case, write, result)
                ]
    return Verdict("Refused writes left no trace, and each refusal was justified", count, wrong)


def _refusal_errors(case: Case, write: Write, result: ClientResult) -> list[str]:
    current = case.evidence.change(write.product_id, result.conflicts.get("version"))
    if result.status == 412 and (
        current is None or result.conflicts["version"] == write.expected_version
    ):
        return [f"it required v{write.expected_version}"]
    fields: dict[str, Any] = result.conflicts.get("fields") or {}
    if not fields:
        return []
    if current is None:
        return ["the conflicting version does not exist"]
    after = product_of(current["after"], FIELDS)
    return [
        f"{name} was not {clash['theirs']!r} in v{result.conflicts['version']}"
        for name, clash in fields.items()
        if name in after and after[name] != comparable(name, clash["theirs"])
    ]


def unknown_writes_are_whole(case: Case) -> Verdict:
    """Check that a write with an unknown outcome was made once and correctly, or not at all.

    Every change in the log must also have a known author.
    """
    wrong, count = [], 0
    for write in case.writes:
        if write.final is None:
            count += 1
            for change in case.changes_of(write):
                wrong += [
                    f"{_author_label(write)}, unknown: {why}"
                    for why in _content_errors(case, write, change)
                ]
    strangers = [
        label(change) for change in case.evidence.every_change() if case.author(change) is None
    ]
    wrong += [f"{name} was requested by no client" for name in strangers]
    return Verdict("Writes with an unknown outcome are correct or absent", count, wrong)


def keys_take_effect_once(case: Case) -> Verdict:
    """Check that a repeated request took effect at most once."""
    wrong, repeated = [], 0
    for write in case.writes:
        made = case.changes_of(write)
        repeated += len(write.results) > 1
        if len(made) > 1:
            wrong.append(f"{_author_label(write)} took effect as {', '.join(map(label, made))}")
    return Verdict("Repeated requests with the same key took effect once", repeated, wrong)


def nothing_is_overwritten(case: Case) -> Verdict:
    """Check that each version contains its author's edits and no others.

    A write must not replace an edit that was made after its base version.
    """
    wrong, count = [], 0
    for change in case.evidence.every_change():
        write = case.author(change)
        if write is not None:
            count += 1
            wrong += [
                f"{label(change)} by {_author_label(write)}: {why}"
                for why in _overwrite_errors(case, write, change)
            ]
    return Verdict("No lost update: disjoint edits merge, conflicts are refused", count, wrong)


def _overwrite_errors(case: Case, write: Write, change: Item) -> list[str]:
    intended, after = case.intended(write), product_of(change["after"], FIELDS)
    if not change["before"]:
        return []
    before = product_of(change["before"], FIELDS)
    wrong = [
        f"{name} changed without a request"
        for name in FIELDS
        if name not in intended and before[name] != after[name]
    ]
    base = case.evidence.change(write.product_id, write.undoes or write.base)
    if base:
        seen = product_of(base["after"], FIELDS)
        wrong += [
            f"{name} was {seen[name]!r} in the author's base version and {before[name]!r} later,"
            " and was overwritten"
            for name, value in intended.items()
            if before[name] not in (seen[name], value)
        ]
    if (
        write.expected_version is not None
        and int(change["before"]["version"]) != write.expected_version
    ):
        wrong.append(f"it required v{write.expected_version}")
    return wrong


def batches_are_all_or_none(case: Case) -> Verdict:
    """Check that each all-or-none batch was made completely or not at all."""
    batches: dict[str, list[Write]] = defaultdict(list)
    for write in case.writes:
        if write.batch_id:
            batches[write.batch_id].append(write)
    wrong = []
    for name, writes in batches.items():
        # The product may already have the name. Other values are new, so the write makes a change.
        certain = [write for write in writes if write.edits.keys() - {"name"}]
        made = [write for write in certain if case.changes_of(write)]
        if made and len(made) < len(certain):
            wrong.append(f"batch {name}: {len(made)} of {len(certain)} items were made")
    return Verdict("All-or-none batches were made completely or not at all", len(batches), wrong)


def readers_see_their_own_writes(case: Case) -> Verdict:
    """Check that staff read at least the accepted version, with the content of the log.

    This holds for the product, its receipt and the list.
    """
    wrong = []
    for read in case.reads:
        place = f"{read.client} in the {read.where} of {read.product_id}"
        change = case.evidence.change(read.product_id, read.version)
        if read.version < read.min_version:
            wrong.append(f"{place} read v{read.version} after v{read.min_version} was accepted")
        elif change is None:
            wrong.append(f"{place} read v{read.version}, which is not in the log")
        elif product_of(read.shown, read.shown) != product_of(change["after"], read.shown):
            wrong.append(f"{place} read v{read.version}, which differs from the log's")
    return Verdict("Clients read their own writes, in lists too", len(case.reads), wrong)


def _author_label(write: Write) -> str:
    return f"{write.write_id} ({write.kind} {write.product_id})"


def _result_label(result: ClientResult) -> str:
    version = f" v{result.version}" if result.version else ""
    return f"{result.outcome}{version} ({result.status})"
