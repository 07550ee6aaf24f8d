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
LONG = 1000
"""Games of so many writes or more have the faults of HARD, too."""
HARD = [
    *[("wrong answers of", engine) for engine in ENGINES],
    ("turn the clock of", "web"),
    ("turn the clock of", "worker"),
    ("turn the clock of", "worker"),
    ("fail the name look-ups of", "processes"),
    ("lock", "sql"),
    ("send hostile clients to", "web"),
    ("send damaged messages to", "queues"),
]
"""These happen once in every WRITES_PER_HARD_FAULTS writes."""
WRITES_PER_HARD_FAULTS = 1000
OF_A_NODE = [
    ("block writes to", "search index"),
    ("make read-only", "search index"),
    ("close", "search index"),
    ("fill the disk of", "search node"),
    ("kill", "search node"),
]
"""The faults of a real OpenSearch node. They take the place of REPLACED_BY_A_NODE."""
REPLACED_BY_A_NODE = {("restart", "opensearch"), ("poison", "opensearch")}
MAX_NODE_SECONDS = 12.0
FULL_DISK_SECONDS = 40.0  # the node looks at its disk every 30 seconds, and then every 10
POISON_SECONDS = 45.0  # at most; SQS moves a message to the dead-letter queue after about 12
FIXED_SECONDS = {
    "kill": 0.0,
    "restart": 0.0,
    "poison": POISON_SECONDS,
    "fill the disk of": FULL_DISK_SECONDS,
    "turn the clock of": 30.0,
    "lock": 25.0,  # longer than a writer waits
    "send hostile clients to": 10.0,
    "send damaged messages to": 0.0,
}
WRITES_PER_NODE_FAULTS = 700


def schedule(
    seed: int, writes: int, max_fault_seconds: float, *, has_node: bool = False
) -> list[Event]:
    """Return the faults of a game of ``writes``, in order.

    There are none in the last tenth, so that messages in flight can arrive. ``has_node`` is whether
    the search index is a real OpenSearch node, which has faults of its own.
    """
    chance = random.Random(f"schedule {seed}")  # a seed must repeat a game
    chosen = _choose(chance, writes)
    if has_node:
        chosen = _with_node_faults(chosen, chance, writes)
    if writes >= LONG:
        chosen = chosen + HARD * (writes // WRITES_PER_HARD_FAULTS)
        chance.shuffle(chosen)
    places = sorted(chance.randint(writes // 20, writes * 9 // 10) for _ in chosen)
    events = []
    for number, (place, (fault, target)) in enumerate(zip(places, chosen, strict=True)):
        longest = MAX_NODE_SECONDS if target == "search index" else max_fault_seconds
        drawn = round(chance.uniform(0.5, longest), 1)
        lasting = FIXED_SECONDS.get(fault, drawn)
        events.append(Event(place, fault, target, lasting, number))
    return events


def _with_node_faults(
    chosen: list[tuple[str, str]], chance: random.Random, writes: int
) -> list[tuple[str, str]]:
    kept = [event for event in chosen if event not in REPLACED_BY_A_NODE]
    events = kept + OF_A_NODE * max(1, writes // WRITES_PER_NODE_FAULTS)
    chance.shuffle(events)
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
