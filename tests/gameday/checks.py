"""Every promise of DESIGN §2, each a function from the case to a verdict. Pure."""

from collections.abc import Callable

from tests.gameday import checks_of_effects as effects
from tests.gameday import checks_of_writes as writes
from tests.gameday.case import Case, Verdict

CHECKS: list[Callable[[Case], Verdict]] = [
    writes.versions_are_gap_free,
    writes.acceptances_are_kept,
    writes.refusals_left_no_trace,
    writes.unknown_writes_are_whole,
    writes.keys_take_effect_once,
    writes.nothing_is_overwritten,
    writes.batches_are_all_or_none,
    writes.readers_see_what_was_told,
    effects.all_came_about,
    effects.receipts_are_complete,
    effects.records_are_the_last_version,
    effects.documents_are_the_last_version,
    effects.audit_is_one_record_each,
    effects.audit_chain_verifies,
    effects.invalidations_cover_every_change,
    effects.names_are_unique,
    effects.jobs_have_ended,
    effects.nobody_met_an_error,
]


def judged(case: Case) -> list[Verdict]:
    return [check(case) for check in CHECKS]
