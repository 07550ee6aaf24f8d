"""Each check of a game day can fail: one thing is falsified in a game that went well, and the right check says so."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.gameday.case import Case, Verdict
from tests.gameday.checks import CHECKS, judged
from tests.gameday.ledger import Outcome
from tests.gameday.report import table
from tests.gameday.sample_game import sound

LOST = "Nothing accepted is lost: told versions are in the log"
GAP = "Each version once, gap-free, in order"
TRACE = "A refused write left no trace, for a true reason"
UNKNOWN = "An unknown write is there once and right, or not at all"
ONCE = "A repeated request (same key) takes effect once"
UPDATE = "No lost update: disjoint edits merge, clashes are refused"
TOGETHER = "A batch of all or none is one of both"
READ = "You read your own writes, in lists too"
OPEN = "All comes about by itself once it is calm"
RECEIPT = "One receipt: each effect of each change is stamped"
RECORD = "The record is the last accepted version"
SEARCH = "Search holds the last accepted version"
AUDIT = "No effect doubled: one audit record per change"
CHAIN = "The audit chain verifies from S3 alone"
PURGE = "An invalidation covers every change, none twice"
NAMES = "Names are unique, and claimed by who holds them"
JOBS = "Each row of a bulk edit has an end"
ERRORS = "No answer was a 500, no legal request called wrong"


def broken(case: Case) -> dict[str, list[str]]:
    """The violations by promise, of those that were broken."""
    return {verdict.promise: verdict.violations for verdict in judged(case) if verdict.violations}


def test_a_game_that_went_well_breaks_nothing_and_every_check_has_looked() -> None:
    case = sound().case
    assert broken(case) == {}
    looked = {verdict.promise for verdict in judged(case) if verdict.checked}
    assert looked == {
        LOST,
        GAP,
        TRACE,
        UNKNOWN,
        ONCE,
        UPDATE,
        READ,
        OPEN,
        RECEIPT,
        RECORD,
        SEARCH,
        AUDIT,
        CHAIN,
    } | {*(PURGE, NAMES, ERRORS)}
    assert len(CHECKS) == 18


def edited(item: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return item | {"after": item["after"] | fields}


def drop_the_last_version(case: Case) -> None:
    case.evidence.changes["gd-00"].pop()


def drop_a_version_in_between(case: Case) -> None:
    del case.evidence.changes["gd-00"][1]


def swap_two_times(case: Case) -> None:
    first, second, _ = case.evidence.changes["gd-00"]
    first["acceptedAt"], second["acceptedAt"] = second["acceptedAt"], first["acceptedAt"]


def break_the_log_chain(case: Case) -> None:
    case.evidence.changes["gd-00"][1]["previousHash"] = "0" * 64


def accept_another_content(case: Case) -> None:
    changes = case.evidence.changes["gd-00"]
    changes[1] = edited(changes[1], price=Decimal("99"))


def give_a_version_to_somebody_else(case: Case) -> None:
    case.evidence.changes["gd-00"][1]["requestId"] = "gd-api9-000001.1"


def make_a_refused_write(case: Case) -> None:
    case.evidence.changes["gd-00"][1]["requestId"] = "gd-api1-000005.1"


def refuse_for_no_reason(case: Case) -> None:
    refused = case.writes[4]
    refused.told[0] = replace(
        refused.told[0], conflicts={"fields": {"price": {"theirs": "1.00"}}, "version": 3}
    )


def refuse_a_version_that_stands(case: Case) -> None:
    refused = case.writes[4]
    refused.expected_version = 3
    refused.told[0] = replace(refused.told[0], status=412, conflicts={"version": 3})


def half_make_an_unknown_write(case: Case) -> None:
    case.evidence.changes["gd-01"][1]["requestId"] = "gd-api1-000006.1"


def make_a_repeated_request_twice(case: Case) -> None:
    case.writes[6].told[0] = replace(case.writes[6].told[0], request_id="gd-api1-000002.1")
    case.writes[1].told.clear()


def overwrite_what_another_has_changed(case: Case) -> None:
    case.writes[3].edits = {**case.writes[3].edits, "price": "77.01"}
    changes = case.evidence.changes["gd-00"]
    changes[2] = edited(changes[2], price=Decimal("77.01"))


def change_what_nobody_asked_for(case: Case) -> None:
    changes = case.evidence.changes["gd-00"]
    changes[2] = edited(changes[2], active=False)


def ignore_an_if_match(case: Case) -> None:
    case.writes[2].expected_version = 7


def make_half_a_batch(case: Case) -> None:
    for write in (case.writes[2], case.writes[5]):
        write.together = "gd-api1-000009"


def read_an_old_version(case: Case) -> None:
    case.reads[-1] = replace(case.reads[-1], version=1)


def miss_it_in_the_list(case: Case) -> None:
    case.reads[-1] = replace(case.reads[-1], where="list", version=0, shown={})


def read_something_else(case: Case) -> None:
    case.reads[-1] = replace(case.reads[-1], shown={"price": "1.00"})


def leave_one_open(case: Case) -> None:
    case.left_open.append("gd-00 v3: audited")


def forget_a_stamp(case: Case) -> None:
    del case.evidence.changes["gd-00"][0]["done"]["searchable"]


def stay_among_the_open_ones(case: Case) -> None:
    case.evidence.changes["gd-00"][0]["openFlag"] = "OPEN"


def alter_a_record(case: Case) -> None:
    case.evidence.records["gd-00"]["price"] = Decimal("1")


def keep_an_old_record(case: Case) -> None:
    case.evidence.records["gd-00"]["version"] = Decimal("2")


def lose_a_record(case: Case) -> None:
    del case.evidence.records["gd-00"]


def index_an_old_version(case: Case) -> None:
    case.evidence.documents["gd-01"] = {
        **case.evidence.documents["gd-01"],
        "version": 1,
        "name": "Beta",
    }


def lose_a_document(case: Case) -> None:
    del case.evidence.documents["gd-01"]


def index_what_never_was(case: Case) -> None:
    case.evidence.documents["gd-99"] = case.evidence.documents["gd-01"]


def audit_twice(case: Case) -> None:
    key, body = next(iter(case.evidence.audit.items()))
    case.evidence.audit[key.replace(".json", "0.json")] = body


def miss_an_audit_record(case: Case) -> None:
    del case.evidence.audit[next(key for key in case.evidence.audit if "gd-01" in key)]


def alter_an_audit_record(case: Case) -> None:
    key = next(key for key in case.evidence.audit if "gd-00" in key)
    case.evidence.audit[key] = json.dumps(
        json.loads(case.evidence.audit[key]) | {"user": "mallory"}
    ).encode()


def purge_too_early(case: Case) -> None:
    for change in case.evidence.changes["gd-01"]:
        change["done"]["stored"] = change["done"]["purged"]


def make_an_invalidation_twice(case: Case) -> None:
    case.evidence.invalidations.append(case.evidence.invalidations[0].replace("T12", "T13"))


def claim_a_name_for_another(case: Case) -> None:
    case.evidence.claims["gamma"] = "gd-00"


def keep_a_claim(case: Case) -> None:
    case.evidence.claims["beta"] = "gd-01"


def call_two_alike(case: Case) -> None:
    changes = case.evidence.changes["gd-01"]
    changes[-1] = edited(changes[-1], name="ALPHA")


def leave_a_job_running(case: Case) -> None:
    case.evidence.jobs["j1"] = {"state": "running"}


def forget_a_row(case: Case) -> None:
    case.evidence.jobs["j1"] = {"state": "done"}
    case.evidence.rows["j1"] = [{"number": 1, "state": "waiting"}]


def answer_500(case: Case) -> None:
    case.errors.append("GET / was answered 500")


FALSIFIED: list[tuple[Callable[[Case], None], set[str]]] = [
    (drop_the_last_version, {LOST, READ, RECORD, SEARCH, AUDIT}),
    (drop_a_version_in_between, {GAP, LOST}),
    (swap_two_times, {GAP}),
    (break_the_log_chain, {GAP}),
    (accept_another_content, {LOST, GAP}),
    (give_a_version_to_somebody_else, {LOST, UNKNOWN}),
    (make_a_refused_write, {TRACE, LOST}),
    (refuse_for_no_reason, {TRACE}),
    (refuse_a_version_that_stands, {TRACE}),
    (half_make_an_unknown_write, {UNKNOWN}),
    (make_a_repeated_request_twice, {ONCE}),
    (overwrite_what_another_has_changed, {UPDATE}),
    (change_what_nobody_asked_for, {UPDATE}),
    (ignore_an_if_match, {UPDATE}),
    (make_half_a_batch, {TOGETHER}),
    (read_an_old_version, {READ}),
    (miss_it_in_the_list, {READ}),
    (read_something_else, {READ}),
    (leave_one_open, {OPEN}),
    (forget_a_stamp, {RECEIPT}),
    (stay_among_the_open_ones, {RECEIPT}),
    (alter_a_record, {RECORD}),
    (keep_an_old_record, {RECORD}),
    (lose_a_record, {RECORD}),
    (index_an_old_version, {SEARCH}),
    (lose_a_document, {SEARCH}),
    (index_what_never_was, {SEARCH}),
    (audit_twice, {AUDIT, CHAIN}),
    (miss_an_audit_record, {AUDIT, CHAIN}),
    (alter_an_audit_record, {AUDIT, CHAIN}),
    (purge_too_early, {PURGE}),
    (make_an_invalidation_twice, {PURGE}),
    (claim_a_name_for_another, {NAMES}),
    (keep_a_claim, {NAMES}),
    (call_two_alike, {NAMES}),
    (leave_a_job_running, {JOBS}),
    (forget_a_row, {JOBS}),
    (answer_500, {ERRORS}),
]


@pytest.mark.parametrize(
    ("falsify", "promises"), FALSIFIED, ids=lambda value: getattr(value, "__name__", "")
)
def test_what_is_falsified_is_found(falsify: Callable[[Case], None], promises: set[str]) -> None:
    case = sound().case
    falsify(case)
    assert promises <= broken(case).keys()


def test_every_promise_can_be_broken() -> None:
    assert {promise for _, promises in FALSIFIED for promise in promises} == {
        v.promise for v in judged(sound().case)
    }


def test_the_table_names_what_is_broken_and_cuts_long_lists() -> None:
    shown = table([Verdict("One", 7, []), Verdict("Another", 9, [f"thing {n}" for n in range(20)])])
    assert "One             7        -" in shown
    assert "Another         9       20" in shown
    assert "thing 7\n    and 12 more" in shown


def test_a_write_under_a_key_that_was_unknown_at_first_counts_by_its_last_answer() -> None:
    write = sound().case.writes[6]
    assert [told.outcome for told in write.told] == [Outcome.UNKNOWN, Outcome.ACCEPTED]
    assert write.final is write.told[1]


def restored(began: str) -> Case:
    """Alpha goes back to v1 without a base; its description was v1's when the restore began, unless that was later."""
    played = sound()
    played.write("gd-00", {"description": "Described by a third one."})
    restore = played.write("gd-00", {"price": "1500.00", "name": "Alpha"})
    restore.edits, restore.back_to, restore.began = {}, 1, began
    return played.case


def test_a_restore_keeps_what_somebody_else_saves_while_it_is_under_way() -> None:
    assert broken(restored("2026-11-25T12:00:35.000000Z")) == {}


def test_a_restore_that_leaves_out_a_field_is_found() -> None:
    assert broken(restored("2026-11-25T12:01:15.000000Z")).keys() == {LOST}
