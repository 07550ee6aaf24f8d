"""Inject the scheduled faults into the stack."""

import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from deploy.local.engines import EngineFailed
from tests.gameday.command_lines import WORKERS
from tests.gameday.fault_proxy import PASS, Action, Request, Respond
from tests.gameday.hostile_clients import hostile_clients
from tests.gameday.node_faults import FAULTS
from tests.gameday.observer import Observer
from tests.gameday.schedule import HARD, Event
from tests.gameday.stack import Stack

MAX_TRIES = 10
WRONG_CLOCK_SECONDS = 240
OF_ONE_TARGET = {fault for fault, _ in HARD if not fault.startswith("wrong")}
MAX_OVERLAPPING = 6  # faults at the same time
POISONED = (b'"gd-00"', b'"gd-01"')  # the products with the most edits
REFUSAL = b'{"error": {"type": "mapper_parsing_exception", "reason": "injected"}, "status": 400}'


@dataclass
class Faults:
    """Run faults on threads, and count them.

    ``command_failures`` holds the operator's commands that failed in every try.
    """

    stack: Stack
    observer: Observer
    seed: int
    stopping: threading.Event
    say: Callable[[str], None]
    fault_counts: Counter[str] = field(default_factory=Counter)
    command_failures: list[str] = field(default_factory=list)
    running: list[Future[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        # The threads live until the stack has stopped, because their processes end with them.
        self.threads = ThreadPoolExecutor(MAX_OVERLAPPING)
        self.chance = random.Random(f"faults {self.seed}")  # a seed must repeat a game
        self.hard: dict[str, Callable[[Event, float], None]] = {
            "turn the clock of": self._turn_clock,
            "fail the name look-ups of": self._fail_names,
            "lock": self._lock_sql,
            "send hostile clients to": self._send_hostile_clients,
            "send damaged messages to": self._send_damaged_messages,
        }

    def start(self, event: Event) -> None:
        self.running.append(self.threads.submit(self._inject, event, self.chance.random()))

    def finish(self) -> None:
        """Wait for the faults that still run, and raise the errors of their threads."""
        for future in self.running:
            future.result()

    def _inject(self, event: Event, drawn: float) -> None:
        if self.stopping.is_set():
            return
        self.say(f"write {event.at_write}: {event}")
        self.fault_counts[_kind(event)] += 1
        if event.fault == "kill":
            self._kill(event.target, drawn)
        elif event.fault == "restart":
            self._restart(event.target)
        elif event.fault == "poison":
            self._reject_documents(event.seconds)
        elif event.fault in self.hard:
            self.hard[event.fault](event, drawn)
        elif event.fault in FAULTS:
            with self.stack.node_faults.injecting(event.fault):
                self.stopping.wait(event.seconds)
        else:
            with self.stack.proxies[event.target].injecting(event.fault):
                self.stopping.wait(event.seconds)

    def _kill(self, target: str, drawn: float) -> None:
        if target == "search node":
            with self.stack.node_faults.busy:
                self._restart("opensearch")
            return
        worker = WORKERS[int(drawn * len(WORKERS))]

        def choose(parts: list[int]) -> int:
            return parts[int(drawn * len(parts))]

        if target == "web process":
            self.stack.kill_child_of("web", choose)
        else:
            self.stack.kill(worker if target.startswith("worker") else target)

    def _turn_clock(self, event: Event, drawn: float) -> None:
        """Let one process live in the future or in the past for a while."""
        is_worker = event.target == "worker"
        process = WORKERS[int(drawn * len(WORKERS))] if is_worker else event.target
        seconds = WRONG_CLOCK_SECONDS if drawn * 10 % 1 < 0.5 else -WRONG_CLOCK_SECONDS
        with self.stack.process_faults.wrong_clock(process, seconds):
            self.stopping.wait(event.seconds)

    def _fail_names(self, event: Event, drawn: float) -> None:
        with self.stack.process_faults.hanging_names():
            self.stopping.wait(event.seconds)

    def _lock_sql(self, event: Event, drawn: float) -> None:
        """Let nobody write to SQLite for a while. Another database is left alone."""
        url = urlsplit(self.stack.variables()["DATABASE_URL"])
        if url.scheme != "sqlite":
            return
        locking = sqlite3.connect(f"/{url.path.lstrip('/')}", timeout=60, isolation_level=None)
        try:
            locking.execute("BEGIN IMMEDIATE")
            self.stopping.wait(event.seconds)
            locking.execute("ROLLBACK")
        finally:
            locking.close()

    def _send_hostile_clients(self, event: Event, drawn: float) -> None:
        with hostile_clients(self.stack.port):
            self.stopping.wait(event.seconds)

    def _send_damaged_messages(self, event: Event, drawn: float) -> None:
        self.fault_counts["damaged messages"] += self.observer.send_damaged_messages()

    def _restart(self, engine: str) -> None:
        """Restart a service behind cut connections. A search index that is lost is rebuilt."""
        names = (
            ["opensearch"] if engine == "opensearch" else ["cloudfront", "dynamodb", "s3", "sqs"]
        )
        if engine == "aws":
            # The restarted service does not provide these.
            external = self.stack.external_urls
            names = [name for name in names if f"AWS_ENDPOINT_URL_{name.upper()}" not in external]
        restart = self.stack.restart_search if engine == "opensearch" else self.stack.restart_aws
        with ExitStack() as unavailable:
            for name in names:
                unavailable.enter_context(self.stack.proxies[name].injecting("cut"))
            restart()
        if engine == "opensearch" and not self.stack.search_keeps_data:
            self.run_command("rebuild_search_index")

    def run_command(self, *command: str) -> None:
        """Run a command of the product, and retry it while services are unavailable."""
        for left in range(MAX_TRIES - 1, -1, -1):
            try:
                self.stack.command(*command)
                self.fault_counts["operator's commands"] += 1
                return
            except EngineFailed as failure:
                if self.stopping.wait(1):
                    return
                if not left:
                    self.command_failures.append(str(failure))

    def _reject_documents(self, seconds: float) -> None:
        """Let the search index refuse some documents until a message is in a dead-letter queue."""
        proxy = self.stack.proxies["opensearch"]

        def fault(request: Request) -> Action:
            is_write = request.method in ("PUT", "POST")
            is_poisoned = any(part in request.body for part in POISONED)
            return Respond(400, REFUSAL) if is_write and is_poisoned else PASS

        with proxy.busy:
            proxy.fault, before = fault, self.observer.dead_letters()
            waited = 0.0
            while (
                waited < seconds
                and self.observer.dead_letters() == before
                and not self.stopping.wait(0.5)
            ):
                waited += 0.5
            proxy.fault = proxy.default_fault


def _kind(event: Event) -> str:
    """Return what the summary counts this fault as."""
    if event.target.startswith("search "):
        return f"{event.fault} {event.target}"
    if event.fault in OF_ONE_TARGET:
        return f"{event.fault} {event.target}"
    of_process = event.fault in ("kill", "restart", "poison")
    return event.fault if of_process else f"{event.fault} an engine"
