"""Health check of a worker: ``python -m tasks.heartbeat DIRECTORY QUEUE...``

It fails when a queue is not being polled. Nothing can connect to a worker, so the worker touches a
file for each queue, and the scheduler one named ``scheduler``. This module imports very little: it
runs every half minute next to the worker.
"""

import sys
import time
from pathlib import Path

from tasks.queues import LONG_POLL_SECONDS, POLL_GRACE_SECONDS

STALE_SECONDS = LONG_POLL_SECONDS + POLL_GRACE_SECONDS + 30
"""The age at which a heartbeat is stale: one long poll, one that timed out, and a margin."""


def silent_queues(
    directory: Path, queues: list[str], now: float, stale: float = STALE_SECONDS
) -> list[str]:
    """Return the queues without a heartbeat in the last ``stale`` seconds."""
    return [queue for queue in queues if not _is_fresh(directory / queue, now - stale)]


def _is_fresh(file: Path, since: float) -> bool:
    return file.exists() and file.stat().st_mtime >= since


def main(arguments: list[str]) -> str | None:
    """Return the message to exit with, or None when every queue is polled."""
    directory, *queues = arguments
    silent = silent_queues(Path(directory), queues, time.time())
    return f"not polled for {STALE_SECONDS} s: {', '.join(silent)}" if silent else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
