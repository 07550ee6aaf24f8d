"""One connection for each thread."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class ThreadConnections:
    """Opens a connection for each thread, and keeps it while the thread lives."""

    connect: Callable[[], Any]
    _local: threading.local = field(default_factory=threading.local)

    def current(self) -> Any:
        """Return this thread's connection, never one that was opened before a fork."""
        if getattr(self._local, "pid", None) != os.getpid():
            self._local.pid = os.getpid()
            self._local.connection = self.connect()
        return self._local.connection
