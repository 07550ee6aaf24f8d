"""One generated history: real adapters, the messages under way, and the model of what is right."""

import itertools
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from deploy.local.engines import Engines
from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.changes import Effect, Origin
from products.effects import Failures
from products.errors import (
    ChangeNotFound,
    DependencyUnavailable,
    NameTaken,
    ProductExists,
    ProductNotFound,
)
from products.merging import EditConflict, VersionMismatch
from products.permissions import ALL_PERMISSIONS
from products.pipeline import Pipeline
from products.relay import Relay
from products.writes import Accepted
from tests.support.catalogue_model import Model, Write, expected_logs, stored_logs
from tests.support.delivery import METHODS
from tests.support.fakes import Clock, NoStatistics
from tests.support.faults import FaultyAdapters, FaultyDoorbell, ProcessKilled
from tests.support.history_strategies import SKEW
from tests.support.world import fresh_world

Message = tuple[str, str, int, int]

COMBINED = frozenset({Effect.SEARCHABLE, Effect.AUDITED})
REFUSALS: dict[type[Exception], str] = {
    ProductExists: "exists",
    ProductNotFound: "missing",
    ChangeNotFound: "no such version",
    EditConflict: "clash",
    VersionMismatch: "mismatch",
    NameTaken: "name taken",
}
"""The model's word for each refusal."""


class HistoryRun:
    """Makes writes and runs tasks, with at most one disturbance each.

    The model follows: after each write, the log must be one that the model allows. ``is_checked``
    is True while nothing has happened since the last check.
    """

    def __init__(self, adapters: FaultyAdapters, engines: Engines) -> None:
        self.adapters = adapters
        self.clock = adapters.clock
        self.injector = adapters.injector
        self.injector.disarm()
        self.adapters.purges.clear()
        self.clock.now = Clock().now
        self.world = fresh_world(engines)
        self.bell = FaultyDoorbell(injector=self.injector)
        self.model = Model()
        self.is_checked = True
        self.combines = True
        self.meanwhile: tuple[Write, datetime, str] | None = None
        self.change_numbers = itertools.count(1)
        self.acceptances = {editor: self._acceptance(skew) for editor, skew in SKEW.items()}
        self.catalogue = self._catalogue()
        self.pipeline = self._pipeline()
        self.relay = self._relay()

    def _acceptance(self, skew: timedelta) -> Acceptance:
        """Return the write use cases of a host whose clock is off by ``skew``."""
        return Acceptance(
            log=self.adapters.table(self.world),
            doorbell=self.bell,
            clock=lambda: self.clock() + skew,
            new_id=self._new_id,
            image_exists=lambda _: True,
        )

    def _catalogue(self) -> Catalogue:
        index: Any = self.adapters.index(self.world)  # delegates what it does not define
        return Catalogue(table=self.adapters.table(self.world), index=index, clock=self.clock)

    def _pipeline(self) -> Pipeline:
        return Pipeline(
            table=self.adapters.table(self.world),
            search_index=self.adapters.index(self.world),
            cdn=self.adapters.cdn(self.world),
            trail=self.adapters.trail(self.world),
            doorbell=self.bell,
            statistics=NoStatistics(),
            clock=self.clock,
            map_function=map,
        )

    def _relay(self) -> Relay:
        return Relay(
            table=self.adapters.table(self.world),
            doorbell=self.bell,
            statistics=NoStatistics(),
            clock=self.clock,
            requeue_after=timedelta(seconds=30),
        )

    def _new_id(self) -> str:
        return f"change-{next(self.change_numbers)}"

    # Messages

    def message(self, pick: int) -> Message:
        """Return one of the messages under way."""
        return self.bell.sent[pick % len(self.bell.sent)]

    def run(self, message: Message) -> None:
        """Run the task of the message."""
        self.run_batch(message[0], [message])

    def run_batch(self, task: str, messages: Sequence[Message]) -> None:
        """Run a task for several messages; raise the error of the first that fails."""
        keys = [(product_id, version) for _, product_id, version, _ in messages]
        if task == "persist":
            also = COMBINED if self.combines else frozenset()
            failures = self.pipeline.store(keys, also)
        else:
            step: Callable[..., Failures] = getattr(self.pipeline, METHODS[task])
            failures = step(keys)
        for error in failures.values():
            raise error

    def deliver_all(self, *, in_time: bool) -> None:
        """Deliver all messages under way: after their delays if ``in_time``, else immediately.

        Those of a task come as one batch.
        """
        messages = sorted(self.bell.take_all())
        for task, of_task in itertools.groupby(messages, lambda message: message[0]):
            batch = list(of_task)
            self.clock.advance(max(message[3] for message in batch) if in_time else 0)
            self.work(partial(self.run_batch, task, batch), None)

    # Writes and tasks

    def version_back(self, product_id: str, back: int) -> int | None:
        """Return the version ``back`` before the newest, None when there is none."""
        newest_version = len(self.model.histories.get(product_id, ()))
        return newest_version - back if 0 <= back < newest_version else None

    def write(self, write: Write, disturbance: Any) -> None:
        """Make the write. Its outcome must be one that the model allows."""
        editors_clock = self.acceptances[write.editor].clock
        times = [editors_clock()]
        outcome = self._with_disturbance(lambda: self._ask(write), disturbance)
        times.append(editors_clock())
        if self.meanwhile:
            inner, inner_at, inner_outcome = self.meanwhile
            both = self.model.after_both(write, times[0], inner, inner_at)
            possible = [model for told, model in both if told == (outcome, inner_outcome)]
        elif outcome == "unknown":
            possible = [self.model, *(self.model.after(write, at)[1] for at in times)]
        else:
            results = [self.model.after(write, at) for at in times]
            possible = [model for expected, model in results if expected == outcome]
        self._learn(possible, outcome)

    def work_on(self, message: Message, disturbance: Any, calls: int = 3) -> str:
        """Run the task of the message, and return ``done`` or ``unknown``."""
        return self.work(lambda: self.run(message), disturbance, calls)

    def work(self, act: Callable[[], object], disturbance: Any, calls: int = 3) -> str:
        """Do a worker's work. It adds nothing to the log, but a write meanwhile may."""
        outcome = self._with_disturbance(act, disturbance, calls)
        if self.meanwhile:
            inner, inner_at, inner_outcome = self.meanwhile
            expected, model = self.model.after(inner, inner_at)
            self._learn([model] if expected == inner_outcome else [], inner_outcome)
        return outcome

    def _learn(self, possible: list[Model], outcome: str) -> None:
        """Read from the log which of the possible models is right. It must be one of them."""
        logs = stored_logs(self.items())
        fitting = [model for model in possible if expected_logs(model) == logs]
        assert fitting, (
            f"The caller got {outcome!r}; the log is {logs},"
            f" and may be {[expected_logs(model) for model in possible]}"
        )
        self.model = fitting[0]

    def _ask(self, write: Write) -> str:
        """Make the write as the API would, and return the model's word for the outcome."""
        try:
            accepted = self._call_acceptance(write)
        except tuple(REFUSALS) as refusal:
            return REFUSALS[type(refusal)]
        return "accepted" if accepted.change else "unchanged"

    def _call_acceptance(self, write: Write) -> Accepted:
        acceptance = self.acceptances[write.editor]
        origin = Origin(
            actor=write.editor, source="test", request_id="request", permissions=ALL_PERMISSIONS
        )
        if write.new:
            return acceptance.create(write.product_id, write.edits, origin)
        if write.edits == {"active": False}:
            return acceptance.deactivate(
                write.product_id, origin, expected_version=write.expected_version
            )
        return acceptance.update(
            write.product_id,
            write.edits,
            origin,
            base=write.base,
            expected_version=write.expected_version,
        )

    # Disturbances

    def _with_disturbance(self, act: Callable[[], object], disturbance: Any, calls: int = 3) -> str:
        """Act, with a disturbance at one of about ``calls`` calls to dependencies.

        Return the outcome that the actor got: ``unknown`` when it died or got no answer.
        """
        self.is_checked = False
        self.meanwhile = None
        if disturbance:
            pick, (when, what) = disturbance
            fault = what if callable(what) else lambda: self._cause(what)
            self.injector.arm(1 + pick % calls, when, fault)
        try:
            outcome = act()
        except (ProcessKilled, DependencyUnavailable):
            return "unknown"
        finally:
            self.injector.disarm()
        return outcome if isinstance(outcome, str) else "done"

    def _cause(self, event: Any) -> None:
        """Have another editor write, another worker run a message, or time pass."""
        if isinstance(event, Write):
            at = self.acceptances[event.editor].clock()
            self.meanwhile = (event, at, self._ask(event))
        elif isinstance(event, int) and self.bell.sent:
            self.run(self.message(event))
        elif isinstance(event, float):
            self.clock.advance(event)

    # What there is

    def items(self) -> list[dict[str, Any]]:
        """Return all items of the table, read without the adapter."""
        paginator = self.world.dynamodb.get_paginator("scan")
        pages = paginator.paginate(TableName=self.world.table, ConsistentRead=True)
        parse = TypeDeserializer().deserialize
        return [
            {name: parse(value) for name, value in item.items()}
            for page in pages
            for item in page["Items"]
        ]
