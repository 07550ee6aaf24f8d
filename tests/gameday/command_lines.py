"""The commands of the product's processes in a game."""

import sys
from pathlib import Path

BIN = Path(sys.executable).parent
WORKERS = ("worker 1", "worker 2")


def command_lines(home: Path) -> dict[str, list[str]]:
    """Return the command of each process by its name."""
    celery = [str(BIN / "celery"), "-q", "-A", "bbws_products"]
    beat = ["beat", "--schedule", str(home / "beat"), "--pidfile=", "--loglevel", "WARNING"]
    return {
        "web": [sys.executable, "-m", "bbws_products.server"],
        **{name: [sys.executable, "-m", "tasks.worker"] for name in WORKERS},
        "scheduler": [*celery, *beat],
    }
