"""The threads that requests get: those of anybody's costly pages are limited on their own.

Lists, searches and the pages for logging in can be asked for without a login, and take more than a
product. Many clients that loop on them would hold all threads, and every other request would wait.
Each of the three kinds has few threads, so that they take little of the processor together.
"""

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_plus

from bbws_products.request_bodies import BODYLESS_METHODS, Environ
from bbws_products.settings.environment import number

LIST = "/v1.0/products"
SEARCH = re.compile(r"(?:^|&)q=")
READINESS = "/readyz"
DOCUMENTS = ("/v1.0/schema", "/v1.0/docs")
LOGIN_PAGES = (
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
    """Few threads for each kind of costly requests of anybody, and many for all others.

    Searches and ``/readyz`` wait for other services, so they have more threads than lists and the
    documents of the API.
    """

    def __init__(self, count: int) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        self.others = ThreadPoolExecutor(count, "request")
        self.reads = ThreadPoolExecutor(max(1, count // 8), "read")
        self.searches = ThreadPoolExecutor(max(1, count // 4), "search")
        self.logins = ThreadPoolExecutor(max(1, count // 8), "login")

    def for_request(self, environ: Environ) -> ThreadPoolExecutor:
        """Return the threads, one of which answers the request."""
        if not is_costly_for_anybody(environ):
            return self.others
        path = environ["PATH_INFO"]
        if path.startswith(LOGIN_PAGES):
            return self.logins
        waits = path.startswith(READINESS) or (path == LIST and is_search(environ))
        return self.searches if waits else self.reads


def is_search(environ: dict[str, Any]) -> bool:
    """Whether the query of the request has a ``q``."""
    return SEARCH.search(unquote_plus(environ.get("QUERY_STRING", ""))) is not None


def is_costly_for_anybody(environ: dict[str, Any]) -> bool:
    """Whether the request needs no login, and more work than reading a product.

    A list with a token does need it: a token that is not valid is refused with little work. A
    search may wait for the index, with or without a token.
    """
    path: str = environ["PATH_INFO"]
    has_token = environ.get("HTTP_AUTHORIZATION", "").lower().startswith("bearer ")
    is_read = environ["REQUEST_METHOD"] in BODYLESS_METHODS and path == LIST
    return (is_read and (not has_token or is_search(environ))) or path.startswith(
        (READINESS, *DOCUMENTS, *LOGIN_PAGES)
    )


threads = RequestThreads(int(number("WEB_THREADS", 8)))
