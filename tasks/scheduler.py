"""Celery's scheduler with a sign of life, so that one that hangs is found out and started anew."""

from pathlib import Path
from typing import Any

from celery.beat import Scheduler


class HeartbeatScheduler(Scheduler):
    """Touches the file ``scheduler`` among the workers' heartbeats at every turn.

    Its schedule is kept in memory: all that is scheduled repeats within minutes, so a restart has nothing to remember.
    """

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        directory = Path(self.app.conf.broker_transport_options["heartbeat_dir"])
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "scheduler").touch()
        return super().tick(*args, **kwargs)
