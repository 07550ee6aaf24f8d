"""``python -m bbws_products.server``: the WSGI application on the network, by Granian. Why it, ARCHITECTURE.md tells.

Its lines in the log are ours; it writes none about requests: each has one by ``bbws_products.request_log``, with the ids
that a server does not know.
"""

import os

from django.conf import settings
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from bbws_products.settings.environment import number

KEEP_ALIVE_SECONDS = 75
"""How long a connection may be silent, and a head take to come. A load balancer keeps its own for 60 s: it is never we
who close one that is just being used."""

MAX_HEAD_BYTES = 65_536
"""Bytes of a request's head; a longer one is a 431."""


def build_server() -> MPServer:
    """As the environment says: HOST, PORT, WEB_CONCURRENCY (processes), WEB_THREADS (of each), WEB_GRACEFUL_TIMEOUT
    (seconds that requests have to end). A process that dies is replaced."""
    return MPServer(
        "bbws_products.wsgi:application",
        address=os.environ.get("HOST", "127.0.0.1"),
        port=int(number("PORT", 8000)),
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=int(number("WEB_CONCURRENCY", 2)),
        blocking_threads=int(number("WEB_THREADS", 8)),
        http1_settings=HTTP1Settings(
            header_read_timeout=1000 * KEEP_ALIVE_SECONDS, max_buffer_size=MAX_HEAD_BYTES
        ),
        respawn_failed_workers=True,
        workers_kill_timeout=int(number("WEB_GRACEFUL_TIMEOUT", 25)),
        log_level=LogLevels.error,
        log_dictconfig=settings.LOGGING,
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bbws_products.settings.full")
    build_server().serve()
