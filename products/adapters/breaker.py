"""A breaker in front of a dependency: while it hangs, few calls wait for it."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field

from products.errors import DependencyUnavailable

SLOW_SECONDS = 0.5
MAX_SECONDS = 2.5
"""The longest wait for a call: also where a name server hangs, or an answer comes byte by byte."""
PAUSE_SECONDS = 30.0
MAX_WAITING = 4
"""Calls at the same time. Others wait for one of them to end, but at most SLOW_SECONDS."""


@dataclass(slots=True)
class Breaker:
    """Makes calls in threads of its own, and leaves a dependency alone that does not answer.

    After a failure that took SLOW_SECONDS, nothing is called for PAUSE_SECONDS. A call that is
    given up keeps its thread, and counts as running, until its socket times out.
    """

    dependency: str
    clock: Callable[[], float] = time.monotonic
    max_seconds: float = MAX_SECONDS
    paused_until: float = 0.0
    running: dict[object, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    places: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MAX_WAITING))
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(16, "breaker"))

    def call[T](self, request: Callable[[], T]) -> T:
        """Return the result of the request, or raise its error.

        Raises: DependencyUnavailable in the pause, when too many calls wait, or after
        ``max_seconds``.
        """
        self._refuse_while_hanging(self.clock())
        if not self.places.acquire(timeout=SLOW_SECONDS):
            raise DependencyUnavailable(self.dependency, "has too many calls at the moment")
        began, ticket = self.clock(), object()
        with self.lock:
            self.running[ticket] = began
        future = self.threads.submit(copy_context().run, request)
        future.add_done_callback(lambda _: self._end(ticket))
        try:
            return future.result(self.max_seconds)
        except TimeoutError:
            self._pause_if_slow(began)
            raise DependencyUnavailable(self.dependency) from None
        except DependencyUnavailable:
            self._pause_if_slow(began)
            raise

    def _refuse_while_hanging(self, now: float) -> None:
        with self.lock:
            if now < self.paused_until or self._is_hanging(now):
                raise DependencyUnavailable(self.dependency, "did not answer in time just now")

    def _end(self, ticket: object) -> None:
        with self.lock:
            self.running.pop(ticket, None)
        self.places.release()

    def _is_hanging(self, now: float) -> bool:
        oldest = now - min(self.running.values(), default=now)
        is_full = len(self.running) >= MAX_WAITING
        return oldest > self.max_seconds or (is_full and oldest > SLOW_SECONDS)

    def _pause_if_slow(self, began: float) -> None:
        if self.clock() - began >= SLOW_SECONDS:
            self.paused_until = self.clock() + PAUSE_SECONDS
