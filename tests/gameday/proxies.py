"""One proxy before each engine and one before the web server, and what each is doing to those who call."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.gameday.fault_proxy import HANG, LOSE, PASS, Fate, Fault, Proxy, Request
from tests.gameday.messages import Tampering

LOSE_EVERY = 3  # answers, while an engine loses some
LOST_ALWAYS = 150  # one answer of the web server in so many never arrives


@dataclass
class FaultyProxy:
    """A proxy whose ``fault`` is one at a time; ``usual`` is what happens when nothing else does."""

    name: str
    target: str
    usual: Fault = lambda request: PASS
    busy: threading.Lock = field(default_factory=threading.Lock)
    requests: int = 0

    def __post_init__(self) -> None:
        self.proxy = Proxy(self.target, remembers=False)
        self.fault: Fault = self.usual
        self.proxy.fault = self._decide

    @property
    def url(self) -> str:
        return self.proxy.url

    def _decide(self, request: Request) -> Fate:
        self.requests += 1
        return self.fault(request)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """``cut``, ``hang``, ``slow``, ``fail`` or ``lose answers of`` it, until the block ends."""
        with self.busy:
            if what == "cut":
                self.proxy.cut()
            else:
                self.fault = FAULTS[what]()
            try:
                yield
            finally:
                self.fault = self.usual
                if what == "cut":
                    self.proxy.listen()


def _every(number: int, fate: Fate) -> Fault:
    counted = iter(range(10**9))
    return lambda request: fate if next(counted) % number == 0 else PASS


FAULTS = {
    "hang": lambda: _every(1, HANG),
    "slow": lambda: _every(1, 0.4),
    "fail": lambda: _every(1, 503),
    "lose answers of": lambda: _every(LOSE_EVERY, LOSE),
}


@dataclass
class Proxies:
    """By name; ``happened`` counts what was done to messages."""

    by_name: dict[str, FaultyProxy]
    happened: Counter[str]

    def __getitem__(self, name: str) -> FaultyProxy:
        return self.by_name[name]

    def close(self) -> None:
        for faulty in self.by_name.values():
            faulty.proxy.close()


def proxies_before(targets: dict[str, str], seed: int) -> Proxies:
    """``targets`` are the addresses by name; those of messages and of answers to clients are tampered with always."""
    tampering = Tampering(seed)
    made = {name: FaultyProxy(name, target) for name, target in targets.items()}
    made["sqs"].usual = made["sqs"].fault = tampering
    made["web"].usual = made["web"].fault = _writes_lost(tampering.happened)
    return Proxies(made, tampering.happened)


def _writes_lost(happened: Counter[str]) -> Fault:
    counted = iter(range(1, 10**9))

    def fault(request: Request) -> Fate:
        if request.method == "GET" or not urlsplit(request.path).path.startswith("/v1.0/"):
            return PASS
        lost = next(counted) % LOST_ALWAYS == 0
        happened["answers to clients lost"] += lost
        return LOSE if lost else PASS

    return fault
