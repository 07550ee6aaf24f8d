"""Health check of a worker: ``python -m tasks.heartbeat DIRECTORY QUEUE…`` fails when a queue is not being polled.

SQS gives Celery no remote control, so a worker can't be pinged; the transport touches a file per queue instead, and
the scheduler one named ``scheduler``. This imports next to nothing: it is run every half minute beside the worker.
"""

import sys
import time
from pathlib import Path

from tasks.queues import ANSWER_SECONDS, WAIT_SECONDS

STALE_SECONDS = (
    WAIT_SECONDS + ANSWER_SECONDS + 30
)  # one poll, one that timed out, and some patience


def silent_queues(
    directory: Path, queues: list[str], now: float, stale: float = STALE_SECONDS
) -> list[str]:
    """The queues whose last sign of life is older than ``stale`` seconds, or that never gave one."""
    beats = {queue: directory / queue for queue in queues}
    return [
        queue
        for queue, beat in beats.items()
        if not beat.exists() or now - beat.stat().st_mtime > stale
    ]


def main(arguments: list[str]) -> str | None:
    """None when all is well, else the sentence to exit with."""
    silent = silent_queues(Path(arguments[0]), arguments[1:], time.time())
    return f"not polled for {STALE_SECONDS} s: {', '.join(silent)}" if silent else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
