"""What clients were told, against the log: each acceptance kept, each refusal without a trace, nothing overwritten."""

from collections import defaultdict
from itertools import pairwise
from typing import Any

from tests.gameday.case import FIELDS, Case, Verdict, called, comparable, product_of
from tests.gameday.evidence import Item
from tests.gameday.ledger import Outcome, Told, Write


def versions_are_gap_free(case: Case) -> Verdict:
    """1, 2, 3 ... per product, each after the last, each beginning where the last one ended."""
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
                    f"{product_id}: version {place} is missing; {change['SK']} holds version {number}"
                )
            if change["changeId"] in ids:
                wrong.append(f"{called(change)}: change id {change['changeId']} is there twice")
            ids.add(change["changeId"])
        wrong += [
            f"{called(later)}: {why}"
            for one, later in pairwise(changes)
            if (why := _not_after(one, later))
        ]
    return Verdict("Each version once, gap-free, in order", count, wrong)


def _not_after(one: Item, later: Item) -> str:
    if later["acceptedAt"] <= one["acceptedAt"]:
        return "accepted no later than the version before it"
    if later["before"] != one["after"]:
        return "does not begin where the version before it ended"
    return (
        ""
        if later["previousHash"] == one["recordHash"]
        else "is not chained to the version before it"
    )


def acceptances_are_kept(case: Case) -> Verdict:
    """What was told accepted is in the log under that version, made by that request, with that content."""
    wrong, count = [], 0
    for write in case.writes:
        for told in write.told:
            if told.outcome is Outcome.ACCEPTED:
                count += 1
                wrong += [
                    f"{_who(write)} was told {_what(told)}: {why}"
                    for why in _not_kept(case, write, told)
                ]
    return Verdict("Nothing accepted is lost: told versions are in the log", count, wrong)


def _not_kept(case: Case, write: Write, told: Told) -> list[str]:
    if told.version is None:
        made = case.traces_of(write)
        return [] if len(made) == 1 else [f"the log holds {len(made)} changes of it"]
    change = case.evidence.change(write.product_id, told.version)
    if change is None:
        return ["the log has no such version"]
    if case.author(change) is not write:
        return [f"that version was made by request {change['requestId']}"]
    return _other_content(case, write, change)


def _other_content(case: Case, write: Write, change: Item) -> list[str]:
    after = product_of(change["after"], FIELDS)
    return [
        f"{name} is {after[name]!r} in v{change['after']['version']}, not {value!r}"
        for name, value in case.meant(write).items()
        if after[name] != value and not _was_so_already(case, write, change, name)
    ]


def _was_so_already(case: Case, write: Write, change: Item, name: str) -> bool:
    """Whether the field had its value when a write without a base began: then the write did not touch it, and what
    somebody else made of it meanwhile is kept."""
    if write.base or not change["before"]:
        return False
    value, kept = case.meant(write)[name], product_of(change["before"], FIELDS)[name]
    since = case.standing_since(write, change)
    untouched = product_of(change["after"], FIELDS)[name] == kept
    return untouched and any(
        product_of(standing["after"], FIELDS)[name] == value for standing in since
    )


def refusals_left_no_trace(case: Case) -> Verdict:
    """Also what was said to change nothing; and a refusal told the truth about what stood in the way."""
    wrong, count = [], 0
    for write in case.writes:
        for told in write.told:
            if told.outcome in (Outcome.REFUSED, Outcome.UNCHANGED):
                count += 1
                wrong += [
                    f"{_who(write)} was told {_what(told)}, and yet made {called(change)}"
                    for change in case.traces_of(write, told.request_id)
                ]
                wrong += [
                    f"{_who(write)} was told {_what(told)}: {why}"
                    for why in _untrue(case, write, told)
                ]
    return Verdict("A refused write left no trace, for a true reason", count, wrong)


def _untrue(case: Case, write: Write, told: Told) -> list[str]:
    standing = case.evidence.change(write.product_id, told.conflicts.get("version"))
    if told.status == 412 and (
        standing is None or told.conflicts["version"] == write.expected_version
    ):
        return [f"it insisted on v{write.expected_version}"]
    fields: dict[str, Any] = told.conflicts.get("fields") or {}
    if not fields:
        return []
    if standing is None:
        return ["there is no such version to clash with"]
    after = product_of(standing["after"], FIELDS)
    return [
        f"{name} was not {clash['theirs']!r} in v{told.conflicts['version']}"
        for name, clash in fields.items()
        if name in after and after[name] != comparable(name, clash["theirs"])
    ]


def unknown_writes_are_whole(case: Case) -> Verdict:
    """What nobody could tell its client is there once and right, or not at all; and no change is nobody's."""
    wrong, count = [], 0
    for write in case.writes:
        if write.final is None:
            count += 1
            for change in case.traces_of(write):
                wrong += [
                    f"{_who(write)}, unknown: {why}" for why in _other_content(case, write, change)
                ]
    strangers = [
        called(change) for change in case.evidence.every_change() if case.author(change) is None
    ]
    wrong += [f"{name} was asked for by nobody" for name in strangers]
    return Verdict("An unknown write is there once and right, or not at all", count, wrong)


def keys_take_effect_once(case: Case) -> Verdict:
    """However often a request was sent, and whatever became of its answers."""
    wrong, repeated = [], 0
    for write in case.writes:
        made = case.traces_of(write)
        repeated += len(write.told) > 1
        if len(made) > 1:
            wrong.append(f"{_who(write)} took effect as {', '.join(map(called, made))}")
    return Verdict("A repeated request (same key) takes effect once", repeated, wrong)


def nothing_is_overwritten(case: Case) -> Verdict:
    """Each version is the one before it with its own author's edits and no other; nobody's edit since the version its
    author had seen is replaced."""
    wrong, count = [], 0
    for change in case.evidence.every_change():
        write = case.author(change)
        if write is not None:
            count += 1
            wrong += [
                f"{called(change)} by {_who(write)}: {why}"
                for why in _overwritten(case, write, change)
            ]
    return Verdict("No lost update: disjoint edits merge, clashes are refused", count, wrong)


def _overwritten(case: Case, write: Write, change: Item) -> list[str]:
    meant, after = case.meant(write), product_of(change["after"], FIELDS)
    if not change["before"]:
        return []
    before = product_of(change["before"], FIELDS)
    wrong = [
        f"{name} changed, which nobody asked for"
        for name in FIELDS
        if name not in meant and _differ(name, before, after)
    ]
    base = case.evidence.change(write.product_id, write.takes_back or write.base)
    if base:
        seen = product_of(base["after"], FIELDS)
        wrong += [
            f"{name} was {before[name]!r} by then and {seen[name]!r} when its author started, and was overwritten"
            for name, value in meant.items()
            if before[name] not in (seen[name], value)
        ]
    if (
        write.expected_version is not None
        and int(change["before"]["version"]) != write.expected_version
    ):
        wrong.append(f"it insisted on v{write.expected_version}")
    return wrong


def _differ(name: str, before: dict[str, Any], after: dict[str, Any]) -> bool:
    return bool(before[name] != after[name])


def batches_are_all_or_none(case: Case) -> Verdict:
    batches: dict[str, list[Write]] = defaultdict(list)
    for write in case.writes:
        if write.together:
            batches[write.together].append(write)
    wrong = []
    for name, writes in batches.items():
        # A name may be the product's already; every other value is new, so its write must leave a trace.
        sure = [write for write in writes if write.edits.keys() - {"name"}]
        made = [write for write in sure if case.traces_of(write)]
        if made and len(made) < len(sure):
            wrong.append(f"batch {name}: {len(made)} of {len(sure)} items were made")
    return Verdict("A batch of all or none is one of both", len(batches), wrong)


def readers_see_what_was_told(case: Case) -> Verdict:
    """Staff read at least the version they were told, in the product, its receipt and the list; and what they read is
    what the log says that version is."""
    wrong = []
    for read in case.reads:
        place = f"{read.client} in the {read.where} of {read.product_id}"
        change = case.evidence.change(read.product_id, read.version)
        if read.version < read.at_least:
            wrong.append(f"{place} read v{read.version} after being told v{read.at_least}")
        elif change is None:
            wrong.append(f"{place} read v{read.version}, which is not in the log")
        elif product_of(read.shown, read.shown) != product_of(change["after"], read.shown):
            wrong.append(f"{place} read another v{read.version} than the log has")
    return Verdict("You read your own writes, in lists too", len(case.reads), wrong)


def _who(write: Write) -> str:
    return f"{write.write_id} ({write.kind} {write.product_id})"


def _what(told: Told) -> str:
    version = f" v{told.version}" if told.version else ""
    return f"{told.outcome}{version} ({told.status})"
