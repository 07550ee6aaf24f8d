"""The transactions of due steps: many products in each, every product at most once. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import batched

from products.appending import ChangeLog, Doorbell, Notification, append_each
from products.changes import Change, Origin
from products.errors import CatalogueError, Unavailable, VersionTaken
from products.grouped_writes import Snapshot
from products.parallel import MapFunction, result_of
from products.planning import Planner
from products.plans.logs import OutcomeKey, Outcomes, ProductLogs
from products.plans.plan import Entry, PlanRow, RowOutcome, RowState, Step
from products.plans.step_writes import ProductLog, outcome_of, step_write
from products.writes import Plan as PlannedWrite
from products.writes import Write

MAX_ATTEMPTS = 8  # of one row, each lost to another writer
MAX_TOGETHER = 100  # rows of one transaction, at most: DynamoDB allows 100 actions
UNREADABLE = "The product does not exist, or its change log is damaged."
TOO_MANY_WRITERS = "Too many writers changed the product at the same time."


@dataclass(frozen=True, slots=True)
class StepRequest:
    """A row, the step to make of it, and who makes it.

    ``has_expired`` says that the plan's end had passed before: no further row may start.
    ``refusal`` says why the owner may not start anything any more, if that is so.
    """

    entry: Entry
    step: Step
    origin: Origin
    has_expired: bool = False
    refusal: str = ""

    @property
    def product_id(self) -> str:
        return self.entry.row.product_id

    @property
    def key(self) -> OutcomeKey:
        return self.entry.plan.plan_id, self.entry.row.number


@dataclass(frozen=True, slots=True)
class Prepared:
    """Requests, and the logs that were read for the first of each product.

    ``known`` are the outcomes of steps that were made before them, and are not stored yet.
    """

    requests: Sequence[StepRequest]
    logs: Mapping[str, ProductLog]
    known: Outcomes


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request with the write that was planned for it."""

    request: StepRequest
    planned: PlannedWrite
    log: ProductLog
    message: str


@dataclass(frozen=True, slots=True)
class Appended:
    """What one transaction did: its changes, or the rows that were in its way.

    ``outdated`` are the requests whose products have a newer version by now.
    """

    outcomes: Outcomes
    changes: Sequence[Change] = ()
    outdated: Sequence[OutcomeKey] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transactions:
    """Reads what steps are decided on, and appends their changes."""

    log: ChangeLog
    logs: ProductLogs
    planner: Planner
    doorbell: Doorbell
    map_function: MapFunction

    def prepare(self, requests: Sequence[StepRequest], known: Outcomes) -> Prepared:
        """Read the logs of the products, each for its first request. Nothing is written."""
        first, _ = _split(requests)
        return Prepared(requests, self._read(first, known), known)

    def are_stored(self, rows: Iterable[PlanRow], step: Step) -> bool:
        """Whether the public reads what this step changed, or something newer."""
        versions = {
            row.product_id: outcome.version
            for row in rows
            if (outcome := row.outcome(step)) and outcome.changed and outcome.version
        }
        records = self.log.records(list(versions))
        return all(
            product_id in records and records[product_id].version >= version
            for product_id, version in versions.items()
        )

    def make(self, prepared: Prepared) -> Outcomes:
        """Make the steps. Return what became of each row, and the outcomes known before.

        A product's steps are made in the order of the requests. Raise DependencyUnavailable when a
        part of them may be made.
        """
        outcomes: dict[OutcomeKey, RowOutcome] = dict(prepared.known)
        logs = prepared.logs
        wave, rest = _split(prepared.requests)
        while wave:
            outcomes |= self._make_wave(wave, logs, outcomes)
            wave, rest = _split(rest)
            logs = self._read(wave, outcomes)
        return outcomes

    def _read(self, requests: Sequence[StepRequest], outcomes: Outcomes) -> dict[str, ProductLog]:
        return self.logs.read([request.product_id for request in requests], outcomes)

    def _make_wave(
        self,
        requests: Sequence[StepRequest],
        logs: Mapping[str, ProductLog],
        known: Outcomes,
    ) -> Outcomes:
        """Make one step of each product, and try those again that lost a race."""
        outcomes: dict[OutcomeKey, RowOutcome] = {}
        waiting, current = list(requests), dict(logs)
        for number in range(MAX_ATTEMPTS):
            attempts = list(self._plan(waiting, current, outcomes))
            outdated: list[OutcomeKey] = []
            # Half as many each time, and alone at last: nobody loses for the sake of another row.
            for appended in self._append_all(attempts, max(1, MAX_TOGETHER >> number)):
                outcomes |= appended.outcomes
                outdated += appended.outdated
            waiting = [request for request in waiting if request.key not in outcomes]
            if not waiting:
                return outcomes
            current |= self._read([r for r in waiting if r.key in outdated], known)
        return outcomes | {
            request.key: RowOutcome(state=RowState.REFUSED, message=TOO_MANY_WRITERS)
            for request in waiting
        }

    def _plan(
        self,
        requests: Iterable[StepRequest],
        logs: Mapping[str, ProductLog],
        outcomes: dict[OutcomeKey, RowOutcome],
    ) -> Iterator[Attempt]:
        """Yield the writes of the steps that have one, and add the outcomes of the others."""
        for request in requests:
            log = logs.get(request.product_id)
            if log is None:
                outcomes[request.key] = RowOutcome(state=RowState.REFUSED, message=UNREADABLE)
                continue
            found = self._plan_one(request, log)
            if isinstance(found, RowOutcome):
                outcomes[request.key] = found
            else:
                yield found

    def _plan_one(self, request: StepRequest, log: ProductLog) -> Attempt | RowOutcome:
        """Return the write of a step, or its outcome when there is nothing to write."""
        write = step_write(
            request.entry,
            request.step,
            log,
            has_expired=request.has_expired,
            refusal=request.refusal,
        )
        if write.outcome:
            return write.outcome
        newest = log.newest
        wanted = Write(product_id=newest.product_id, edits=write.edits, base=newest.version)
        try:
            planned = self._planner_on(log).plan(wanted, request.origin)
        except Unavailable:
            raise
        except CatalogueError as refusal:
            return outcome_of(refusal, log)
        if planned.change is None:
            return outcome_of(planned.result, log, write.message)
        return Attempt(request, planned, log, write.message)

    def _planner_on(self, log: ProductLog) -> Planner:
        key = (log.newest.product_id, log.newest.version)
        snapshot = Snapshot({key: log.newest_change}, {key[0]: key[1]})
        return replace(self.planner, log=snapshot)

    def _append_all(self, attempts: Sequence[Attempt], together: int) -> Iterator[Appended]:
        """Append the changes, at most so many together, then notify the workers.

        Messages wait until the last transaction: what follows from them must delay none of these
        changes.
        """
        groups = [group for some in batched(attempts, together) for group in self._fitting(some)]
        results = list(self.map_function(partial(result_of, self._append), groups))
        appended = [result for result in results if isinstance(result, Appended)]
        for result in appended:
            self.doorbell.notify([Notification("persist", change) for change in result.changes])
        yield from appended
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _fitting(self, attempts: Sequence[Attempt]) -> Iterator[Sequence[Attempt]]:
        """Yield the attempts in groups of which each fits one transaction."""
        changes = [a.planned.change for a in attempts if a.planned.change]
        if len(attempts) == 1 or self.log.fits_transaction(changes, answers=0):
            yield attempts
            return
        middle = len(attempts) // 2
        yield from self._fitting(attempts[:middle])
        yield from self._fitting(attempts[middle:])

    def _append(self, group: Sequence[Attempt]) -> Appended:
        """Append the changes in one transaction."""
        refused = append_each(self.log, [(a.planned, a.request.origin) for a in group])
        if not refused:
            outcomes = {
                a.request.key: outcome_of(a.planned.result, a.log, a.message) for a in group
            }
            return Appended(outcomes, [a.planned.change for a in group if a.planned.change])
        outcomes = {}
        outdated: list[OutcomeKey] = []
        for position, refusal in refused.items():
            attempt = group[position]
            if isinstance(refusal, VersionTaken):
                outdated.append(attempt.request.key)
            else:
                outcomes[attempt.request.key] = outcome_of(refusal, attempt.log)
        return Appended(outcomes, outdated=outdated)


def _split(requests: Sequence[StepRequest]) -> tuple[list[StepRequest], list[StepRequest]]:
    """Return the first request of each product, and the others."""
    first: dict[str, StepRequest] = {}
    rest: list[StepRequest] = []
    for request in requests:
        if request.product_id in first:
            rest.append(request)
        else:
            first[request.product_id] = request
    return list(first.values()), rest
