"""An answer that is computed once for all who ask for it within some seconds."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class SharedAnswer[T]:
    """The latest result of ``compute``, which one thread at a time calls.

    While it does, the others get the result before that, or ``unknown`` if there is none. So a slow
    dependency holds one thread.
    """

    compute: Callable[[], T]
    seconds: float
    unknown: T
    clock: Callable[[], float] = time.monotonic
    latest: tuple[float, T] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self) -> T:
        """Return the result, which is at most ``seconds`` old or being renewed."""
        known = self.latest
        if known and self.clock() - known[0] < self.seconds:
            return known[1]
        if not self.lock.acquire(blocking=False):
            return known[1] if known else self.unknown
        try:
            result = self.compute()
            self.latest = (self.clock(), result)
            return result
        finally:
            self.lock.release()

    def forget(self) -> None:
        """Let the next call compute the result."""
        self.latest = None
