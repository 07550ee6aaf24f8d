"""An answer that is computed once for all who ask for it within some seconds."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class SharedAnswer[T]:
    """The latest result of ``compute``, which one thread at a time calls.

    While it does, the others get the result before that. So a slow dependency holds one thread.
    """

    compute: Callable[[], T]
    seconds: float
    clock: Callable[[], float] = time.monotonic
    latest: tuple[float, T] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self) -> T:
        """Return the result, which is at most ``seconds`` old or being renewed."""
        known = self.latest
        if known and self.clock() - known[0] < self.seconds:
            return known[1]
        is_renewing = self.lock.acquire(blocking=known is None)  # the first call waits
        try:
            return self._renewed(known) if is_renewing or known is None else known[1]
        finally:
            if is_renewing:
                self.lock.release()

    def forget(self) -> None:
        """Let the next call compute the result."""
        self.latest = None

    def _renewed(self, known: tuple[float, T] | None) -> T:
        """Compute the result, unless another thread has while this one waited."""
        if self.latest is not None and self.latest is not known:
            return self.latest[1]
        result = self.compute()
        self.latest = (self.clock(), result)
        return result
