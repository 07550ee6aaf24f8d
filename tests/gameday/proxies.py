"""The proxies before each backing service and before the web server, and their faults."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.gameday.fault_proxy import HANG, LOSE, PASS, Action, Fault, Proxy, Request
from tests.gameday.message_faults import MessageFaults
from tests.gameday.wrong_answers import wrong_answers

WRONG = "wrong answers of"
LOSE_EVERY = 3  # one response in so many is lost during the fault "lose answers of"
LOSE_CLIENT_ANSWER_EVERY = 150  # one response of the web server in so many is always lost


@dataclass
class FaultyProxy:
    """A proxy with one fault at a time; ``default_fault`` applies between faults."""

    name: str
    target: str
    default_fault: Fault = lambda request: PASS
    busy: threading.Lock = field(default_factory=threading.Lock)
    requests: int = 0
    started: int = 0  # faults so far

    def __post_init__(self) -> None:
        self.proxy = Proxy(self.target, remembers=False)
        self.fault: Fault = self.default_fault
        self.proxy.fault = self._decide

    @property
    def url(self) -> str:
        return self.proxy.url

    def _decide(self, request: Request) -> Action:
        self.requests += 1
        return self.fault(request)

    @contextmanager
    def injecting(self, what: str) -> Iterator[None]:
        """Inject "cut", "hang", "slow", "fail", "lose answers of" or WRONG until the block ends."""
        with self.busy:
            if what == "cut":
                self.proxy.cut()
            else:
                self.started += 1
                seed = f"{self.name} {self.started}"
                self.fault = wrong_answers(seed) if what == WRONG else FAULTS[what]()
            try:
                yield
            finally:
                self.fault = self.default_fault
                if what == "cut":
                    self.proxy.listen()


def _every(number: int, action: Action) -> Fault:
    counted = iter(range(10**9))
    return lambda request: action if next(counted) % number == 0 else PASS


FAULTS = {
    "hang": lambda: _every(1, HANG),
    "slow": lambda: _every(1, 0.4),
    "fail": lambda: _every(1, 503),
    "lose answers of": lambda: _every(LOSE_EVERY, LOSE),
}


@dataclass
class Proxies:
    """All proxies by name. ``fault_counts`` counts the faults of messages and client responses."""

    by_name: dict[str, FaultyProxy]
    fault_counts: Counter[str]

    def __getitem__(self, name: str) -> FaultyProxy:
        return self.by_name[name]

    def close(self) -> None:
        for faulty in self.by_name.values():
            faulty.proxy.close()


def proxies_before(targets: dict[str, str], seed: int) -> Proxies:
    """Start a proxy before each target. ``targets`` maps names to URLs.

    Messages and the responses to clients have faults all the time.
    """
    message_faults = MessageFaults(seed)
    made = {name: FaultyProxy(name, target) for name, target in targets.items()}
    made["sqs"].default_fault = made["sqs"].fault = message_faults
    made["web"].default_fault = made["web"].fault = _lose_write_answers(message_faults.fault_counts)
    return Proxies(made, message_faults.fault_counts)


def _lose_write_answers(fault_counts: Counter[str]) -> Fault:
    counted = iter(range(1, 10**9))

    def fault(request: Request) -> Action:
        if request.method == "GET" or not urlsplit(request.path).path.startswith("/v1.0/"):
            return PASS
        lost = next(counted) % LOSE_CLIENT_ANSWER_EVERY == 0
        fault_counts["answers to clients lost"] += lost
        return LOSE if lost else PASS

    return fault
