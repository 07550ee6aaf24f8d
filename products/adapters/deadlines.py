"""A total time limit for an HTTP call: also for an answer that comes byte by byte.

HTTP clients limit only the wait for the next byte. A server that sends one byte a second could hold
a thread for hours.
"""

import io
import socket
import time
from typing import Any


class TimedSocket:
    """A connected socket whose time-out limits the whole response, not only each wait for a byte.

    All else is the socket's own, which http.client and urllib3 use.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self.settimeout(connected.gettimeout())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def settimeout(self, seconds: float | None) -> None:
        """Set the time-out, which begins now."""
        self._timeout = seconds
        self.restart()

    def restart(self) -> None:
        """Begin the time of the next response."""
        self._started_at = time.monotonic()
        self._socket.settimeout(self._timeout)

    def makefile(self, mode: str = "r", buffering: int | None = None, **options: Any) -> Any:
        """Return a file whose reads end at the deadline. Writing and text are the socket's own."""
        if mode != "rb":
            return self._socket.makefile(mode, buffering, **options)  # type: ignore[call-overload]
        reader = _TimedReader(self, self._socket.makefile("rb", buffering=0))
        return reader if buffering == 0 else io.BufferedReader(reader)

    def limit_read(self) -> None:
        """Limit the next read by the time that is left. Raises: TimeoutError when none is."""
        if self._timeout is None:
            return
        left = self._started_at + self._timeout - time.monotonic()
        if left <= 0:
            raise TimeoutError("The response was not complete in time.")
        self._socket.settimeout(left)


class _TimedReader(io.RawIOBase):
    """Reads from a socket until its deadline."""

    def __init__(self, timed: TimedSocket, raw: io.RawIOBase) -> None:
        super().__init__()
        self._timed = timed
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._timed.limit_read()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class TimedConnection:
    """Mixin for a connection of urllib3, which sets the time-out again for each response."""

    sock: Any

    def connect(self) -> None:
        super().connect()  # type: ignore[misc] # of the connection's class
        self.sock = TimedSocket(self.sock)

    def request(self, *args: Any, **kwargs: Any) -> Any:
        if self.sock is not None:
            self.sock.restart()  # S3 may answer before the body is sent
        return super().request(*args, **kwargs)  # type: ignore[misc] # as above
