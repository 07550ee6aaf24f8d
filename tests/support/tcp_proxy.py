"""A loopback TCP proxy that can go silent: it accepts connections and data, and answers nothing."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LOOK_SECONDS = 0.05
PART = 65_536


class SilentProxy:
    """Forwards connections to a port of this machine until it goes silent.

    What arrives in the silence is lost, and the connections of that time stay silent: a server
    that comes back does not know them.
    """

    def __init__(self, target_port: int) -> None:
        self.target = ("127.0.0.1", target_port)
        self.is_silent = False
        self.generation = 0
        self.is_closed = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Answer nothing, on old connections and on new ones, until the block ends."""
        self.generation += 1
        self.is_silent = True
        try:
            yield
        finally:
            self.is_silent = False
            self.generation += 1

    def close(self) -> None:
        self.is_closed.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        generation = self.generation
        with client, suppress(OSError):
            if self.is_silent:
                self.is_closed.wait()
                return
            with socket.create_connection(self.target, timeout=5) as server:
                self._forward(client, server, generation)

    def _forward(self, client: socket.socket, server: socket.socket, generation: int) -> None:
        while not self.is_closed.is_set():
            readable = select.select([client, server], [], [], LOOK_SECONDS)[0]
            if self.generation != generation:
                self.is_closed.wait()
                return
            for end, other in ((client, server), (server, client)):
                if end in readable:
                    data = end.recv(PART)
                    if not data:
                        return
                    other.sendall(data)
