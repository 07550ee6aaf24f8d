"""Waiting for the effects of writes without threads: one poll for all callers of a process."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence, Set
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field

from products.changes import ChangeKey, Effect
from products.errors import Unavailable

logger = logging.getLogger(__name__)

MAX_KEYS = 100  # in one read, a limit of BatchGetItem
MIN_PAUSE_SECONDS = 0.02
READ_SHARE = 20
"""The polls of a process take at most this part of one thread's time: a twentieth."""

type ReadPending = Callable[[Sequence[ChangeKey]], Mapping[ChangeKey, Set[Effect]]]
"""Returns which effects of these changes are open and have not failed."""


@dataclass(eq=False, slots=True)
class Waiter:
    """A caller who waits for an effect of these changes."""

    effect: Effect
    keys: set[ChangeKey]
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class EffectWaits:
    """The callers of a process who wait for effects. At most ``max_waiters`` wait at a time.

    Each poll reads at most MAX_KEYS changes, so with more callers each is looked at less often.
    """

    read_pending: ReadPending
    threads: Executor
    max_waiters: int
    waiters: list[Waiter] = field(default_factory=list)
    polling: asyncio.Task[None] | None = None

    async def wait(self, keys: Sequence[ChangeKey], effect: Effect, seconds: float) -> bool:
        """Return when the effect of all changes is done or has failed, or after ``seconds``.

        Return False immediately if too many callers wait already.
        """
        if len(self.waiters) >= self.max_waiters:
            return False
        waiter = Waiter(effect, set(keys))
        self.waiters.append(waiter)
        if self.polling is None or self.polling.done():
            self.polling = asyncio.create_task(self._poll())
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(waiter.ended.wait(), seconds)
        finally:
            self.waiters.remove(waiter)
        return True

    async def _poll(self) -> None:
        """Read the changes that callers wait for, until no caller waits."""
        loop = asyncio.get_running_loop()
        pause = MIN_PAUSE_SECONDS
        while self.waiters:
            await asyncio.sleep(pause)
            some = self._next_waiters()
            keys = list({key for waiter in some for key in waiter.keys})
            began = time.monotonic()
            try:
                pending = await loop.run_in_executor(self.threads, self.read_pending, keys)
            except Unavailable as fault:  # the writes are accepted, so their callers wait on
                logger.warning("effects not read", extra={"fault": str(fault)})
            else:
                for waiter in some:
                    _note(waiter, pending)
            pause = max(MIN_PAUSE_SECONDS, READ_SHARE * (time.monotonic() - began))

    def _next_waiters(self) -> list[Waiter]:
        """Return the callers whose turn it is, and let the others follow them."""
        some: list[Waiter] = []
        count = 0
        for waiter in self.waiters:
            count += len(waiter.keys)
            if some and count > MAX_KEYS:
                break
            some.append(waiter)
        self.waiters = self.waiters[len(some) :] + some
        return some


def _note(waiter: Waiter, pending: Mapping[ChangeKey, Set[Effect]]) -> None:
    waiter.keys = {key for key in waiter.keys if waiter.effect in pending.get(key, ())}
    if not waiter.keys:
        waiter.ended.set()
