"""A game day from its first process to its last: start, play, calm down, judge, report."""

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

from tests.gameday.case import Case, Verdict
from tests.gameday.checks import judged
from tests.gameday.clients import Clients
from tests.gameday.evidence import Evidence, collect, writes_of
from tests.gameday.faults import Faults
from tests.gameday.ledger import Ledger
from tests.gameday.onlooker import Onlooker, only_failed, waits_for
from tests.gameday.report import counted, latencies, latency_line, page, table
from tests.gameday.schedule import schedule
from tests.gameday.stack import Stack

LONG = 1000  # writes from which on faults last longer
LOOK_EVERY = 1.0  # seconds
BROKEN, KEPT_ALL, INTERRUPTED = 1, 0, 130


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or a request to end; whatever is under way on the main thread is left, and everything is stopped.

    No Exception, since botocore would take that for a fault of the engine.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``seconds`` bounds the playing, ``calm`` how long everything may take to come about after it."""

    writes: int = 1500
    seed: int = field(default_factory=lambda: random.SystemRandom().randrange(10**6))
    seconds: float = 3600
    calm: float = 240
    keep: bool = False
    report: Path | None = None
    """The Markdown page to write, if any."""


@dataclass
class Game:
    options: Options
    stack: Stack
    ledger: Ledger = field(default_factory=Ledger)
    stopping: threading.Event = field(default_factory=threading.Event)
    interrupted: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self.revived: Counter[str] = Counter()
        options = self.options
        self.clients = Clients(self.stack, self.ledger, options.seed, options.writes, self.stopping)
        self.onlooker = Onlooker(
            dynamodb_url=self.stack.dynamodb_url,
            aws_url=self.stack.engines.aws_url,
            table=self.stack.table,
            env=self.stack.env,
        )
        self.faults = Faults(self.stack, self.onlooker, options.seed, self.interrupted, self.say)
        self.longest = 1.5 if options.writes < LONG else 4.0

    def say(self, text: str) -> None:
        print(
            f"{time.monotonic() - self.began:7.1f} s  {text}\n", end="", flush=True
        )  # one write: threads speak here

    def play(self) -> int:
        """The exit status."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupt)
        self.say(f"game day: {self.options.writes} writes, seed {self.options.seed}")
        try:
            self._start()
            self._drive()
            self._calm()
            return self._judge()
        except Interrupted:
            self.say("interrupted; nothing is judged")
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
        self.say(f"engines, web server, workers and scheduler run; logs are in {self.stack.home}")
        self.clients.arrive()
        self.say(
            f"{len(self.clients.api)} clients of the API, {len(self.clients.admin)} of the admin are there"
        )

    def _drive(self) -> None:
        """Let the clients play, and each event happen once so many writes have been asked for."""
        left = schedule(self.options.seed, self.options.writes, self.longest)
        deadline = time.monotonic() + self.options.seconds
        self.clients.begin()
        told, look = 0, 0.0
        while self.clients.busy():
            if time.monotonic() > deadline:
                self.stopping.set()
            count = self.ledger.count()
            while left and left[0].at_write <= count and not self.stopping.is_set():
                self.faults.begin(left.pop(0))
            self.revived.update(self.stack.revive())
            if time.monotonic() > look:
                look = time.monotonic() + LOOK_EVERY
                self.clients.mind(self.onlooker.open_count())
            if count >= told + 500:
                told = count
                self.say(f"{count} writes asked for")
            time.sleep(0.1)
        self.clients.leave()
        self.faults.finish()
        self.played = time.monotonic() - self.began
        self.say(
            f"all clients have left after {self.ledger.count()} writes; waiting until it is calm"
        )

    # Calm

    def _calm(self) -> None:
        """Until nothing is open: by itself first, then with the operator's help for what was refused for good."""
        self.left_open = self._wait_until_calm(but_for_failed=True)
        self.dead = self.onlooker.dead_letters()
        failed = self.onlooker.open_changes()
        self.failed = len(failed)
        if failed:
            self.say(f"{len(failed)} changes were refused for good; the operator retries them")
            self.faults.operate("ring_open_changes", "--failed")
            self._wait_until_calm(but_for_failed=False)
        self.say("it is calm" if not self.left_open else f"{len(self.left_open)} changes stay open")

    def _wait_until_calm(self, *, but_for_failed: bool) -> list[str]:
        """What is still open when the time is up."""
        deadline = time.monotonic() + self.options.calm
        while True:
            waiting = [
                change
                for change in self.onlooker.open_changes()
                if not (but_for_failed and only_failed(change))
            ]
            waiting += self.onlooker.running_jobs()
            if not waiting or time.monotonic() > deadline or self.interrupted.wait(1):
                return [waits_for(item) for item in waiting]
            self.revived.update(self.stack.revive())

    # Judging

    def _judge(self) -> int:
        evidence = collect(
            dynamodb_url=self.stack.dynamodb_url,
            aws_url=self.stack.engines.aws_url,
            search_url=self.stack.engines.search_url,
            table=self.stack.table,
            bucket=self.stack.bucket,
            distribution=self.stack.distribution,
        )
        self.say("everything is read; judging")
        case = self._case(evidence)
        verdicts = judged(case)
        broken = sum(len(verdict.violations) for verdict in verdicts)
        happened = self._happened(case)
        print(f"\n{table(verdicts)}\n\n{'\n'.join(happened)}\n", flush=True)
        if self.options.report:
            self._write_report(self.options.report, verdicts, happened)
        print(
            "No promise was broken." if not broken else f"BROKEN: {broken} violations.", flush=True
        )
        print(
            f'Repeat it: make gameday ARGS="--seed {self.options.seed} --writes {self.options.writes}"',
            flush=True,
        )
        print(
            "(the same faults and the same clients' decisions; how they interleave is the machine's)",
            flush=True,
        )
        return BROKEN if broken else KEPT_ALL

    def _case(self, evidence: Evidence) -> Case:
        rows = [write for bulk in self.ledger.bulks for write in writes_of(bulk, evidence)]
        return Case(
            evidence,
            self.ledger.writes + rows,
            self.ledger.reads,
            self.ledger.errors + self.faults.troubles,
            self.left_open,
        )

    def _write_report(self, path: Path, verdicts: list[Verdict], happened: list[str]) -> None:
        given = f"--writes {self.options.writes} --seed {self.options.seed} --report {path}"
        command = f'make gameday ARGS="{given}"'
        path.write_text(
            page(
                verdicts,
                happened,
                command=command,
                seed=self.options.seed,
                at=datetime.now(UTC),
            )
        )
        self.say(f"the report is in {path}")

    def _happened(self, case: Case) -> list[str]:
        changes = sum(1 for _ in case.evidence.every_change())
        requests = {name: proxy.requests for name, proxy in self.stack.proxies.by_name.items()}
        lines = [
            f"{len(case.writes)} writes in {self.played:.0f} s made {changes} changes of {len(case.evidence.changes)}"
            f" products, {len(case.evidence.invalidations)} invalidations",
            counted("Told in the end", Ledger(writes=case.writes).outcomes()),
            counted("Done on purpose", self.faults.happened + self.stack.proxies.happened),
            f"Dead letters: {self.dead}; changes refused for good, then retried by the operator: {self.failed}",
            counted("Requests through the proxies", requests),
            counted("Started again after ending by themselves", self.revived),
            latency_line(latencies(case)),
        ]
        return [line for line in lines if not line.endswith(": ")]

    def _stop(self) -> None:
        self.stopping.set()
        self.interrupted.set()
        self.clients.leave()
        self.faults.threads.shutdown(wait=False, cancel_futures=True)
        self.stack.stop()
        self.faults.threads.shutdown(wait=True)
        self.stack.stop()  # what a fault that was under way has started meanwhile
        if not self.options.keep:
            self.stack.forget()


def fresh_home() -> Path:
    return Path(tempfile.mkdtemp(prefix="bbws-gameday-"))
