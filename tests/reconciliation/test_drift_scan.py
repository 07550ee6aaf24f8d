"""The scheduled drift scan: each step continues the last one; concurrent steps do no harm."""

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
from products.api.health import READINESS
from products.changes import Change, audit_key, audit_record, canonical_json, next_change
from products.errors import DependencyUnavailable
from products.reconciliation.comparison import DOCUMENT
from products.reconciliation.differences import Difference, Kind, LogEntry, Observed
from products.reconciliation.drift_scan import MAX_KEPT, TIME_BUDGET, DriftScan, Scan, ScanState
from products.reconciliation.sources import Candidate
from products.reconciliation.verification import BATCH, Batch, Stage, Verification
from products.search import words
from tasks.products import verify
from tests.support.admin_client import LIST, sign_in
from tests.support.builders import NOON, a_product, origin
from tests.support.commands import output
from tests.support.fakes import Clock
from tests.support.tampering import META, create_complete, delete_document, delete_item, pk
from tests.support.world import World

POSITIONS = [(stage, f"{number}") for stage in (Stage.ACTIVE, Stage.TRAIL) for number in range(3)]


@dataclass
class SlowVerification:
    """A verification of six batches, each of which takes the time of one step."""

    clock: Clock
    is_available: bool = True
    walked: list[tuple[Stage, str]] = field(default_factory=list)

    def walk(
        self, stage: Stage | None = None, after: str | None = None, since: datetime | None = None
    ) -> Iterator[Batch]:
        start = POSITIONS.index((stage, after)) + 1 if stage and after else 0
        for current, position in POSITIONS[start:]:
            if not self.is_available:
                raise DependencyUnavailable("S3")
            self.clock.advance(TIME_BUDGET.total_seconds())
            self.walked.append((current, position))
            difference = Difference(Kind.CLAIM_MISSING, f"p{position}", "it is not there", 1)
            yield Batch(current, position, 25, [difference])


@pytest.fixture
def slow() -> SlowVerification:
    return SlowVerification(Clock())


@pytest.fixture
def drift_scan(world: World, slow: SlowVerification) -> DriftScan:
    verification: Any = slow
    return replace(
        maintenance.drift_scan(),
        verification=verification,
        clock=slow.clock,
        on_difference=lambda difference: None,
    )


def stored_state(drift_scan: DriftScan) -> ScanState:
    state = drift_scan.table.scan_state()
    assert state
    return state


def stored_scan(drift_scan: DriftScan) -> Scan:
    """Return the running scan."""
    running = stored_state(drift_scan).running
    assert running
    return running


def test_scan_continues_step_by_step_and_is_kept_when_complete(
    drift_scan: DriftScan, slow: SlowVerification
) -> None:
    for sequence in range(1, 7):
        drift_scan.step()
        state = stored_state(drift_scan)
        assert (state.sequence, state.last) == (sequence, None)
        scan = stored_scan(drift_scan)
        assert (scan.difference_count, sum(scan.checked.values())) == (sequence, sequence * 25)
    drift_scan.step()
    state = stored_state(drift_scan)
    assert (state.running, slow.walked) == (None, POSITIONS)
    last = state.last
    assert last
    assert last.checked == {Stage.ACTIVE: 75, Stage.TRAIL: 75}
    assert last.difference_count == 6
    assert [d.product_id for d in last.kept_differences] == ["p0", "p1", "p2"] * 2
    drift_scan.step()
    assert stored_state(drift_scan).last == last
    assert stored_scan(drift_scan).difference_count == 1


def test_two_concurrent_steps_count_and_report_once(drift_scan: DriftScan) -> None:
    """The slower step finds its sequence stored, so it reports nothing."""
    reported: list[str] = []
    faster = replace(
        drift_scan,
        on_difference=lambda difference: reported.append(f"faster {difference.product_id}"),
    )

    class OvertakenTable:
        def scan_state(self) -> ScanState | None:
            state = drift_scan.table.scan_state()
            faster.step()
            return state

        def save(self, state: ScanState) -> bool:
            return drift_scan.table.save(state)

    slower = replace(
        drift_scan,
        table=OvertakenTable(),
        on_difference=lambda difference: reported.append("slower"),
    )
    for sequence in (1, 2, 3):
        slower.step()
        assert stored_state(drift_scan).sequence == sequence
        assert stored_scan(drift_scan).difference_count == sequence
    assert reported == ["faster p0", "faster p1", "faster p2"]


def test_many_concurrent_steps_leave_one_complete_state(world: World) -> None:
    create_complete("p1")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: maintenance.drift_scan().step(), range(8)))
    state = maintenance.drift_scan().table.scan_state()
    assert state
    assert state.last
    assert 1 <= state.sequence <= 8
    assert state.last.checked == {Stage.ACTIVE: 1, Stage.DOCUMENTS: 1, Stage.TRAIL: 1}


def test_unavailable_dependency_interrupts_a_scan_without_ending_it(
    drift_scan: DriftScan, slow: SlowVerification
) -> None:
    drift_scan.step()
    slow.is_available = False
    drift_scan.step()
    scan = stored_scan(drift_scan)
    assert (scan.interrupted, scan.after) == ("S3 does not answer at the moment.", "0")
    slow.is_available = True
    drift_scan.step()
    assert slow.walked == POSITIONS[:2]


def test_scan_keeps_a_limited_number_of_differences(
    drift_scan: DriftScan, slow: SlowVerification, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [
        Difference(Kind.CLAIM_MISSING, f"p{n}", "it is not there", 1) for n in range(MAX_KEPT + 9)
    ]
    monkeypatch.setattr(slow, "walk", lambda *_: iter([Batch(Stage.ACTIVE, "x", 99, many)]))
    last = drift_scan.step().last
    assert last
    assert (last.difference_count, len(last.kept_differences)) == (MAX_KEPT + 9, MAX_KEPT)


@pytest.mark.django_db
def test_state_of_another_code_version_restarts_the_scan(
    drift_scan: DriftScan, world: World
) -> None:
    drift_scan.step()
    world.dynamodb.update_item(
        TableName=world.table,
        Key={"PK": {"S": "CHECK#drift"}, "SK": {"S": "LATEST"}},
        UpdateExpression="SET running.stage = :unknown",
        ExpressionAttributeValues={":unknown": {"S": "no such stage"}},
    )
    assert Client().get("/readyz").status_code == 200
    state = drift_scan.step()
    assert (state.sequence, state.running and state.running.after) == (2, "0")


# The task, the page and the command


@pytest.mark.django_db
def test_task_reports_without_repair_and_staff_see_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    create_complete("p1", 2)
    olga = sign_in("olga", "Product operators")
    assert "never checked" in olga.get(f"{LIST}operations/").text
    assert olga.get("/readyz").json()["lastCheck"] is None
    verify()
    READINESS.forget()
    assert olga.get("/readyz").json()["lastCheck"]["differences"] == 0
    assert "None is known." in olga.get(f"{LIST}operations/").text
    delete_item(world, pk("p1"), META)
    with caplog.at_level(logging.WARNING):
        verify()
    (logged,) = (vars(record) for record in caplog.records if record.message == "drift")
    assert (logged["kind"], logged["product_id"]) == ("record-missing", "p1")
    assert logged["version"] == 2
    assert world.record("p1") is None
    READINESS.forget()
    response = olga.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "ready")
    assert response.json()["lastCheck"]["differences"] == 1
    page = olga.get(f"{LIST}operations/").text
    assert "<code>record-missing</code>" in page
    assert "v2 was stored, and was lost or reverted afterwards" in page
    assert "1 documents, 2 audit records" in page


def test_scan_is_scheduled_unless_switched_off() -> None:
    every = timedelta(minutes=5)
    verify_task = beat_schedule(every)["verify"]
    assert verify_task["task"] == "products.verify"
    assert verify_task["schedule"] == every
    assert verify_task["options"] == {"expires": 300}
    assert "verify" not in beat_schedule(timedelta())
    assert configured.CELERY["beat_schedule"]["verify"]["schedule"] == every


def beat_schedule(verify_every: timedelta) -> dict[str, Any]:
    settings = celery_settings("test", {}, timedelta(seconds=10), verify_every)
    schedule: dict[str, Any] = settings["beat_schedule"]
    return schedule


def test_command_reports_repairs_and_sets_the_exit_status(world: World) -> None:
    create_complete("p1", 2)
    assert output("verify_catalogue") == "4 items checked, no differences"
    delete_item(world, pk("p1"), META)
    delete_document(world, "p1")
    with pytest.raises(CommandError, match="2 items checked, 2 differences") as refused:
        output("verify_catalogue")
    assert refused.value.returncode == 1
    with pytest.raises(CommandError, match="1 items checked, 2 differences"):
        output("verify_catalogue", product=["p1"])
    assert "no differences" in output("verify_catalogue", since=bootstrap.now() + timedelta(days=1))
    invalidations = len(world.invalidations())
    with pytest.raises(CommandError):
        output("verify_catalogue", repair=True)
    assert output("verify_catalogue") == "4 items checked, no differences"
    assert len(world.invalidations()) == invalidations + 1, "what the public reads has changed"


def test_since_takes_a_day_or_a_time(world: World) -> None:
    for since in ("2026-03-01", "2026-03-01T12:00", "2026-03-01T12:00:00+02:00"):
        assert "no differences" in output("verify_catalogue", f"--since={since}")
    with pytest.raises(CommandError, match="--since"):
        output("verify_catalogue", "--since=yesterday")


# Memory


@lru_cache(maxsize=2 * BATCH)
def first_change(product_id: str) -> Change:
    product = a_product(product_id=product_id, name=f"Hosting {product_id}")
    ann = origin("ann")
    return next_change(None, product, ann, at=NOON, change_id="c1", effects=frozenset())


@dataclass
class GeneratedCatalogue:
    """A consistent catalogue of ``count`` products, generated when they are read."""

    count: int

    def ids(self) -> Iterator[str]:
        return (f"p{number:07}" for number in range(self.count))

    def records_after(self, after: str | None, *, active: bool) -> Iterator[Candidate]:
        return (Candidate(i, i) for i in self.ids()) if active else iter(())

    def open_after(self, after: str | None) -> Iterator[Candidate]:
        return iter(())

    def entries(self, product_id: str) -> Iterator[LogEntry]:
        yield LogEntry(1, first_change(product_id), listed=False, accepted_at=None)

    def change(self, product_id: str, version: int) -> None:
        return None

    def records(self, product_ids: Any) -> dict[str, Observed]:
        assert len(product_ids) <= BATCH
        return {i: Observed(1, first_change(i).after) for i in product_ids}

    def name_owners(self, names: list[str]) -> dict[str, str]:
        return {name.replace(" ", "").lower(): name.partition(" ")[2] for name in names}

    def documents(self, product_ids: Any) -> dict[str, Observed]:
        return {i: Observed(1, DOCUMENT.content_of(first_change(i).after)) for i in product_ids}

    def ids_after(self, after: str | None, since: datetime | None) -> Iterator[str]:
        return self.ids()

    def read(self, key: str) -> bytes:
        product_id = key.partition("_")[0].rpartition("/")[2]
        return canonical_json(audit_record(first_change(product_id)))

    def keys_after(self, after: str) -> Iterator[str]:
        return (audit_key(first_change(i)) for i in self.ids())

    def accepted_between(self, product_id: str, first: datetime, last: datetime) -> set[datetime]:
        return {NOON}


def peak_memory(count: int) -> int:
    """Return the peak of memory in bytes during the verification of ``count`` products."""
    generated: Any = GeneratedCatalogue(count)
    verification = Verification(logs=generated, documents=generated, trail=generated, clock=Clock())
    tracemalloc.start()
    try:
        assert sum(len(batch.differences) for batch in verification.walk()) == 0
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_products(monkeypatch: pytest.MonkeyPatch) -> None:
    # The cache of words is bounded, and would take longer to fill.
    monkeypatch.setattr(words, "_word", words._word.__wrapped__)
    peak_memory(100)  # warm up other caches
    assert peak_memory(2500) < peak_memory(250) * 1.2
