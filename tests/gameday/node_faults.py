"""Faults of an OpenSearch node, injected through its own API and not through a proxy."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from opensearchpy import OpenSearch, exceptions

RETRY_SECONDS = 120  # a node that is being restarted does not answer
WATERMARKS = "cluster.routing.allocation.disk.watermark"
FULL_DISK = {"low": "3pb", "high": "2pb", "flood_stage": "1pb"}
"""The free space that the node demands during the fault; no machine has so much."""
UNAVAILABLE = (exceptions.ConnectionError, exceptions.TransportError)


@dataclass
class NodeFaults:
    """One fault at a time of a node and of the indexes behind ``alias``."""

    url: str
    alias: str
    busy: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.client = OpenSearch(self.url, timeout=30)

    @contextmanager
    def injecting(self, fault: str) -> Iterator[None]:
        """Inject a fault of FAULTS until the block ends."""
        begin, end = FAULTS[fault]
        with self.busy:
            with suppress(*UNAVAILABLE):
                begin(self)
            try:
                yield
            finally:
                self._retry(partial(end, self))

    def _retry(self, call: Callable[[], Any]) -> None:
        """Make the call again until it succeeds. Raise its error after RETRY_SECONDS."""
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            try:
                call()
                return
            except UNAVAILABLE:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def set_block(self, block: str, *, is_set: bool) -> None:
        """Set or lift a block on all indexes, also on one that a rebuild fills."""
        body = {f"index.blocks.{block}": is_set or None}
        options = {"expand_wildcards": "all", "allow_no_indices": "true"}
        self.client.indices.put_settings(index=f"{self.alias}-*", body=body, params=options)

    def close(self) -> None:
        self.client.indices.close(index=f"{self.alias}-*")

    def open(self) -> None:
        self.client.indices.open(index=f"{self.alias}-*", params={"expand_wildcards": "all"})

    def set_full_disk(self, *, is_set: bool) -> None:
        """Let the node find its disk full, or not any more; it looks every 10 seconds.

        It also blocks new indexes, until a minute after the disk has space again.
        """
        demanded = {f"{WATERMARKS}.{name}": size for name, size in FULL_DISK.items()}
        settings = demanded if is_set else dict.fromkeys(demanded)
        often = {"cluster.info.update.interval": "10s"}
        self.client.cluster.put_settings(body={"transient": settings | often})


FAULTS: dict[str, tuple[Callable[[NodeFaults], None], Callable[[NodeFaults], None]]] = {
    "block writes to": (
        lambda node: node.set_block("write", is_set=True),
        lambda node: node.set_block("write", is_set=False),
    ),
    "make read-only": (
        lambda node: node.set_block("read_only", is_set=True),
        lambda node: node.set_block("read_only", is_set=False),
    ),
    "close": (NodeFaults.close, NodeFaults.open),
    "fill the disk of": (
        lambda node: node.set_full_disk(is_set=True),
        lambda node: node.set_full_disk(is_set=False),
    ),
}
"""How each fault begins and ends."""
