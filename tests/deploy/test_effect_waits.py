"""Callers who wait for an effect hold no thread, and share one poll."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from bbws_products.effect_waits import MAX_KEYS, EffectWaits
from products import bootstrap
from products.acceptance import Acceptance
from products.changes import ChangeKey, Effect, Origin
from products.effects import failure_of
from products.errors import DependencyUnavailable, EffectRefused
from tests.support.builders import NOON, fields
from tests.support.processes import Deployment

STORED = Effect.STORED
CALLERS = 200


@dataclass
class Reads:
    """The reads of a poll. An effect is pending in the first ``pending_reads``."""

    pending_reads: int = 1
    asked: list[Sequence[ChangeKey]] = field(default_factory=list)
    fails_first: bool = False

    def __call__(self, keys: Sequence[ChangeKey]) -> Mapping[ChangeKey, Set[Effect]]:
        self.asked.append(keys)
        if self.fails_first and len(self.asked) == 1:
            raise DependencyUnavailable("DynamoDB")
        is_pending = len(self.asked) <= self.pending_reads
        return {key: {STORED} if is_pending else set() for key in keys}


def run(waiting: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(waiting, 30))


def waits_with(reads: Reads, pool: ThreadPoolExecutor, max_waiters: int = CALLERS) -> EffectWaits:
    return EffectWaits(read_pending=reads, threads=pool, max_waiters=max_waiters)


def test_many_callers_share_few_reads_and_one_thread() -> None:
    reads = Reads(pending_reads=2)

    async def all_wait(waits: EffectWaits) -> list[bool]:
        return await asyncio.gather(
            *(waits.wait([(f"p{n}", 1)], STORED, 20) for n in range(CALLERS))
        )

    with ThreadPoolExecutor(1) as pool:
        waits = waits_with(reads, pool)
        assert run(all_wait(waits)) == [True] * CALLERS
    assert len(reads.asked) <= 2 + CALLERS // MAX_KEYS
    assert max(map(len, reads.asked)) <= MAX_KEYS
    assert waits.waiters == []


@pytest.mark.parametrize("fails_first", [False, True])
def test_a_wait_ends_at_its_limit_and_polling_with_it(fails_first: bool) -> None:
    reads = Reads(pending_reads=1_000_000, fails_first=fails_first)

    async def wait(waits: EffectWaits) -> None:
        assert await waits.wait([("p1", 1)], STORED, 0.2)
        assert waits.polling
        await waits.polling

    with ThreadPoolExecutor(1) as pool:
        run(wait(waits_with(reads, pool)))
    assert reads.asked


def test_a_caller_too_many_does_not_wait() -> None:
    async def wait(waits: EffectWaits) -> list[bool]:
        return await asyncio.gather(*(waits.wait([("p1", 1)], STORED, 20) for _ in range(3)))

    with ThreadPoolExecutor(1) as pool:
        assert run(wait(waits_with(Reads(), pool, max_waiters=2))) == [True, True, False]


@pytest.mark.engines
def test_failed_effects_are_not_pending(acceptance: Acceptance, ann: Origin) -> None:
    table = bootstrap.table()
    change = acceptance.create("p1", fields(), ann).change
    assert change
    assert table.pending_effects([("p1", 1), ("p2", 1)]) == {("p1", 1): set(Effect)}
    for effect, error in (
        (Effect.AUDITED, DependencyUnavailable("S3")),
        (Effect.SEARCHABLE, EffectRefused("too long")),
    ):
        table.fail(change, effect, failure_of(change, effect, error, NOON))
    table.stamp(change, {STORED: NOON})
    assert table.pending_effects([("p1", 1)]) == {("p1", 1): {Effect.AUDITED, Effect.PURGED}}


@pytest.mark.engines
def test_reads_are_answered_while_more_callers_wait_than_there_are_threads(
    deployment: Deployment,
) -> None:
    deployment.start_web(WEB_THREADS="2")
    bodies = [{"productId": f"p{n}", **fields(name=f"Waiting {n}")} for n in range(12)]

    def create(body: dict[str, Any]) -> int:
        return deployment.call("POST", "/v1.0/products", body, Prefer="wait=10")[0]

    with ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(create, body) for body in bodies]
        while deployment.call("GET", "/v1.0/products/p11/changes")[0] != 200:
            pass
        assert not any(one.done() for one in waiting)
        assert deployment.call("GET", "/v1.0/products")[0] == 200
        deployment.start_worker()
        assert [one.result() for one in waiting] == [201] * 12
