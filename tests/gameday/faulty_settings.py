"""Settings of a product whose clocks and name look-ups a game day can break."""

import os
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bbws_products.settings.full import *  # noqa: F403
from products import bootstrap
from tests.gameday.process_faults import FOLDER_VARIABLE, NAMES, PROCESS_VARIABLE, clock_file

FAULTS = Path(os.environ[FOLDER_VARIABLE])
CLOCK = FAULTS / clock_file(os.environ.get(PROCESS_VARIABLE, ""))
HANGING_SECONDS = 2.0
right_getaddrinfo = socket.getaddrinfo


def wrong_now() -> datetime:
    """Return the time of a clock that may be wrong."""
    try:
        seconds = float(CLOCK.read_text() or 0)
    except (OSError, ValueError):
        seconds = 0.0
    return datetime.now(UTC) + timedelta(seconds=seconds)


def getaddrinfo(*arguments: Any, **options: Any) -> Any:
    """Look a name up, unless the name server hangs."""
    if (FAULTS / NAMES).exists():
        time.sleep(HANGING_SECONDS)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    return right_getaddrinfo(*arguments, **options)


bootstrap.now = wrong_now
socket.getaddrinfo = getaddrinfo
