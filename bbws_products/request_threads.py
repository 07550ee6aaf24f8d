"""The threads that requests get: those of anybody's costly pages are limited on their own.

Lists, searches and the pages for logging in can be asked for without a login, and take more than a
product. Many clients that loop on them would hold all threads, and every other request would wait.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bbws_products.request_bodies import BODYLESS_METHODS, Environ
from bbws_products.settings.environment import number

LIST = "/v1.0/products"
OPEN_PAGES = (
    "/readyz",
    "/v1.0/schema",
    "/v1.0/docs",
    "/admin/login/",
    "/admin/forgotten-password/",
    "/admin/new-password/",
    "/admin/invitation/",
    "/admin/sign-on/",
    "/api-auth/",
)
SWITCH_SECONDS = 0.001
"""A short request gets its turn after this time from each thread that computes; Python's own 5 ms
would add up."""


class RequestThreads:
    """Threads for costly requests of anybody, and twice as many for all others."""

    def __init__(self, count: int) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        self.others = ThreadPoolExecutor(count, "request")
        self.costly = ThreadPoolExecutor(max(1, count // 2), "costly")

    def for_request(self, environ: Environ) -> ThreadPoolExecutor:
        """Return the threads, one of which answers the request."""
        return self.costly if is_costly_for_anybody(environ) else self.others


def is_costly_for_anybody(environ: dict[str, Any]) -> bool:
    """Whether the request needs no login, and more work than reading a product."""
    path: str = environ["PATH_INFO"]
    is_read = environ["REQUEST_METHOD"] in BODYLESS_METHODS
    return (is_read and path == LIST) or path.startswith(OPEN_PAGES)


threads = RequestThreads(int(number("WEB_THREADS", 8)))
