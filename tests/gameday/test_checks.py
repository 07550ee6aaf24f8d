"""Tests of a game day's checks: each corrupts an intact game and expects a violation."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.gameday.case import Case, Verdict
from tests.gameday.checks import CHECKS, judge
from tests.gameday.ledger import Outcome
from tests.gameday.report import table
from tests.gameday.sample_game import intact_game

LOST = "Accepted writes are in the log as they were answered"
GAP = "Each version once, gap-free, in order"
TRACE = "Refused writes left no trace, and each refusal was justified"
UNKNOWN = "Writes with an unknown outcome are correct or absent"
REPEATED = "Repeated requests with the same key took effect once"
UPDATE = "No lost update: disjoint edits merge, conflicts are refused"
BATCH = "All-or-none batches were made completely or not at all"
READ = "Clients read their own writes, in lists too"
OPEN = "All effects complete automatically after the faults"
RECEIPT = "Each effect of each change is stamped on its receipt"
RECORD = "The record is the last accepted version"
SEARCH = "Search holds the last accepted version"
AUDIT = "Each change has exactly one audit record"
CHAIN = "The audit chain verifies from S3 alone"
PURGE = "An invalidation covers each change, none was made twice"
NAMES = "Names are unique, and claimed by their products"
JOBS = "Each row of a bulk edit has a result"
OFFERS = "Plans switch their products once, on time, and take back what they set"
ERRORS = "No answer was a 500, no valid request was rejected"


def broken(case: Case) -> dict[str, list[str]]:
    """Return the violations of each broken promise."""
    return {verdict.promise: verdict.violations for verdict in judge(case) if verdict.violations}


def test_intact_game_has_no_violations_and_uses_every_check() -> None:
    case = intact_game().case
    assert broken(case) == {}
    checked = {verdict.promise for verdict in judge(case) if verdict.checked}
    assert checked == {
        LOST,
        GAP,
        TRACE,
        UNKNOWN,
        REPEATED,
        UPDATE,
        READ,
        OPEN,
        RECEIPT,
        RECORD,
        SEARCH,
        AUDIT,
        CHAIN,
        PURGE,
        NAMES,
        OFFERS,
        ERRORS,
    }
    assert len(CHECKS) == 19


def edited(item: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return item | {"after": item["after"] | fields}


def drop_the_last_version(case: Case) -> None:
    case.evidence.changes["gd-00"].pop()


def drop_a_middle_version(case: Case) -> None:
    del case.evidence.changes["gd-00"][1]


def swap_two_times(case: Case) -> None:
    first, second, _ = case.evidence.changes["gd-00"]
    first["acceptedAt"], second["acceptedAt"] = second["acceptedAt"], first["acceptedAt"]


def break_the_log_chain(case: Case) -> None:
    case.evidence.changes["gd-00"][1]["previousHash"] = "0" * 64


def store_other_content(case: Case) -> None:
    changes = case.evidence.changes["gd-00"]
    changes[1] = edited(changes[1], price=Decimal("99"))


def attribute_a_version_to_another_request(case: Case) -> None:
    case.evidence.changes["gd-00"][1]["requestId"] = "gd-api9-000001.1"


def make_a_refused_write(case: Case) -> None:
    case.evidence.changes["gd-00"][1]["requestId"] = "gd-api1-000005.1"


def refuse_without_a_conflict(case: Case) -> None:
    refused = case.writes[4]
    refused.results[0] = replace(
        refused.results[0], conflicts={"fields": {"price": {"theirs": "1.00"}}, "version": 3}
    )


def refuse_the_current_version(case: Case) -> None:
    refused = case.writes[4]
    refused.expected_version = 3
    refused.results[0] = replace(refused.results[0], status=412, conflicts={"version": 3})


def make_an_unknown_write_incorrectly(case: Case) -> None:
    case.evidence.changes["gd-01"][1]["requestId"] = "gd-api1-000006.1"


def make_a_repeated_request_twice(case: Case) -> None:
    case.writes[6].results[0] = replace(case.writes[6].results[0], request_id="gd-api1-000002.1")
    case.writes[1].results.clear()


def overwrite_another_clients_edit(case: Case) -> None:
    case.writes[3].edits = {**case.writes[3].edits, "price": "77.01"}
    changes = case.evidence.changes["gd-00"]
    changes[2] = edited(changes[2], price=Decimal("77.01"))


def change_an_unrequested_field(case: Case) -> None:
    changes = case.evidence.changes["gd-00"]
    changes[2] = edited(changes[2], active=False)


def ignore_an_if_match(case: Case) -> None:
    case.writes[2].expected_version = 7


def start_a_plan_twice(case: Case) -> None:
    case.evidence.changes["gd-02"][2]["requestId"] = "offer-start"


def end_a_plan_with_another_price(case: Case) -> None:
    changes = case.evidence.changes["gd-02"]
    changes[2] = edited(changes[2], price=Decimal("1400.00"))


def leave_a_plan_running(case: Case) -> None:
    case.evidence.changes["gd-02"].pop()
    case.evidence.plans["offer"] = {"state": "running"}


def start_a_plan_too_early(case: Case) -> None:
    case.campaigns[0] = replace(case.campaigns[0], starts_at="2026-11-26T12:00:00.000000Z")


def make_half_a_batch(case: Case) -> None:
    for write in (case.writes[2], case.writes[5]):
        write.batch_id = "gd-api1-000009"


def read_an_old_version(case: Case) -> None:
    case.reads[-1] = replace(case.reads[-1], version=1)


def omit_the_product_from_the_list(case: Case) -> None:
    case.reads[-1] = replace(case.reads[-1], where="list", version=0, shown={})


def read_wrong_content(case: Case) -> None:
    case.reads[-1] = replace(case.reads[-1], shown={"price": "1.00"})


def leave_a_change_open(case: Case) -> None:
    case.left_open.append("gd-00 v3: audited")


def remove_a_stamp(case: Case) -> None:
    del case.evidence.changes["gd-00"][0]["done"]["searchable"]


def keep_the_open_flag(case: Case) -> None:
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


def index_an_unknown_product(case: Case) -> None:
    case.evidence.documents["gd-99"] = case.evidence.documents["gd-01"]


def audit_twice(case: Case) -> None:
    key, body = next(iter(case.evidence.audit.items()))
    case.evidence.audit[key.replace(".json", "0.json")] = body


def delete_an_audit_record(case: Case) -> None:
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


def give_two_products_one_name(case: Case) -> None:
    changes = case.evidence.changes["gd-01"]
    changes[-1] = edited(changes[-1], name="ALPHA")


def leave_a_job_running(case: Case) -> None:
    case.evidence.jobs["j1"] = {"state": "running"}


def leave_a_row_waiting(case: Case) -> None:
    case.evidence.jobs["j1"] = {"state": "done"}
    case.evidence.rows["j1"] = [{"number": 1, "state": "waiting"}]


def answer_500(case: Case) -> None:
    case.errors.append("GET / was answered 500")


CORRUPTIONS: list[tuple[Callable[[Case], None], set[str]]] = [
    (start_a_plan_twice, {OFFERS}),
    (end_a_plan_with_another_price, {OFFERS}),
    (leave_a_plan_running, {OFFERS}),
    (start_a_plan_too_early, {OFFERS}),
    (drop_the_last_version, {LOST, READ, RECORD, SEARCH, AUDIT}),
    (drop_a_middle_version, {GAP, LOST}),
    (swap_two_times, {GAP}),
    (break_the_log_chain, {GAP}),
    (store_other_content, {LOST, GAP}),
    (attribute_a_version_to_another_request, {LOST, UNKNOWN}),
    (make_a_refused_write, {TRACE, LOST}),
    (refuse_without_a_conflict, {TRACE}),
    (refuse_the_current_version, {TRACE}),
    (make_an_unknown_write_incorrectly, {UNKNOWN}),
    (make_a_repeated_request_twice, {REPEATED}),
    (overwrite_another_clients_edit, {UPDATE}),
    (change_an_unrequested_field, {UPDATE}),
    (ignore_an_if_match, {UPDATE}),
    (make_half_a_batch, {BATCH}),
    (read_an_old_version, {READ}),
    (omit_the_product_from_the_list, {READ}),
    (read_wrong_content, {READ}),
    (leave_a_change_open, {OPEN}),
    (remove_a_stamp, {RECEIPT}),
    (keep_the_open_flag, {RECEIPT}),
    (alter_a_record, {RECORD}),
    (keep_an_old_record, {RECORD}),
    (lose_a_record, {RECORD}),
    (index_an_old_version, {SEARCH}),
    (lose_a_document, {SEARCH}),
    (index_an_unknown_product, {SEARCH}),
    (audit_twice, {AUDIT, CHAIN}),
    (delete_an_audit_record, {AUDIT, CHAIN}),
    (alter_an_audit_record, {AUDIT, CHAIN}),
    (purge_too_early, {PURGE}),
    (make_an_invalidation_twice, {PURGE}),
    (claim_a_name_for_another, {NAMES}),
    (keep_a_claim, {NAMES}),
    (give_two_products_one_name, {NAMES}),
    (leave_a_job_running, {JOBS}),
    (leave_a_row_waiting, {JOBS}),
    (answer_500, {ERRORS}),
]


@pytest.mark.parametrize(
    ("corrupt", "promises"), CORRUPTIONS, ids=lambda value: getattr(value, "__name__", "")
)
def test_corruption_is_found(corrupt: Callable[[Case], None], promises: set[str]) -> None:
    case = intact_game().case
    corrupt(case)
    assert promises <= broken(case).keys()


def test_corruptions_cover_every_promise() -> None:
    covered = {promise for _, promises in CORRUPTIONS for promise in promises}
    assert covered == {verdict.promise for verdict in judge(intact_game().case)}


def test_table_names_broken_promises_and_cuts_long_lists() -> None:
    shown = table([Verdict("One", 7, []), Verdict("Another", 9, [f"thing {n}" for n in range(20)])])
    assert "One             7        -" in shown
    assert "Another         9       20" in shown
    assert "thing 7\n    and 12 more" in shown


def test_repeated_write_counts_by_its_last_known_outcome() -> None:
    write = intact_game().case.writes[6]
    assert [result.outcome for result in write.results] == [Outcome.UNKNOWN, Outcome.ACCEPTED]
    assert write.final is write.results[1]


def restored(sent_at: str) -> Case:
    """Return a game in which gd-00 is restored to v1 without a base version.

    The restore is sent before or after another client changes the description.
    """
    game = intact_game()
    game.write("gd-00", {"description": "Described by a third one."})
    restore = game.write("gd-00", {"price": "1500.00", "name": "Alpha"})
    restore.edits, restore.restores, restore.sent_at = {}, 1, sent_at
    return game.case


def test_restore_keeps_a_concurrent_edit() -> None:
    assert broken(restored("2026-11-25T12:00:35.000000Z")) == {}


def test_restore_that_leaves_out_a_field_is_found() -> None:
    assert broken(restored("2026-11-25T12:01:15.000000Z")).keys() == {LOST}
