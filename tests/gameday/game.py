"""Run a complete game day: start, write under faults, wait for all effects, judge, report."""

import random
import signal
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.gameday.campaigns import writes_of_campaign
from tests.gameday.case import Case, Verdict
from tests.gameday.checks import judge
from tests.gameday.clients import Clients
from tests.gameday.evidence import Evidence, collect_evidence, writes_of
from tests.gameday.faults import Faults
from tests.gameday.ledger import Ledger
from tests.gameday.observer import Observer, describe_open, is_waiting_for_operator
from tests.gameday.report import format_counts, latencies, latency_line, page, table
from tests.gameday.schedule import schedule
from tests.gameday.stack import Stack

LONG_GAME_WRITES = 1000  # faults last longer in games with at least so many writes
PROGRESS_WRITES = 500  # writes between two progress messages
OBSERVE_INTERVAL_SECONDS = 1.0
BROKEN, KEPT_ALL, INTERRUPTED = 1, 0, 130


class Interrupted(KeyboardInterrupt):
    """The game was interrupted by a signal, so it stops without a verdict.

    It is not an ``Exception``, because botocore would handle that as a connection error.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a game.

    ``seconds`` limits the writing phase. ``calm`` limits the wait for all effects after it.
    """

    writes: int = 1500
    seed: int = field(default_factory=lambda: random.SystemRandom().randrange(10**6))
    seconds: float = 3600
    calm: float = 240
    keep: bool = False
    report: Path | None = None
    """The path of the Markdown report, if one is written."""


@dataclass
class Game:
    """One game day on a stack."""

    options: Options
    stack: Stack
    ledger: Ledger = field(default_factory=Ledger)
    stopping: threading.Event = field(default_factory=threading.Event)
    interrupted: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self.restart_counts: Counter[str] = Counter()
        options = self.options
        self.clients = Clients(
            self.stack,
            self.ledger,
            options.seed,
            options.writes,
            self.stopping,
            has_campaigns=options.writes >= LONG_GAME_WRITES,
        )
        self.observer = Observer(
            dynamodb_url=self.stack.aws_service_url("dynamodb"),
            sqs_url=self.stack.aws_service_url("sqs"),
            table=self.stack.table,
            env=self.stack.env,
        )
        self.faults = Faults(self.stack, self.observer, options.seed, self.interrupted, self.say)
        self.max_fault_seconds = 1.5 if options.writes < LONG_GAME_WRITES else 4.0

    def say(self, text: str) -> None:
        # One write call, because several threads print.
        print(f"{time.monotonic() - self.began:7.1f} s  {text}\n", end="", flush=True)

    def run(self) -> int:
        """Run the game and return its exit status."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupt)
        self.say(f"game day: {self.options.writes} writes, seed {self.options.seed}")
        try:
            self._start()
            self._drive()
            self._settle()
            return self._judge()
        except Interrupted:
            self.say("interrupted; there is no verdict")
            return INTERRUPTED
        finally:
            self._stop()

    def _interrupt(self, *_: Any) -> None:
        first = not self.interrupted.is_set()
        self.interrupted.set()
        self.stopping.set()
        if first:
            raise Interrupted

    def _start(self) -> None:
        self.stack.start()
        self.say(f"all services and processes run; logs are in {self.stack.home}")
        self.clients.set_up()
        api, admin = len(self.clients.api), len(self.clients.admin)
        self.say(f"{api} API clients and {admin} admin clients are ready")

    def _drive(self) -> None:
        """Run the clients, and start each fault when its number of writes is reached."""
        events = schedule(
            self.options.seed,
            self.options.writes,
            self.max_fault_seconds,
            has_node="OPENSEARCH_URL" in self.stack.external_urls,
        )
        deadline = time.monotonic() + self.options.seconds
        self.clients.start()
        reported, next_observation = 0, 0.0
        while self.clients.busy():
            if time.monotonic() > deadline:
                self.stopping.set()
            count = self.ledger.count()
            while events and events[0].at_write <= count and not self.stopping.is_set():
                self.faults.start(events.pop(0))
            self.restart_counts.update(self.stack.restart_ended())
            if time.monotonic() > next_observation:
                next_observation = time.monotonic() + OBSERVE_INTERVAL_SECONDS
                self.clients.pause_or_resume(self.observer.open_count())
            if count >= reported + PROGRESS_WRITES:
                reported = count
                self.say(f"{count} writes sent")
            time.sleep(0.1)
        self.clients.join()
        self.faults.finish()
        self.write_seconds = time.monotonic() - self.began
        self.say(f"all clients ended after {self.ledger.count()} writes; waiting for all effects")

    # Waiting for all effects

    def _settle(self) -> None:
        """Wait until no change is open; retry permanent failures as an operator does."""
        self.left_open = self._wait_until_settled(ignore_failed=True)
        self.dead_letters = self.observer.dead_letters()
        failed = self.observer.open_changes()
        self.permanent_failures = len(failed)
        if failed:
            self.say(f"{len(failed)} changes failed permanently; the operator retries them")
            self.faults.run_command("requeue_open_changes", "--failed")
            self._wait_until_settled(ignore_failed=False)
        if self.left_open:
            self.say(f"{len(self.left_open)} changes are still open")
        else:
            self.say("all effects are complete")

    def _wait_until_settled(self, *, ignore_failed: bool) -> list[str]:
        """Wait at most ``calm`` seconds, and describe the changes and jobs that are still open."""
        deadline = time.monotonic() + self.options.calm
        while True:
            waiting = self.observer.open_changes()
            if ignore_failed:
                waiting = [item for item in waiting if not is_waiting_for_operator(item)]
            waiting += [*self.observer.running_jobs(), *self.observer.open_plans()]
            if not waiting or time.monotonic() > deadline or self.interrupted.wait(1):
                return [describe_open(item) for item in waiting]
            self.restart_counts.update(self.stack.restart_ended())

    # Judging

    def _judge(self) -> int:
        evidence = collect_evidence(
            dynamodb_url=self.stack.aws_service_url("dynamodb"),
            aws_url=self.stack.engines.aws_url,
            search_url=self.stack.search_url,
            table=self.stack.table,
            bucket=self.stack.bucket,
            distribution=self.stack.distribution,
        )
        self.say("all data is read; checking")
        case = self._case(evidence)
        verdicts = judge(case)
        broken = sum(len(verdict.violations) for verdict in verdicts)
        summary = self._summary(case)
        print(f"\n{table(verdicts)}\n\n{'\n'.join(summary)}\n", flush=True)
        if self.options.report:
            self._write_report(self.options.report, verdicts, summary)
        self._print_result(broken)
        return BROKEN if broken else KEPT_ALL

    def _print_result(self, broken: int) -> None:
        arguments = f"--seed {self.options.seed} --writes {self.options.writes}"
        command = f'make gameday{self._engines} ARGS="{arguments}"'
        print(f"BROKEN: {broken} violations." if broken else "No promise was broken.")
        print(f"To repeat it: {command}")
        print("(The faults and decisions are the same; their interleaving may differ.)", flush=True)

    @property
    def _engines(self) -> str:
        """The argument of `make gameday` that selects these services."""
        return " ENGINES=real" if self.stack.own_services else ""

    def _case(self, evidence: Evidence) -> Case:
        rows = [write for bulk in self.ledger.bulks for write in writes_of(bulk, evidence)]
        for campaign in self.ledger.campaigns:
            rows += writes_of_campaign(campaign, evidence)
        return Case(
            evidence,
            self.ledger.writes + rows,
            self.ledger.reads,
            self.ledger.errors + self.faults.command_failures,
            self.ledger.campaigns,
            self.left_open,
            has_wrong_clocks=any("clock" in fault for fault in self.faults.fault_counts),
        )

    def _write_report(self, path: Path, verdicts: list[Verdict], summary: list[str]) -> None:
        given = f"--writes {self.options.writes} --seed {self.options.seed} --report {path}"
        command = f'make gameday{self._engines} ARGS="{given}"'
        path.write_text(
            page(
                verdicts,
                summary,
                command=command,
                seed=self.options.seed,
                at=datetime.now(UTC),
            )
        )
        self.say(f"the report is in {path}")

    def _summary(self, case: Case) -> list[str]:
        changes = sum(1 for _ in case.evidence.every_change())
        requests = {name: proxy.requests for name, proxy in self.stack.proxies.by_name.items()}
        products, invalidations = len(case.evidence.changes), len(case.evidence.invalidations)
        faults = self.faults.fault_counts + self.stack.proxies.fault_counts
        lines = [
            f"{len(case.writes)} writes in {self.write_seconds:.0f} s made {changes} changes of"
            f" {products} products and {invalidations} invalidations",
            format_counts("Outcomes", Ledger(writes=case.writes).outcomes()),
            format_counts("Faults", faults),
            f"Dead letters: {self.dead_letters}",
            f"Permanent failures retried by the operator: {self.permanent_failures}",
            format_counts("Requests through the proxies", requests),
            format_counts("Processes restarted after they had ended", self.restart_counts),
            latency_line(latencies(case)),
        ]
        return [line for line in lines if not line.endswith(": ")]

    def _stop(self) -> None:
        self.stopping.set()
        self.interrupted.set()
        self.clients.join()
        self.faults.threads.shutdown(wait=False, cancel_futures=True)
        self.stack.stop()
        self.faults.threads.shutdown(wait=True)
        self.stack.stop()  # a running fault may have started processes in the meantime
        if not self.options.keep:
            self.stack.delete_data()


def fresh_home() -> Path:
    """Create the directory of a game's logs and data."""
    return Path(tempfile.mkdtemp(prefix="bbws-gameday-"))
