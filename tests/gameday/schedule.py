"""What will go wrong, and when: chosen from the seed alone, before anything starts. Pure."""

import random
from dataclasses import dataclass

ENGINES = ("dynamodb", "sqs", "s3", "cloudfront", "opensearch")
WRITES_PER_EVENT = 25
SHORT = 300
MAX_EVENTS = 160


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """``what`` happens to ``whom`` once so many writes have been asked for, for so many seconds."""

    at_write: int
    what: str
    whom: str
    seconds: float
    number: int = 0

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.what} {self.whom}{lasting}"


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
"""Each of these happens at least once in a run of SHORT writes or more."""
LIKELY = [
    *[
        ("kill", whom)
        for whom in ("web process", "worker", "worker", "worker process", "web", "scheduler")
    ],
    *[
        (what, engine)
        for what in ("cut", "hang", "slow", "fail", "lose answers of")
        for engine in ENGINES
    ],
    ("cut", "dynamodb"),
    ("hang", "sqs"),
    ("restart", "aws"),
    ("restart", "opensearch"),
    ("poison", "opensearch"),
]
POISON_SECONDS = 45.0  # at most; it takes about 12 until SQS has given a message up


def schedule(seed: int, writes: int, longest: float) -> list[Event]:
    """All that goes wrong in a run of ``writes``, in order; nothing in its last tenth, which belongs to the messages
    that are still under way. ``longest`` is how long one fault may last, in seconds."""
    chance = random.Random(f"schedule {seed}")  # games are repeated, secrets are not
    chosen = _chosen(chance, writes)
    places = sorted(chance.randint(writes // 20, writes * 9 // 10) for _ in chosen)
    events = []
    for number, (place, (what, whom)) in enumerate(zip(places, chosen, strict=True)):
        seconds = {"kill": 0.0, "restart": 0.0, "poison": POISON_SECONDS}.get(what)
        lasting = round(chance.uniform(0.5, longest), 1) if seconds is None else seconds
        events.append(Event(place, what, whom, lasting, number))
    return events


def _chosen(chance: random.Random, writes: int) -> list[tuple[str, str]]:
    if writes < SHORT:
        return chance.sample(ONCE_EACH, k=min(len(ONCE_EACH), writes // 10))
    count = min(max(len(ONCE_EACH), writes // WRITES_PER_EVENT), MAX_EVENTS)
    chosen = ONCE_EACH + chance.choices(LIKELY, k=count - len(ONCE_EACH))
    chance.shuffle(chosen)
    # It takes SQS a while to give a message up, so in a run of few events that comes first.
    return (
        sorted(chosen, key=lambda event: event[0] != "poison")
        if count == len(ONCE_EACH)
        else chosen
    )
