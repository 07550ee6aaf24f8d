"""The drift check on a schedule: in slices, from where the last one ended, without two of them in each other's way."""

import logging
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.management import CommandError
from django.test import Client

from bbws_products.settings.celery import celery_settings
from products import bootstrap, maintenance
from products.changes import Change, Origin, audit_key, audit_record, canonical_json, next_change
from products.errors import DependencyUnavailable
from products.reconciliation.comparison import DOCUMENT
from products.reconciliation.differences import Difference, Kind, LogEntry, Observed
from products.reconciliation.drift_scan import MAX_KEPT, TIME_BUDGET, DriftScan, ScanState
from products.reconciliation.verification import BATCH, Batch, Candidate, Stage, Verification
from tasks.products import verify
from tests.support.admin_client import LIST, sign_in
from tests.support.builders import NOON, a_product
from tests.support.commands import output
from tests.support.fakes import Clock
from tests.support.tampering import META, delete, forget_document, pk, shelve
from tests.support.world import World


@dataclass
class Slow:
    """A verification of six batches, each of which takes as long as a slice may."""

    clock: Clock
    away: bool = False
    seen: list[str] = field(default_factory=list)

    def walk(
        self, stage: Stage | None = None, after: str | None = None, since: datetime | None = None
    ) -> Iterator[Batch]:
        places = [(Stage.ACTIVE, f"{number}") for number in range(3)] + [
            (Stage.TRAIL, f"{n}") for n in range(3)
        ]
        start = places.index((stage, after)) + 1 if stage and after else 0
        for where, place in places[start:]:
            if self.away:
                raise DependencyUnavailable("S3")
            self.clock.advance(TIME_BUDGET.total_seconds())
            self.seen.append(f"{where} {place}")
            yield Batch(
                where,
                place,
                25,
                [Difference(Kind.CLAIM_MISSING, f"p{place}", "it is not there", 1)],
            )


@pytest.fixture
def slow() -> Slow:
    return Slow(Clock())


@pytest.fixture
def drift_scan(world: World, slow: Slow) -> DriftScan:
    return replace(
        maintenance.drift_scan(),
        verification=slow,
        clock=slow.clock,
        on_difference=lambda difference: None,
    )  # type: ignore[arg-type]


def test_a_round_goes_on_slice_by_slice_and_is_kept_when_it_ends(
    drift_scan: DriftScan, slow: Slow
) -> None:
    for sequence in range(1, 7):
        drift_scan.step()
        state = drift_scan.table.scan_state()
        assert state
        assert (state.sequence, state.last) == (sequence, None)
        assert state.running
        assert (state.running.difference_count, sum(state.running.checked.values())) == (
            sequence,
            sequence * 25,
        )
    drift_scan.step()
    state = drift_scan.table.scan_state()
    assert state
    assert (state.running, slow.seen) == (
        None,
        [f"{s} {n}" for s in (Stage.ACTIVE, Stage.TRAIL) for n in range(3)],
    )
    assert state.last
    assert state.last.checked == {Stage.ACTIVE: 75, Stage.TRAIL: 75}
    assert (state.last.difference_count, [d.product_id for d in state.last.kept_differences]) == (
        6,
        ["p0", "p1", "p2"] * 2,
    )
    drift_scan.step()
    again = drift_scan.table.scan_state()
    assert again
    assert again.last == state.last
    assert again.running
    assert again.running.difference_count == 1


def test_two_slices_at_once_count_nothing_twice(drift_scan: DriftScan) -> None:
    """The slower one comes to write down a turn that has been taken, and what it found is told by nobody."""
    told: list[str] = []
    inner = replace(
        drift_scan, on_difference=lambda difference: told.append(f"faster {difference.product_id}")
    )

    class Overtaken:
        def scan_state(self) -> ScanState | None:
            standing = drift_scan.table.scan_state()
            inner.step()
            return standing

        def save(self, state: ScanState) -> bool:
            return drift_scan.table.save(state)

    slower = replace(
        drift_scan, table=Overtaken(), on_difference=lambda difference: told.append("slower")
    )
    for sequence in (1, 2, 3):
        slower.step()
        state = drift_scan.table.scan_state()
        assert state
        assert state.running
        assert (state.sequence, state.running.difference_count) == (sequence, sequence)
    assert told == ["faster p0", "faster p1", "faster p2"]


def test_many_slices_at_once_leave_one_whole_state(world: World) -> None:
    shelve("p1")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: maintenance.drift_scan().step(), range(8)))
    state = maintenance.drift_scan().table.scan_state()
    assert state
    assert state.last
    assert 1 <= state.sequence <= 8
    assert state.last.checked == {Stage.ACTIVE: 1, Stage.DOCUMENTS: 1, Stage.TRAIL: 1}


def test_an_engine_that_is_away_interrupts_a_round_and_does_not_end_it(
    drift_scan: DriftScan, slow: Slow
) -> None:
    drift_scan.step()
    slow.away = True
    drift_scan.step()
    state = drift_scan.table.scan_state()
    assert state
    assert state.running
    assert (state.running.interrupted, state.running.after) == (
        "S3 does not answer at the moment.",
        "0",
    )
    slow.away = False
    drift_scan.step()
    assert slow.seen == ["active records 0", "active records 1"]


def test_what_is_kept_of_a_round_stays_small(drift_scan: DriftScan, slow: Slow) -> None:
    many = [
        Difference(Kind.CLAIM_MISSING, f"p{n}", "it is not there", 1) for n in range(MAX_KEPT + 9)
    ]
    slow.walk = lambda *_: iter([Batch(Stage.ACTIVE, "x", 99, many)])  # type: ignore[method-assign, assignment]
    last = drift_scan.step().last
    assert last
    assert (last.difference_count, len(last.kept_differences)) == (MAX_KEPT + 9, MAX_KEPT)


@pytest.mark.django_db
def test_a_state_of_another_version_of_this_code_begins_the_round_anew(
    drift_scan: DriftScan, world: World
) -> None:
    drift_scan.step()
    place, values = (
        {"PK": {"S": "CHECK#drift"}, "SK": {"S": "LATEST"}},
        {":x": {"S": "no such stage"}},
    )
    world.dynamodb.update_item(
        TableName=world.table,
        Key=place,
        UpdateExpression="SET running.stage = :x",
        ExpressionAttributeValues=values,
    )
    assert Client().get("/readyz").status_code == 200
    state = drift_scan.step()
    assert (state.sequence, state.running and state.running.after) == (2, "0")


# As it is run and shown


@pytest.mark.django_db
def test_the_task_reports_and_does_not_mend_and_staff_see_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    shelve("p1", 2)
    olga = sign_in("olga", "Product operators")
    assert "no drift scan has finished yet" in olga.get(f"{LIST}operations/").text
    assert Client().get("/readyz").json()["lastCheck"] is None
    verify()
    assert Client().get("/readyz").json()["lastCheck"]["differences"] == 0
    assert "None is known." in olga.get(f"{LIST}operations/").text
    delete(world, pk("p1"), META)
    with caplog.at_level(logging.WARNING):
        verify()
    assert [(r.kind, r.product_id, r.version) for r in caplog.records if r.message == "drift"] == [  # type: ignore[attr-defined]
        ("record-missing", "p1", 2)
    ]
    assert world.record("p1") is None
    answer = Client().get("/readyz")
    assert (
        answer.status_code,
        answer.json()["status"],
        answer.json()["lastCheck"]["differences"],
    ) == (200, "ready", 1)
    page = olga.get(f"{LIST}operations/").text
    assert "<b>record-missing</b>" in page
    assert "v2 was stored, and it was lost or set back afterwards" in page
    assert "1 documents, 2 audit records" in page


def test_it_is_scheduled_unless_switched_off() -> None:
    every = timedelta(minutes=5)
    schedule = celery_settings("test", {}, timedelta(seconds=10), every)["beat_schedule"]["verify"]
    assert (schedule["task"], schedule["schedule"], schedule["options"]) == (
        "products.verify",
        every,
        {"expires": 300},
    )
    assert (
        "verify"
        not in celery_settings("test", {}, timedelta(seconds=10), timedelta())["beat_schedule"]
    )
    assert configured.CELERY["beat_schedule"]["verify"]["schedule"] == every


def test_the_command_reports_mends_and_says_how_it_ended(world: World) -> None:
    shelve("p1", 2)
    assert output("verify_catalogue") == "no difference at 4 places"
    delete(world, pk("p1"), META)
    forget_document(world, "p1")
    with pytest.raises(CommandError, match="2 differences at 2 places") as refused:
        output("verify_catalogue")
    assert refused.value.returncode == 1
    with pytest.raises(CommandError, match="2 differences at 1 places"):
        output("verify_catalogue", product=["p1"])
    assert "no difference" in output("verify_catalogue", since=bootstrap.now() + timedelta(days=1))
    invalidations = len(world.invalidations())
    with pytest.raises(CommandError):
        output("verify_catalogue", repair=True)
    assert output("verify_catalogue") == "no difference at 4 places"
    assert len(world.invalidations()) == invalidations + 1, "what the public reads has changed"


def test_a_day_or_a_time_may_be_given(world: World) -> None:
    for since in ("2026-03-01", "2026-03-01T12:00", "2026-03-01T12:00:00+02:00"):
        assert "no difference" in output("verify_catalogue", f"--since={since}")
    with pytest.raises(CommandError, match="--since"):
        output("verify_catalogue", "--since=yesterday")


# However many products there are


@lru_cache(maxsize=2 * BATCH)
def made(product_id: str) -> Change:
    product = a_product(product_id=product_id, name=f"Hosting {product_id}")
    ann = Origin(actor="ann", source="test", request_id="r")
    return next_change(None, product, ann, at=NOON, change_id="c1", effects=frozenset())


@dataclass
class Endless:
    """As many products as are asked for, made when their turn comes; none is kept. All agree with their logs."""

    count: int

    def of(self, product_id: str) -> Change:
        return made(product_id)

    def ids(self) -> Iterator[str]:
        return (f"p{number:07}" for number in range(self.count))

    def records_after(self, after: str | None, *, active: bool) -> Iterator[Candidate]:
        return (Candidate(i, i) for i in self.ids()) if active else iter(())

    def open_after(self, after: str | None) -> Iterator[Candidate]:
        return iter(())

    def entries(self, product_id: str) -> Iterator[LogEntry]:
        yield LogEntry(1, self.of(product_id), listed=False)

    def change(self, product_id: str, version: int) -> None:
        return None

    def records(self, product_ids: Any) -> dict[str, Observed]:
        assert len(product_ids) <= BATCH
        return {i: Observed(1, self.of(i).after) for i in product_ids}

    def name_owners(self, names: list[str]) -> dict[str, str]:
        return {name.replace(" ", "").lower(): name.partition(" ")[2] for name in names}

    def documents(self, product_ids: Any) -> dict[str, Observed]:
        return {i: Observed(1, DOCUMENT.content_of(self.of(i).after)) for i in product_ids}

    def ids_after(self, after: str | None, since: datetime | None) -> Iterator[str]:
        return self.ids()

    def read(self, key: str) -> bytes:
        return canonical_json(audit_record(self.of(key.partition("_")[0].rpartition("/")[2])))

    def keys_after(self, after: str) -> Iterator[str]:
        return (audit_key(self.of(i)) for i in self.ids())

    def accepted_between(self, product_id: str, first: datetime, last: datetime) -> set[datetime]:
        return {NOON}


def peak_of(count: int) -> int:
    """The most bytes that were held at once while so many products were verified."""
    endless: Any = Endless(count)
    verification = Verification(logs=endless, documents=endless, trail=endless, clock=Clock())
    tracemalloc.start()
    try:
        assert sum(len(batch.differences) for batch in verification.walk()) == 0
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_memory_is_the_same_for_ten_times_as_many_products() -> None:
    peak_of(100)  # what is made once, on first use
    assert peak_of(2500) < peak_of(250) * 1.2
