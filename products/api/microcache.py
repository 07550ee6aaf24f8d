"""A microcache for public reads, in front of Django and inside each process.

It is a shared cache as RFC 9111 defines it and knows no rule of the catalogue. ``Cache-Control:
public`` decides what is cached, ``Vary`` decides for whom, and ``If-None-Match`` is compared with
the cached ETag. ``docs/decisions/`` explains why this breaks no promise about stale reads.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings

from products.api.etags import etag_matches
from products.api.middleware import RATE_HEADERS, per_request_headers, valid_or_new_id
from products.api.throttling import public_client, record_call

PATH = "/v1.0/products"
ADDRESS = ("wsgi.url_scheme", "HTTP_HOST", "HTTP_X_FORWARDED_PROTO", "PATH_INFO", "QUERY_STRING")
VARIES = {"accept": "HTTP_ACCEPT", "origin": "HTTP_ORIGIN"}
ABSENT = {"authorization": "HTTP_AUTHORIZATION", "cookie": "HTTP_COOKIE"}
"""A request with one of these headers may come from staff, so it bypasses the cache."""
KEY = (*ADDRESS, *VARIES.values())
PER_REQUEST_HEADERS = {"x-request-id", *map(str.lower, RATE_HEADERS)}
BODY_HEADERS = {"content-type", "content-length"}
MAX_RESPONSES = 256

Headers = list[tuple[str, str]]
CacheKey = tuple[object, ...]
Write = Callable[[bytes], object]
OnHit = Callable[[Mapping[str, object], int, str], None]


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A response without its per-request headers.

    ``read_at`` is a time before its data was read, in seconds of the cache's clock.
    """

    status: str
    headers: Headers
    body: bytes
    read_at: float

    @property
    def is_shareable(self) -> bool:
        """Whether every request with the same cache key may get this response."""
        values = {name.lower(): value.lower() for name, value in self.headers}
        varies = {name.strip() for name in values.get("vary", "").split(",")}
        is_ok = self.status.startswith("200")
        is_public = values.get("cache-control", "").startswith("public")
        return is_ok and is_public and varies <= VARIES.keys() | ABSENT.keys()

    def etag(self) -> str | None:
        """Return the value of the ETag header."""
        return next((value for name, value in self.headers if name.lower() == "etag"), None)


def ignore_hit(environ: Mapping[str, object], status: int, request_id: str) -> None:
    """Do nothing on a cache hit."""


@dataclass(slots=True)
class Microcache:
    """A WSGI application that caches the public responses of another one.

    ``seconds`` is how long a response is reused; 0 switches the cache off. ``on_hit`` is called for
    each response from the cache, because no code behind the cache sees that request.
    """

    application: WSGIApplication
    seconds: float
    on_hit: OnHit = ignore_hit
    clock: Callable[[], float] = time.monotonic
    responses: dict[CacheKey, CachedResponse] = field(default_factory=dict)
    locks: dict[CacheKey, threading.Lock] = field(default_factory=dict)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if not self.seconds or not _is_cacheable(environ):
            return self.application(environ, start)
        key = tuple(map(environ.get, KEY))
        if hit := self._lookup(key):
            return self._serve_hit(environ, start, hit) or self.application(environ, start)
        return self._serve_single_flight(environ, start, key)

    def serve_cached(self, environ: WSGIEnvironment, start: StartResponse) -> list[bytes] | None:
        """Answer from the cache, which never waits; return None where that is not possible."""
        if not self.seconds or not _is_cacheable(environ):
            return None
        hit = self._lookup(tuple(map(environ.get, KEY)))
        return self._serve_hit(environ, start, hit) if hit else None

    def _lookup(self, key: CacheKey) -> CachedResponse | None:
        """Return the response under this key, unless it has expired."""
        response = self.responses.get(key)
        if response is None or self.clock() - response.read_at >= self.seconds:
            return None
        return response

    def _serve_hit(
        self, environ: WSGIEnvironment, start: StartResponse, hit: CachedResponse
    ) -> list[bytes] | None:
        """Send a cached response. None above the client's limit: the application answers 429."""
        limit = settings.THROTTLE_PUBLIC
        rate = record_call(public_client(environ), limit) if limit else None
        if limit and rate is None:
            return None
        request_id = valid_or_new_id(environ.get("HTTP_X_REQUEST_ID", ""))
        headers = per_request_headers(request_id, rate)
        status, parts = _send(environ, start, hit, headers)
        self.on_hit(environ, status, request_id)
        return parts

    def _serve_single_flight(
        self, environ: WSGIEnvironment, start: StartResponse, key: CacheKey
    ) -> Iterable[bytes]:
        """Let one of several concurrent requests read, while the others wait for its response.

        Nobody waits longer than a response is reused.
        """
        lock = self.locks.setdefault(key, threading.Lock())
        is_acquired = lock.acquire(timeout=self.seconds)
        try:
            if hit := self._lookup(key):
                return self._serve_hit(environ, start, hit) or self.application(environ, start)
            return self._serve_miss(environ, start, key)
        finally:
            if is_acquired:
                lock.release()

    def _serve_miss(
        self, environ: WSGIEnvironment, start: StartResponse, key: CacheKey
    ) -> Iterable[bytes]:
        """Ask the application, cache its response if it is shareable, and send it.

        The application gets the request without its condition: a 304 could not be cached.
        """
        unconditional = {
            name: value for name, value in environ.items() if name != "HTTP_IF_NONE_MATCH"
        }
        response, own_headers = _call(self.application, unconditional, self.clock())
        if len(self.locks) > MAX_RESPONSES:
            self.responses.clear()
            self.locks.clear()
        if response.is_shareable:
            self.responses[key] = response
        return _send(environ, start, response, own_headers)[1]


def _is_cacheable(environ: Mapping[str, object]) -> bool:
    """Check whether this is a read of products without anything that identifies the caller."""
    path = str(environ["PATH_INFO"])
    is_read = environ["REQUEST_METHOD"] == "GET" and path.startswith(PATH)
    return is_read and not any(name in environ for name in ABSENT.values())


def _call(
    application: WSGIApplication, environ: WSGIEnvironment, now: float
) -> tuple[CachedResponse, Headers]:
    """Call the application. Return its response and, separately, its per-request headers."""
    started: list[tuple[str, Headers]] = []
    chunks: list[bytes] = []

    def start(status: str, headers: Headers, *_: object) -> Write:
        started.append((status, headers))
        return chunks.append

    parts = application(environ, start)
    try:
        chunks.extend(parts)
    finally:
        if close := getattr(parts, "close", None):
            close()
    body = b"".join(chunks)
    status, headers = started[0]
    shared = [header for header in headers if header[0].lower() not in PER_REQUEST_HEADERS]
    own = [header for header in headers if header[0].lower() in PER_REQUEST_HEADERS]
    return CachedResponse(status, shared, body, now), own


def _send(
    environ: Mapping[str, object], start: StartResponse, response: CachedResponse, own: Headers
) -> tuple[int, list[bytes]]:
    """Start the response, or a 304 if the caller already has it. Return its status and body."""
    condition, etag = environ.get("HTTP_IF_NONE_MATCH"), response.etag()
    if condition is None or etag is None or not etag_matches(str(condition), etag):
        start(response.status, response.headers + own)
        return int(response.status[:3]), [response.body]
    kept = [header for header in response.headers if header[0].lower() not in BODY_HEADERS]
    start(f"304 {HTTPStatus.NOT_MODIFIED.phrase}", kept + own)
    return int(HTTPStatus.NOT_MODIFIED), [b""]
