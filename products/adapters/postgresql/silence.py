"""A breaker for a database that accepts connections or statements, and answers nothing."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

PAUSE_SECONDS = 5.0
SLOW_SECONDS = 0.5
MAX_WAITING = 4  # threads of a process that wait for answers; others wait until one has its own
REFUSED = "the database did not answer in time just now"


@dataclass(slots=True)
class Silence:
    """Lets few threads wait for the database while it is silent.

    After a time-out, no thread waits for PAUSE_SECONDS. Then one at a time does, until an answer
    arrives.
    """

    clock: Callable[[], float] = time.monotonic
    paused_until: float = 0.0
    is_suspected: bool = False
    waiting: dict[object, float] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Make a call that ends after ``seconds``, and note a time-out.

        Raises: psycopg.OperationalError instead of a call that would wait for a silent server.
        """
        ticket = object()
        began = self._enter(ticket)
        try:
            yield
            self.is_suspected = False
        except psycopg.OperationalError:
            if self.clock() - began >= seconds:
                self.is_suspected = True
                self.paused_until = self.clock() + PAUSE_SECONDS
            raise
        finally:
            with self.changed:
                del self.waiting[ticket]
                self.changed.notify()

    def _enter(self, ticket: object) -> float:
        """Wait until few others wait. Return when the call begins."""
        with self.changed:
            while self.waiting and len(self.waiting) >= self._max_waiting():
                left = min(self.waiting.values()) + SLOW_SECONDS - self.clock()
                if left <= 0 or self.is_suspected:
                    raise psycopg.OperationalError(REFUSED)
                self.changed.wait(left)
            began = self.clock()
            if began < self.paused_until:
                raise psycopg.OperationalError(REFUSED)
            self.waiting[ticket] = began
            return began

    def _max_waiting(self) -> int:
        return 1 if self.is_suspected else MAX_WAITING


SILENCE = Silence()
"""What the threads of this process know about the database."""
