"""How much of the due steps one call makes. Pure.

A function on Lambda ends after ten seconds, and has a small part of a processor. It makes as many
rows as fit, stores how far it came, and leaves the rest to the next message.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched, groupby

from products.plans.plan import MAX_ROWS, Plan


@dataclass(frozen=True, slots=True)
class Turn:
    """How many rows are made together, and after which time a call begins no more of them."""

    rows: int
    time: timedelta


def plans_together(due: Sequence[Plan], turn: Turn | None) -> Iterator[list[Plan]]:
    """Yield the plans whose steps are begun together, in their order: those of the same time.

    With a turn, they are few, and have no more rows than the largest plan may have.
    """
    for _, of_same_time in groupby(due, key=lambda plan: plan.due):
        group: list[Plan] = []
        for plan in of_same_time:
            is_full = turn and group and _is_full(group, plan, turn)
            if is_full:
                yield group
                group = []
            group.append(plan)
        yield group


def _is_full(group: Sequence[Plan], plan: Plan, turn: Turn) -> bool:
    return len(group) >= turn.rows or sum(one.rows for one in [*group, plan]) > MAX_ROWS


def rows_together[T](requests: Sequence[T], turn: Turn | None) -> Iterator[Sequence[T]]:
    """Yield the requests in portions; one empty portion when there are none."""
    if turn is None or not requests:
        yield requests
    else:
        yield from batched(requests, turn.rows)
