"""Clients that want to stop the site: idle connections, half requests, bodies that drip."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CONNECTIONS = 32
DRIP_SECONDS = 0.3
HEAD = b"POST /v1.0/products HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
STARTS = (
    b"",
    b"GET /v1.0/products HTTP/1.1\r\nHost: loc",
    HEAD + b"Content-Length: 10\r\n\r\n",
    HEAD + b"Content-Length: 9000\r\n\r\n{",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nCookie: csrftoken=" + b"a" * 32 + b"\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 90000\r\n\r\n--x\r\n",
)
"""What a connection begins with. After that it drips, or stays silent."""


@contextmanager
def hostile_clients(port: int, count: int = CONNECTIONS) -> Iterator[None]:
    """Hold many bad connections to the web server until the block ends."""
    stopping = threading.Event()
    threads = [
        threading.Thread(target=_disturb, args=(port, number, stopping), daemon=True)
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def _disturb(port: int, number: int, stopping: threading.Event) -> None:
    """Connect again and again, and send as little as possible."""
    start = STARTS[number % len(STARTS)]
    drips = number % 2 == 0
    while not stopping.is_set():
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
            peer.sendall(start)
            while not stopping.wait(DRIP_SECONDS):
                if drips:
                    peer.sendall(b" ")
        stopping.wait(DRIP_SECONDS)
