"""Public answers given again for a moment: a shared cache as RFC 9111 has it, in front of Django, in this process.

It knows no rule of the catalogue. What may be kept is what the answer itself calls ``public``; which requests get it is
what its ``Vary`` etag_matches; ``If-None-Match`` is compared with its ETag. Why this breaks no promise stands in
ARCHITECTURE.md, "Hot answers".
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.conf import settings

from products.api.middleware import RATE_HEADERS, per_request_headers, valid_or_new_id
from products.api.queries import etag_matches
from products.api.throttling import public_name, record_call

PATH = "/v1.0/products"
ADDRESS = ("wsgi.url_scheme", "HTTP_HOST", "HTTP_X_FORWARDED_PROTO", "PATH_INFO", "QUERY_STRING")
VARIES = {"accept": "HTTP_ACCEPT", "origin": "HTTP_ORIGIN"}
ABSENT = {"authorization": "HTTP_AUTHORIZATION", "cookie": "HTTP_COOKIE"}
"""Whoever sends one of these may be more than the public, so such a request passes by."""
KEY = (*ADDRESS, *VARIES.values())
OWN = {"x-request-id", *map(str.lower, RATE_HEADERS)}
OF_BODY = {"content-type", "content-length"}
MAX_RESPONSES = 256

Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """``read_at`` is a moment before anything was read for it, in seconds of the cache's clock."""

    status: str
    headers: Headers
    body: bytes
    read_at: float

    @property
    def shareable(self) -> bool:
        """Whether it is everybody's, as far as the key tells callers apart."""
        told = {name.lower(): value.lower() for name, value in self.headers}
        varies = {name.strip() for name in told.get("vary", "").split(",")}
        public = told.get("cache-control", "").startswith("public")
        return self.status.startswith("200") and public and varies <= VARIES.keys() | ABSENT.keys()

    def etag(self) -> str | None:
        return next((value for name, value in self.headers if name.lower() == "etag"), None)


@dataclass(slots=True)
class Microcache:
    """Stands before the WSGI ``application``. ``seconds`` is for how long an answer is given again; 0 is never."""

    application: Application
    seconds: float
    note: Callable[[Mapping[str, Any], int, str], None] = lambda environ, status, request_id: None
    """Told of each answer that was given again, as nobody behind this hears of it."""
    clock: Callable[[], float] = time.monotonic
    answers: dict[tuple[Any, ...], CachedResponse] = field(default_factory=dict)
    reading: dict[tuple[Any, ...], threading.Lock] = field(default_factory=dict)

    def __call__(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        if not self.seconds or not _is_public(environ):
            return self.application(environ, start)
        key = tuple(map(environ.get, KEY))
        standing = self._standing(key)
        return (
            self._again(environ, start, standing) if standing else self._alone(environ, start, key)
        )

    def _standing(self, key: tuple[Any, ...]) -> CachedResponse | None:
        standing = self.answers.get(key)
        return standing if standing and self.clock() - standing.read_at < self.seconds else None

    def _again(
        self, environ: dict[str, Any], start: StartResponse, standing: CachedResponse
    ) -> Iterable[bytes]:
        limit = settings.THROTTLE_PUBLIC
        rate = record_call(public_name(environ), limit) if limit else None
        if limit and rate is None:
            return self.application(environ, start)  # which knows how to refuse
        request_id = valid_or_new_id(environ.get("HTTP_X_REQUEST_ID", ""))
        status, parts = _given(environ, start, standing, per_request_headers(request_id, rate))
        self.note(environ, status, request_id)
        return parts

    def _alone(
        self, environ: dict[str, Any], start: StartResponse, key: tuple[Any, ...]
    ) -> Iterable[bytes]:
        """Of all who ask at the same moment one reads. The others wait for its answer, but no longer than one lasts."""
        lock = self.reading.setdefault(key, threading.Lock())
        turn = lock.acquire(timeout=self.seconds)
        try:
            standing = self._standing(key)
            return (
                self._again(environ, start, standing)
                if standing
                else self._fresh(environ, start, key)
            )
        finally:
            if turn:
                lock.release()

    def _fresh(
        self, environ: dict[str, Any], start: StartResponse, key: tuple[Any, ...]
    ) -> Iterable[bytes]:
        """The application's answer - to the unconditional request, so that there is one to keep."""
        whole = {name: value for name, value in environ.items() if name != "HTTP_IF_NONE_MATCH"}
        answer, own = _answer_of(self.application, whole, self.clock())
        if len(self.reading) > MAX_RESPONSES:
            self.answers.clear()
            self.reading.clear()
        if answer.shareable:
            self.answers[key] = answer
        return _given(environ, start, answer, own)[1]


def _is_public(environ: Mapping[str, Any]) -> bool:
    path: str = environ["PATH_INFO"]
    of_products = environ["REQUEST_METHOD"] == "GET" and path.startswith(PATH)
    return of_products and not any(name in environ for name in ABSENT.values())


def _answer_of(
    application: Application, environ: dict[str, Any], now: float
) -> tuple[CachedResponse, Headers]:
    """The whole answer, and apart from it what is only this request's."""
    started: list[tuple[str, Headers]] = []
    parts = application(environ, lambda status, headers, *_: started.append((status, headers)))
    try:
        body = b"".join(parts)
    finally:
        if close := getattr(parts, "close", None):
            close()
    status, headers = started[0]
    shared = [(name, value) for name, value in headers if name.lower() not in OWN]
    own = [(name, value) for name, value in headers if name.lower() in OWN]
    return CachedResponse(status, shared, body, now), own


def _given(
    environ: Mapping[str, Any], start: StartResponse, answer: CachedResponse, own: Headers
) -> tuple[int, list[bytes]]:
    """The status and the body that were given."""
    condition, etag = environ.get("HTTP_IF_NONE_MATCH"), answer.etag()
    if condition is None or etag is None or not etag_matches(condition, etag):
        start(answer.status, answer.headers + own)
        return int(answer.status[:3]), [answer.body]
    kept = [(name, value) for name, value in answer.headers if name.lower() not in OF_BODY]
    start(f"304 {HTTPStatus.NOT_MODIFIED.phrase}", kept + own)
    return 304, [b""]
