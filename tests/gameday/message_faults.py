"""Faults of messages on their way to SQS: duplicates, delays, reordering and losses."""

import hashlib
import json
import random
import threading
from collections import Counter
from dataclasses import dataclass, field

from tests.gameday.fault_proxy import PASS, Action, Replace, Request

DOUBLED_SHARE, DELAYED_SHARE, LOST_SHARE = 0.10, 0.10, 0.03
MAX_DELAY_SECONDS = 6  # long enough for later messages to overtake


@dataclass
class MessageFaults:
    """The permanent fault of the proxy before SQS."""

    seed: int
    fault_counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"messages {self.seed}")  # a seed must repeat a game

    def __call__(self, request: Request) -> Action:
        if request.operation != "SendMessage":
            return PASS
        with self.lock:
            drawn, seconds = self.chance.random(), self.chance.randint(1, MAX_DELAY_SECONDS)
            what = _choose(drawn)
            self.fault_counts[f"messages {what}"] += 1
        if what == "doubled":
            return Replace((request.body, request.body))
        if what == "delayed":
            sent = json.loads(request.body)
            sent["DelaySeconds"] = int(sent.get("DelaySeconds", 0)) + seconds
            return Replace((json.dumps(sent).encode(),))
        if what == "lost":
            return Replace((), _fake_receipt(request))
        return PASS


def _choose(drawn: float) -> str:
    for share, what in (
        (DOUBLED_SHARE, "doubled"),
        (DELAYED_SHARE, "delayed"),
        (LOST_SHARE, "lost"),
    ):
        if drawn < share:
            return what
        drawn -= share
    return "delivered"


def _fake_receipt(request: Request) -> bytes:
    """Return SQS's response for a message that is not sent."""
    text = json.loads(request.body)["MessageBody"]
    checksum = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return json.dumps({"MessageId": checksum, "MD5OfMessageBody": checksum}).encode()
