"""Request bodies: read within limits of size and time, and without a thread while they arrive.

A large body is read only for a caller who may write. The body of a call without a login to the API
is not read at all, because every such call is refused.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings

type Environ = dict[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type MayWrite = Callable[[Environ], Awaitable[bool]]

API_PREFIX = "/v1.0/"
SMALL_BYTES = 65_536
"""A body that anybody may send, such as the form of the login page."""
MAX_BYTES = 16_000_000
"""Three times the largest file that a view takes, so that the view can say what its limit is."""
MAX_TOTAL_BYTES = 64_000_000
"""The large bodies that one process holds at the same time."""
BASE_SECONDS = 10.0
MIN_BYTES_PER_SECOND = 100_000
"""A body may take BASE_SECONDS, and longer for what a slow line needs to send it."""
DRAIN_SECONDS = 2.0
BODYLESS_METHODS = {"GET", "HEAD", "OPTIONS"}

TOO_SLOW = "The body did not arrive in time."
TOO_SHORT = "The body ended before its announced length."
TOO_LARGE = f"The body must not be larger than {MAX_BYTES} bytes."
NEEDS_LOGIN = f"A body of more than {SMALL_BYTES} bytes needs a login with permission to write."
UNKNOWN_CODING = "The only transfer coding that is understood is chunked."
TOO_MANY = "Too many large bodies are arriving at the moment."


class BodyRefused(Exception):
    """The body is not taken; the request must be answered with this status and sentence."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        self.status = status
        super().__init__(sentence)


class UnreadBody(io.RawIOBase):
    """The body of a request that is refused without it. Reading it fails."""

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: object) -> int:
        """Raise OSError, which Django takes for a broken connection."""
        raise OSError("The body of this request is not read.")


@dataclass(slots=True)
class Arriving:
    """A body while it arrives. ``has_ended`` says that all of it was received."""

    receive: Receive
    has_ended: bool = False

    async def read(self, max_bytes: int) -> bytes:
        """Return what arrives until the body ends, or is larger than ``max_bytes``.

        Raises: BodyRefused when the client closes the connection before the end.
        """
        parts: list[bytes] = []
        size = 0
        while not self.has_ended and size <= max_bytes:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise BodyRefused(HTTPStatus.BAD_REQUEST, TOO_SHORT)
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            self.has_ended = not message.get("more_body", False)
        return b"".join(parts)

    async def drain(self) -> None:
        """Read and drop the rest, so that the connection can be used for another request.

        A rest that is too large or too slow is left: the server then closes the connection.
        """
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                size = 0
                while not self.has_ended and size <= MAX_BYTES:
                    size += len(await self.read(0))
        except (TimeoutError, BodyRefused):
            return


@dataclass(slots=True)
class Budget:
    """The bytes of large bodies that may be held at the same time."""

    left: int = MAX_TOTAL_BYTES

    def reserve(self, size: int) -> None:
        """Reserve these bytes. Raises: BodyRefused when fewer are left."""
        if size > self.left:
            raise BodyRefused(HTTPStatus.SERVICE_UNAVAILABLE, TOO_MANY)
        self.left -= size

    def release(self, size: int) -> None:
        """Return reserved bytes."""
        self.left += size


@dataclass(slots=True)
class Reservation:
    """What one request has reserved of the budget, and releases at its end."""

    budget: Budget
    size: int = 0

    def __enter__(self) -> "Reservation":
        return self

    def __exit__(self, *_: object) -> None:
        self.budget.release(self.size)

    def add(self, size: int) -> None:
        """Reserve bytes. Raises: BodyRefused when the budget does not have them."""
        self.budget.reserve(size)
        self.size += size


def announced_length(environ: Environ) -> int | None:
    """Return the length of the body, 0 without one; None when it is not announced.

    Raises: BodyRefused for a transfer coding other than chunked, or a body above MAX_BYTES.
    """
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    if coding is not None:
        if coding.strip().lower() != "chunked":
            raise BodyRefused(HTTPStatus.NOT_IMPLEMENTED, UNKNOWN_CODING)
        return None
    length = int(environ.get("CONTENT_LENGTH") or 0)  # the server refuses anything but digits
    if length > MAX_BYTES:
        raise BodyRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
    return length


async def read_body(
    environ: Environ, arriving: Arriving, may_write: MayWrite, reservation: Reservation
) -> bytes | None:
    """Return the whole body, or None if the request is refused without it.

    ``may_write`` is asked before more than SMALL_BYTES are read.

    Raises: BodyRefused.
    """
    length = announced_length(environ)
    if length == 0:
        return b""
    is_api = environ["PATH_INFO"].startswith(API_PREFIX)
    if is_api and not has_credentials(environ):
        return None
    try:
        async with asyncio.timeout(BASE_SECONDS):
            body = b"" if length and length > SMALL_BYTES else await arriving.read(SMALL_BYTES)
        if arriving.has_ended:
            return body
        if not (has_credentials(environ) and await may_write(environ)):
            if is_api:
                return None
            raise BodyRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, NEEDS_LOGIN)
        reservation.add(length or MAX_BYTES)
        return body + await _read_rest(arriving, length)
    except TimeoutError:
        raise BodyRefused(HTTPStatus.REQUEST_TIMEOUT, TOO_SLOW) from None


async def _read_rest(arriving: Arriving, length: int | None) -> bytes:
    async with asyncio.timeout(BASE_SECONDS + (length or MAX_BYTES) / MIN_BYTES_PER_SECOND):
        rest = await arriving.read(MAX_BYTES)
    if not arriving.has_ended:
        raise BodyRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
    return rest


def has_credentials(environ: Environ) -> bool:
    """Return whether the request names a user, by a token or a session."""
    cookie = f"{settings.SESSION_COOKIE_NAME}="
    return "HTTP_AUTHORIZATION" in environ or cookie in environ.get("HTTP_COOKIE", "")


def set_body(environ: Environ, body: bytes | None) -> None:
    """Let the application read this body, or none where it is None."""
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    if body is None:
        environ["wsgi.input"] = io.BufferedReader(UnreadBody())
    else:
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
