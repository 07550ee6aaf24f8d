"""``python -m bbws_products.server``: serve the application with Granian.

Granian is configured to use our log format and to write no lines about requests.
``bbws_products.request_log`` writes them, with ids that the server does not know.
"""

import os
import resource

from django.conf import settings
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from bbws_products.settings.environment import number

KEEP_ALIVE_SECONDS = 75
"""How long a connection may be idle, and how long a client may take to send a request's headers.

It is longer than the 60 s of a load balancer, so the load balancer always closes a connection
first. If the server closed first, a request that was just being sent would fail.
"""

MAX_HEAD_BYTES = 24_576
"""Of request line and headers; larger ones get a 431. CloudFront sends at most 20,480."""

MAX_CONNECTIONS = 4_000
"""Of each process. While idle clients hold all of them, nobody else is answered; while all of them
send endless headers, they fill about 200 MB."""

OTHER_FILES = 256
"""Files and connections to dependencies that a process has open as well."""


def build_server() -> MPServer:
    """Return a server configured by environment variables.

    HOST, PORT, WEB_CONCURRENCY (processes) and WEB_GRACEFUL_TIMEOUT (seconds that open requests get
    at shutdown). The application itself reads WEB_THREADS. The server replaces a process that ends
    unexpectedly.
    """
    return MPServer(
        "bbws_products.asgi:application",
        address=os.environ.get("HOST", "127.0.0.1"),
        port=int(number("PORT", 8000)),
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        workers=int(number("WEB_CONCURRENCY", 2)),
        backpressure=connection_limit(),
        http1_settings=HTTP1Settings(
            header_read_timeout=1000 * KEEP_ALIVE_SECONDS,  # milliseconds
            max_buffer_size=MAX_HEAD_BYTES,
        ),
        respawn_failed_workers=True,
        workers_kill_timeout=int(number("WEB_GRACEFUL_TIMEOUT", 25)),
        log_level=LogLevels.error,
        log_dictconfig=settings.LOGGING,
    )


def connection_limit() -> int:
    """Return how many connections a process may have, and let it open as many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + OTHER_FILES
    files = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(1, files - OTHER_FILES)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bbws_products.settings.full")
    build_server().serve()
