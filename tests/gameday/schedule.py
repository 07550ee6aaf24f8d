"""The schedule of faults, drawn from the seed only, before the game starts."""

import random
from dataclasses import dataclass

ENGINES = ("dynamodb", "sqs", "s3", "cloudfront", "opensearch")
WRITES_PER_EVENT = 25
SHORT = 300
MAX_EVENTS = 160


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """A fault of a target for so many seconds, once the clients have sent ``at_write`` writes."""

    at_write: int
    fault: str
    target: str
    seconds: float
    number: int = 0

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.fault} {self.target}{lasting}"


ONCE_EACH = [
    ("kill", "web"),
    ("kill", "web process"),
    ("kill", "worker"),
    ("kill", "worker process"),
    ("kill", "scheduler"),
    ("restart", "aws"),
    ("restart", "opensearch"),
    ("poison", "opensearch"),
    *[("cut", engine) for engine in ENGINES],
    *[("hang", engine) for engine in ENGINES],
    *[("slow", engine) for engine in ENGINES],
    *[("fail", engine) for engine in ENGINES],
    *[("lose answers of", engine) for engine in ENGINES],
]
"""Each of these happens at least once in a game of SHORT writes or more."""
LIKELY = [
    *[
        ("kill", target)
        for target in ("web process", "worker", "worker", "worker process", "web", "scheduler")
    ],
    *[
        (fault, engine)
        for fault in ("cut", "hang", "slow", "fail", "lose answers of")
        for engine in ENGINES
    ],
    ("cut", "dynamodb"),
    ("hang", "sqs"),
    ("restart", "aws"),
    ("restart", "opensearch"),
    ("poison", "opensearch"),
]
POISON_SECONDS = 45.0  # at most; SQS moves a message to the dead-letter queue after about 12


def schedule(seed: int, writes: int, max_fault_seconds: float) -> list[Event]:
    """Return the faults of a game of ``writes``, in order.

    There are none in the last tenth, so that messages in flight can arrive.
    """
    chance = random.Random(f"schedule {seed}")  # a seed must repeat a game
    chosen = _choose(chance, writes)
    places = sorted(chance.randint(writes // 20, writes * 9 // 10) for _ in chosen)
    events = []
    for number, (place, (fault, target)) in enumerate(zip(places, chosen, strict=True)):
        seconds = {"kill": 0.0, "restart": 0.0, "poison": POISON_SECONDS}.get(fault)
        lasting = round(chance.uniform(0.5, max_fault_seconds), 1) if seconds is None else seconds
        events.append(Event(place, fault, target, lasting, number))
    return events


def _choose(chance: random.Random, writes: int) -> list[tuple[str, str]]:
    if writes < SHORT:
        return chance.sample(ONCE_EACH, k=min(len(ONCE_EACH), writes // 10))
    count = min(max(len(ONCE_EACH), writes // WRITES_PER_EVENT), MAX_EVENTS)
    chosen = ONCE_EACH + chance.choices(LIKELY, k=count - len(ONCE_EACH))
    chance.shuffle(chosen)
    # SQS needs a while to move a message to the dead-letter queue.
    # So in a short game that fault comes first.
    return (
        sorted(chosen, key=lambda event: event[0] != "poison")
        if count == len(ONCE_EACH)
        else chosen
    )
