"""The ASGI application that ``bbws_products.server`` serves: it runs the WSGI application.

A request gets a thread only when its body has arrived, so slow clients hold none. Cached responses
and ``/healthz`` need no thread.
"""

import asyncio
import io
import json
import logging
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from django.conf import settings

from bbws_products.effect_waits import EffectWaits
from bbws_products.request_bodies import (
    BODYLESS_METHODS,
    Arriving,
    BodyRefused,
    Budget,
    Environ,
    Receive,
    Reservation,
    read_body,
    set_body,
)
from bbws_products.request_charset import use_utf8
from bbws_products.request_threads import threads
from bbws_products.server_process import end_with_parent
from bbws_products.settings.environment import number
from bbws_products.wsgi import application as wsgi_application
from bbws_products.wsgi import microcache
from products.access.writers import may_write
from products.api.deferred_waits import DEFERRED_WAITS, DeferredWait
from products.api.errors import RETRY_SECONDS, body_of_error
from products.bootstrap import new_id, table
from products.changes import Change
from products.errors import Unavailable

logger = logging.getLogger(__name__)

MAX_JOINED_BYTES = 4_000_000
"""A response of this size is sent as a whole: no thread waits for a slow reader of it."""
STREAM_SECONDS = 30.0  # for the client to take one part of a larger response
HEALTH_PATH = "/healthz"
WSGI_VARIABLES = {
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
WITHOUT_PREFIX = {"CONTENT_TYPE", "CONTENT_LENGTH"}  # names of headers in a WSGI environment

type Headers = list[tuple[str, str]]
type Scope = MutableMapping[str, Any]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

OF_THE_STATE = {"content-type", "content-length", "preference-applied", "retry-after"}
"""The headers of a response to a write that change when its effect is done."""

end_with_parent()
waits = EffectWaits(
    lambda keys: table().pending_effects(keys), threads.others, int(number("WEB_WAITERS", 1000))
)
budget = Budget()


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Headers
    body: bytes


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the request's body, then answer it in a thread."""
    environ = environ_of(scope)
    hit = _answer_without_thread(environ)
    if hit:
        await _send(send, hit)
        return
    arriving = Arriving(receive, has_ended=scope["method"] in BODYLESS_METHODS)
    try:
        await _answer(environ, arriving, send)
    except BodyRefused as refusal:
        await _send(send, _refusal_response(refusal))
    await arriving.drain()


def _answer_without_thread(environ: Environ) -> Response | None:
    """Return the response that needs no input or output of ours, or None."""
    started: list[tuple[str, Headers]] = []

    def start(status: str, headers: Headers, *_: object) -> Callable[[bytes], object]:
        started.append((status, headers))
        return lambda _: None

    if environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"] == HEALTH_PATH:
        parts: Iterable[bytes] | None = wsgi_application(environ, start)
    else:
        parts = microcache.serve_cached(environ, start)
    if parts is None:
        return None
    status, headers = started[0]
    return Response(int(status[:3]), headers, b"".join(parts))


async def _answer(environ: Environ, arriving: Arriving, send: Send) -> None:
    if arriving.has_ended:
        await _answer_in_thread(environ, send)
        return
    with Reservation(budget) as reservation:
        set_body(environ, await read_body(environ, arriving, _may_write, reservation))
        await _answer_in_thread(environ, send)


async def _may_write(environ: Environ) -> bool:
    return await asyncio.get_running_loop().run_in_executor(threads.others, may_write, environ)


async def _answer_in_thread(environ: Environ, send: Send) -> None:
    loop = asyncio.get_running_loop()

    def stream(message: MutableMapping[str, Any]) -> None:
        """Send a part of a large response from its thread."""
        asyncio.run_coroutine_threadsafe(send_some(message), loop).result(STREAM_SECONDS)

    async def send_some(message: MutableMapping[str, Any]) -> None:
        await send(message)

    environ[DEFERRED_WAITS] = []
    executor = threads.for_request(environ)
    response = await loop.run_in_executor(executor, _call_wsgi, environ, stream)
    for deferred in environ[DEFERRED_WAITS]:
        if response and await _wait(deferred):
            response = await loop.run_in_executor(threads.others, _completed, deferred, response)
    if response:
        await _send(send, response)


async def _wait(deferred: DeferredWait) -> bool:
    """Wait for the effect. Return False if the caller gets its 202 immediately."""
    wait = deferred.wait
    has_waited = await waits.wait(deferred.keys, wait.until, wait.seconds)
    if has_waited:
        await asyncio.sleep(settings.HOT_ANSWER_SECONDS)  # then public reads have it, too
    return has_waited


def _completed(deferred: DeferredWait, response: Response) -> Response:
    """Return the response after the wait, with the headers that all responses have."""
    try:
        found = table().changes(deferred.keys)
    except Unavailable:
        return response
    newest = {key: change for key, change in found.items() if isinstance(change, Change)}
    later = deferred.respond(newest)
    kept = [(name, value) for name, value in response.headers if name.lower() not in OF_THE_STATE]
    added = [(name, value) for name, value in later.items() if name.lower() in OF_THE_STATE]
    status = later.status_code
    request_id = dict(kept).get("X-Request-ID", "")
    logger.info("wait ended", extra={"status": status, "request_id": request_id})
    if status != HTTPStatus.NO_CONTENT:
        added.append(("Content-Length", str(len(later.content))))
    return Response(status, [*kept, *added], later.content)


def _call_wsgi(
    environ: Environ, stream: Callable[[MutableMapping[str, Any]], None]
) -> Response | None:
    """Call the WSGI application. Return its response, or None if it was streamed."""
    started: list[tuple[str, Headers]] = []

    def start(status: str, headers: Headers, *_: object) -> Callable[[bytes], object]:
        started.append((status, headers))
        return lambda _: None

    parts = wsgi_application(environ, start)
    try:
        status, headers = started[0]
        if isinstance(parts, list) or _content_length(headers) <= MAX_JOINED_BYTES:
            return Response(int(status[:3]), headers, b"".join(parts))
        stream(_start_message(int(status[:3]), headers))
        for part in parts:
            stream({"type": "http.response.body", "body": part, "more_body": True})
        stream({"type": "http.response.body", "body": b""})
    finally:
        if close := getattr(parts, "close", None):
            close()
    return None


def _content_length(headers: Headers) -> int:
    """Return the length of a response; more than any limit if it is unknown."""
    lengths = [int(value) for name, value in headers if name.lower() == "content-length"]
    return lengths[0] if lengths else MAX_JOINED_BYTES + 1


def environ_of(scope: Scope) -> Environ:
    """Return the WSGI environment of a request, without its body.

    A header whose name has an underscore is dropped: in WSGI it would be the one with a dash. The
    method is in capital letters, as Django takes it, so that no rule of ours misses it.
    """
    host, port = scope["server"]
    environ: Environ = {
        "REQUEST_METHOD": scope["method"].upper(),
        "SCRIPT_NAME": "",
        "PATH_INFO": _unquoted(scope["raw_path"]),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "",
        **WSGI_VARIABLES,
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(),
    }
    for raw_name, raw_value in scope["headers"]:
        _add_header(environ, raw_name.decode("latin-1"), raw_value.decode("latin-1"))
    use_utf8(environ)
    return environ


def _unquoted(raw_path: bytes) -> str:
    """Return the path as WSGI has it: one character for each byte."""
    return unquote(raw_path.decode("latin-1"), "latin-1")


def _add_header(environ: Environ, name: str, value: str) -> None:
    if "_" in name:
        return
    key = name.upper().replace("-", "_")
    key = key if key in WITHOUT_PREFIX else f"HTTP_{key}"
    separator = "; " if key == "HTTP_COOKIE" else ","
    environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value


def _refusal_response(refusal: BodyRefused) -> Response:
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append(("Retry-After", str(RETRY_SECONDS)))
    logger.warning("body refused", extra={"status": int(refusal.status), "fault": str(refusal)})
    request_id = new_id()
    headers.append(("X-Request-ID", request_id))
    content = body_of_error(refusal.status, str(refusal), request_id)
    return Response(refusal.status, headers, json.dumps(content).encode())


async def _send(send: Send, response: Response) -> None:
    await send(_start_message(response.status, response.headers))
    await send({"type": "http.response.body", "body": response.body})


def _start_message(status: int, headers: Headers) -> dict[str, Any]:
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": status, "headers": encoded}
