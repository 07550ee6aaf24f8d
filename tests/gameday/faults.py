"""Making the schedule's events come about on the stack, each in its time."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from deploy.local.engines import EngineFailed
from tests.gameday.fault_proxy import PASS, Fate, Request
from tests.gameday.onlooker import Onlooker
from tests.gameday.schedule import Event
from tests.gameday.stack import WORKERS, Stack

TRIES = 10
AT_ONCE = 6  # events that may overlap
POISONED = (b'"gd-00"', b'"gd-01"')  # those that are edited most


@dataclass
class Faults:
    """``happened`` counts what was done; ``troubles`` holds what an operator could not do."""

    stack: Stack
    onlooker: Onlooker
    seed: int
    stopping: threading.Event
    say: Callable[[str], None]
    happened: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    running: list[Future[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Its threads live until the stack has stopped, as their processes die with them.
        self.threads = ThreadPoolExecutor(AT_ONCE)
        self.chance = random.Random(f"faults {self.seed}")  # games are repeated, secrets are not

    def begin(self, event: Event) -> None:
        self.running.append(self.threads.submit(self._happen, event, self.chance.random()))

    def finish(self) -> None:
        """Wait for what still happens, and tell of what went wrong with it."""
        for future in self.running:
            future.result()

    def _happen(self, event: Event, drawn: float) -> None:
        if self.stopping.is_set():
            return
        self.say(f"write {event.at_write}: {event}")
        self.happened[
            event.what if event.what in ("kill", "restart", "poison") else f"{event.what} an engine"
        ] += 1
        if event.what == "kill":
            self._kill(event.whom, drawn)
        elif event.what == "restart":
            self._restart(event.whom)
        elif event.what == "poison":
            self._poison(event.seconds)
        else:
            with self.stack.proxies[event.whom].doing(event.what):
                self.stopping.wait(event.seconds)

    def _kill(self, whom: str, drawn: float) -> None:
        worker = WORKERS[int(drawn * len(WORKERS))]

        def choose(parts: list[int]) -> int:
            return parts[int(drawn * len(parts))]

        if whom.endswith(" process"):
            self.stack.kill_part_of("web" if whom.startswith("web") else worker, choose)
        else:
            self.stack.kill(worker if whom == "worker" else whom)

    def _restart(self, engine: str) -> None:
        """The engine is away until it runs again; an index is then filled from the records, by the command for it."""
        names = (
            ["opensearch"] if engine == "opensearch" else ["cloudfront", "dynamodb", "s3", "sqs"]
        )
        if engine == "aws" and "AWS_ENDPOINT_URL_DYNAMODB" in self.stack.others:
            names.remove("dynamodb")  # another engine's, which was not started by us
        with ExitStack() as away:
            for name in names:
                away.enter_context(self.stack.proxies[name].doing("cut"))
            (self.stack.restart_search if engine == "opensearch" else self.stack.restart_aws)()
        if engine == "opensearch":
            self.operate("rebuild_search_index")

    def operate(self, *command: str) -> None:
        """One of the product's commands, again while engines are away, as an operator would."""
        for left in range(TRIES - 1, -1, -1):
            try:
                self.stack.command(*command)
                self.happened["operator's commands"] += 1
                return
            except EngineFailed as failure:
                if self.stopping.wait(1):
                    return
                if not left:
                    self.troubles.append(str(failure))

    def _poison(self, most: float) -> None:
        """The index refuses some documents, for good as it seems, until SQS has given their messages up."""
        proxy = self.stack.proxies["opensearch"]

        def fault(request: Request) -> Fate:
            refused = request.method in ("PUT", "POST") and any(
                part in request.body for part in POISONED
            )
            return 400 if refused else PASS

        with proxy.busy:
            proxy.fault, before = fault, self.onlooker.dead_letters()
            waited = 0.0
            while (
                waited < most
                and self.onlooker.dead_letters() == before
                and not self.stopping.wait(0.5)
            ):
                waited += 0.5
            proxy.fault = proxy.usual
