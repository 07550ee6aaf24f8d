"""What may happen to a message on its way into SQS: it comes twice, late, out of order, or never."""

import hashlib
import json
import random
import threading
from collections import Counter
from dataclasses import dataclass, field

from tests.gameday.fault_proxy import PASS, Fate, Instead, Request

TWICE, LATE, LOST = 0.10, 0.10, 0.03
MAX_DELAY_SECONDS = 6  # seconds; whatever was sent meanwhile comes first


@dataclass
class Tampering:
    """A fault of the proxy before SQS. ``happened`` counts what was done."""

    seed: int
    happened: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"messages {self.seed}")  # games are repeated, secrets are not

    def __call__(self, request: Request) -> Fate:
        if request.operation != "SendMessage":
            return PASS
        with self.lock:
            drawn, seconds = self.chance.random(), self.chance.randint(1, MAX_DELAY_SECONDS)
            what = _fate_of(drawn)
            self.happened[f"messages {what}"] += 1
        if what == "doubled":
            return Instead((request.body, request.body))
        if what == "delayed":
            sent = json.loads(request.body)
            sent["DelaySeconds"] = int(sent.get("DelaySeconds", 0)) + seconds
            return Instead((json.dumps(sent).encode(),))
        if what == "lost":
            return Instead((), _receipt_of(request))
        return PASS


def _fate_of(drawn: float) -> str:
    for share, what in ((TWICE, "doubled"), (LATE, "delayed"), (LOST, "lost")):
        if drawn < share:
            return what
        drawn -= share
    return "delivered"


def _receipt_of(request: Request) -> bytes:
    """What SQS would have said to a message that nobody will ever see."""
    text = json.loads(request.body)["MessageBody"]
    checksum = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return json.dumps({"MessageId": checksum, "MD5OfMessageBody": checksum}).encode()
