"""Answers that no service gives in order: cut, garbled, or with an odd status."""

import random
from collections.abc import Callable

from tests.gameday.fault_proxy import PASS, Action, Fault, Request, Respond

WRONG_EVERY = 2  # requests
PAGE = b"<html><body>The gateway says hello.</body></html>"
BODIES = (b"", b"null", b"[]", b'"text"', PAGE, b'{"__type": 7}', b"\xff\xfe{")
STATUSES = (301, 400, 403, 429, 500, 502, 503)
GARBLED_BODIES = (b"null", b"[]", PAGE, b"\xff\xfe{")
"""Bodies that mean nothing to any client. An empty object would be a lie: that nothing is there."""


def wrong_answers(seed: str) -> Fault:
    """Return the fault that answers wrongly, the same way for the same seed.

    Half of the wrong answers are to requests that the service has carried out.
    """
    chance = random.Random(seed)  # a seed must repeat a game

    def fault(request: Request) -> Action:
        if chance.random() > 1 / WRONG_EVERY:
            return PASS
        if chance.random() < 0.5:
            return Respond(chance.choice(STATUSES), chance.choice(BODIES))
        return chance.choice((_cut(chance.random()), _garbled(chance.choice(GARBLED_BODIES))))

    return fault


def _cut(share: float) -> Callable[[bytes], bytes]:
    """Return what cuts an answer within its body, or in its head if it has none."""

    def cut(answer: bytes) -> bytes:
        head, _, body = answer.partition(b"\r\n\r\n")
        if not body:
            return head[: int(len(head) * share)]
        return head + b"\r\n\r\n" + body[: int(len(body) * share)]

    return cut


def _garbled(body: bytes) -> Callable[[bytes], bytes]:
    """Return what gives an answer another body, with its right length."""

    def garble(answer: bytes) -> bytes:
        status = answer.partition(b"\r\n")[0]
        return b"%b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (
            status,
            len(body),
            body,
        )

    return garble
