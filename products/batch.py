"""Several writes asked for at once: what one of them is, and what must hold among them. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from products.changes import Change
from products.errors import CatalogueError, Conflict, Invalid, NameTaken, Unavailable
from products.product import normalised_name
from products.writes import Accepted, Write, WritesRefused

MAX_WRITES = 100
MAX_TRANSACTION_ACTIONS = 100
"""Actions one DynamoDB transaction takes. A change is one; a name that is claimed or freed, and a request's answer,
are one more each - so 100 updates fit, or 50 creations."""


def plan_each(writes: Sequence[Write], plan: Callable[[int, Write], Accepted]) -> list[Accepted]:
    """Each write as it would come out; WritesRefused holds all that are refused, not only the first."""
    planned: list[Accepted] = []
    refusals: dict[int, CatalogueError] = {}
    for position, write in enumerate(writes):
        try:
            planned.append(plan(position, write))
        except Unavailable:
            raise  # no reason to ask an engine that is away about the others
        except CatalogueError as refusal:
            refusals[position] = refusal
    if refusals:
        raise WritesRefused(refusals)
    return planned


def validate_together(
    writes: Sequence[Write], planned: Sequence[Accepted], *, remembered: bool
) -> None:
    """What one transaction can't hold: a product or a name twice, or more places than there are."""
    changes = [accepted.change for accepted in planned if accepted.change]
    refusals = _doubles(writes) | _name_clashes(planned)
    if refusals:
        raise WritesRefused(refusals)
    places = sum(map(_places, changes)) + remembered
    if places > MAX_TRANSACTION_ACTIONS:
        wide = f"All or none of these need {places} places in a transaction of {MAX_TRANSACTION_ACTIONS}"
        raise Invalid(
            {
                "items": [
                    f"{wide}, which holds 50 creations or 99 updates; send fewer, or with mode each."
                ]
            }
        )


def _doubles(writes: Iterable[Write]) -> dict[int, CatalogueError]:
    seen: Counter[str | None] = Counter()
    refusals: dict[int, CatalogueError] = {}
    for position, write in enumerate(writes):
        seen[write.product_id] += 1
        if write.product_id is not None and seen[write.product_id] > 1:
            refusals[position] = Conflict(f"Product {write.product_id!r} is in this batch twice.")
    return refusals


def _name_clashes(planned: Sequence[Accepted]) -> dict[int, CatalogueError]:
    """A name is taken by one write only, and not in the moment in which another write frees it."""
    changes = {
        position: accepted.change for position, accepted in enumerate(planned) if accepted.change
    }
    owners = {
        normalised_name(c.before.name): c.product_id
        for c in changes.values()
        if c.before and claims_name(c)
    }
    refusals: dict[int, CatalogueError] = {}
    for position, change in changes.items():
        if claims_name(change):
            owner = owners.setdefault(normalised_name(change.after.name), change.product_id)
            if owner != change.product_id:
                refusals[position] = NameTaken(change.after.name, owner)
    return refusals


def claims_name(change: Change) -> bool:
    """Whether the change claims a name the product did not hold."""
    return change.before is None or normalised_name(change.before.name) != normalised_name(
        change.after.name
    )


def _places(change: Change) -> int:
    return 1 if not claims_name(change) else 3 if change.before else 2
