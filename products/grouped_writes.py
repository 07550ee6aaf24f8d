"""Many independent writes in few transactions, each with its own outcome. Pure.

The result is that of making the writes one by one, in their order. Writes are planned on versions
that may be outdated. The conditions of the transaction prove that they are not. A write that it
refuses is made alone, and so is one whose plan is no change.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from products.appending import ChangeLog, Doorbell, Notification, append_each
from products.batch import claims_name
from products.changes import Change, ChangeKey, Origin
from products.errors import CatalogueError, CorruptChange, Unavailable
from products.identifiers import is_id, is_version
from products.planning import Planner
from products.product import normalised_name
from products.writes import Accepted, Plan, Write

GROUP_SIZE = 25
"""The most writes in one transaction: an update with a new name takes 4 of DynamoDB's 100 actions.
"""

type Request = tuple[Write, Origin]
"""A write, and who makes it, with an idempotency key of its own."""
type Result = Accepted | CatalogueError | CorruptChange
"""What became of a write: it was accepted, or why it was refused."""
type PlannedRequest = tuple[Plan, Origin]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Changes that were read together. ``newest_versions`` may be outdated."""

    found: Mapping[ChangeKey, Change]
    newest_versions: Mapping[str, int]

    def newest(self, product_id: str) -> Change | None:
        """Return what was the product's newest change."""
        return self.change(product_id, self.newest_versions.get(product_id, 0))

    def change(self, product_id: str, version: int) -> Change | None:
        """Return the change, None when it was not read."""
        return self.found.get((product_id, version))


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedWrites:
    """Makes writes in groups, whose sizes ``size`` returns.

    ``write_alone`` makes one write in a transaction of its own.
    """

    log: ChangeLog
    planner: Planner
    doorbell: Doorbell
    write_alone: Callable[[Write, Origin], Accepted]
    size: Callable[[], int]

    def make(self, requests: Iterable[Request]) -> Iterator[list[Result]]:
        """Make the writes in their order, and yield their results after each transaction.

        The caller may stop in between: no later write is made then.

        Raises: Unavailable, also for writes of which a part may be made.
        """
        remaining = iter(requests)
        while group := list(islice(remaining, self.size())):
            yield from self._make_group(group)

    def _make_group(self, requests: Sequence[Request]) -> Iterator[list[Result]]:
        """Append the writes that can share a transaction, and make the others in between."""
        snapshot = self._read(write for write, _ in requests)
        together: list[PlannedRequest] = []
        touched: set[str] = set()
        for write, origin in requests:
            plan = self._plan(write, origin, snapshot)
            keys = _touched_by(plan) if plan else set()
            if plan and not keys & touched:
                together.append((plan, origin))
                touched |= keys
                continue
            touched.add(f"product {write.product_id}")  # its plans are outdated from here on
            yield from self._append(together)
            together = []
            yield [self._make_alone(write, origin)]
        yield from self._append(together)

    def _read(self, writes: Iterable[Write]) -> Snapshot:
        """Read what the updates are planned on, in two calls."""
        bases = [
            (write.product_id, write.base or 0)
            for write in writes
            if not write.creates and write.product_id and is_id(write.product_id)
        ]
        if not bases:
            return Snapshot({}, {})
        records = self.log.records([product_id for product_id, _ in bases])
        newest = {product_id: record.version for product_id, record in records.items()}
        for product_id, base in bases:  # a change that is still to be stored has no record yet
            newest[product_id] = max(base, newest.get(product_id, 0))
        keys = [key for key in {*bases, *newest.items()} if is_version(key[1])]
        found = self.log.changes(keys)
        changes = {key: change for key, change in found.items() if isinstance(change, Change)}
        return Snapshot(changes, newest)

    def _plan(self, write: Write, origin: Origin, snapshot: Snapshot) -> Plan | None:
        """Return the plan of a change, None when only the newest version decides."""
        try:
            plan = replace(self.planner, log=snapshot).plan(write, origin)
        except Unavailable:
            raise
        except (CatalogueError, CorruptChange):
            return None
        # The write as it was requested: made alone, it is planned again.
        return replace(plan, write=write) if plan.change else None

    def _append(self, planned: Sequence[PlannedRequest]) -> Iterator[list[Result]]:
        """Append the changes in one transaction, or around those that it refuses."""
        changes = [plan.change for plan, _ in planned if plan.change]
        if not changes:
            return
        if not self.log.fits_transaction(changes, answers=len(planned)):
            middle = len(planned) // 2
            yield from self._append(planned[:middle])
            yield from self._append(planned[middle:])
            return
        refused = append_each(self.log, planned)
        if not refused:
            self.doorbell.notify([Notification("persist", change) for change in changes])
            yield [plan.result for plan, _ in planned]
            return
        accepted_from = 0
        for position in sorted(refused):
            yield from self._append(planned[accepted_from:position])
            plan, origin = planned[position]
            yield [self._make_alone(plan.write, origin)]
            accepted_from = position + 1
        yield from self._append(planned[accepted_from:])

    def _make_alone(self, write: Write, origin: Origin) -> Result:
        try:
            return self.write_alone(write, origin)
        except Unavailable:
            raise
        except (CatalogueError, CorruptChange) as refusal:
            return refusal


def _touched_by(plan: Plan) -> set[str]:
    """Return the product and the names that a change is about, of which each has one item.

    A transaction may write an item once only.
    """
    change = plan.change
    if change is None:
        return set()
    keys = {f"product {change.product_id}"}
    if claims_name(change):
        products = [change.after, *([change.before] if change.before else [])]
        keys |= {f"name {normalised_name(product.name)}" for product in products}
    return keys
