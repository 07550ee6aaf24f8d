"""All checks of a game day: one function per promise of ``docs/design.md``."""

from collections.abc import Callable

from tests.gameday import checks_of_effects as effects
from tests.gameday import checks_of_writes as writes
from tests.gameday.case import Case, Verdict
from tests.gameday.checks_of_plans import offers_switch_once

CHECKS: list[Callable[[Case], Verdict]] = [
    writes.versions_are_gap_free,
    writes.acceptances_are_kept,
    writes.refusals_left_no_trace,
    writes.unknown_writes_are_whole,
    writes.keys_take_effect_once,
    writes.nothing_is_overwritten,
    writes.batches_are_all_or_none,
    writes.readers_see_their_own_writes,
    effects.all_effects_completed,
    effects.receipts_are_complete,
    effects.records_are_the_last_version,
    effects.documents_are_the_last_version,
    effects.audit_is_one_record_each,
    effects.audit_chain_verifies,
    effects.invalidations_cover_every_change,
    effects.names_are_unique,
    effects.jobs_have_ended,
    offers_switch_once,
    effects.clients_got_no_errors,
]


def judge(case: Case) -> list[Verdict]:
    """Return the verdict of every check."""
    return [check(case) for check in CHECKS]
