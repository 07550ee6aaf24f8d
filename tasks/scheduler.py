"""Celery beat with a heartbeat file, so that a hung scheduler is detected and restarted."""

from pathlib import Path
from typing import Any

from celery.beat import Scheduler
from django.conf import settings


class HeartbeatScheduler(Scheduler):
    """Touches the file ``scheduler`` in the workers' heartbeat directory at every tick.

    The schedule is kept in memory: everything on it repeats within minutes, so a restart needs
    no stored state.
    """

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Touch the heartbeat file, then start what is due."""
        directory = Path(settings.HEARTBEAT_DIR)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "scheduler").touch()
        return super().tick(*args, **kwargs)
