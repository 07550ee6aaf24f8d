"""The rules for several writes in one transaction. Pure."""

from collections.abc import Iterable, Sequence

from products.changes import Change
from products.errors import CatalogueError, Conflict, NameTaken
from products.product import normalised_name
from products.writes import Plan, Write, WritesRefused

MAX_WRITES = 100


def validate_together(writes: Sequence[Write], plans: Sequence[Plan]) -> None:
    """Raise WritesRefused when a product or a name occurs twice among the writes."""
    refusals = _repeated_products(writes) | _name_clashes(plans)
    if refusals:
        raise WritesRefused(refusals)


def _repeated_products(writes: Iterable[Write]) -> dict[int, CatalogueError]:
    found: set[str] = set()
    refusals: dict[int, CatalogueError] = {}
    for position, write in enumerate(writes):
        if write.product_id is None:
            continue
        if write.product_id in found:
            refusals[position] = Conflict(f"Product {write.product_id!r} is in this batch twice.")
        found.add(write.product_id)
    return refusals


def _name_clashes(plans: Sequence[Plan]) -> dict[int, CatalogueError]:
    """Return the refusals of names that two of the writes want.

    A name that one write frees can't be claimed by another in the same transaction.
    """
    claiming = {
        position: plan.change
        for position, plan in enumerate(plans)
        if plan.change and claims_name(plan.change)
    }
    owners = {
        normalised_name(change.before.name): change.product_id
        for change in claiming.values()
        if change.before
    }
    refusals: dict[int, CatalogueError] = {}
    for position, change in claiming.items():
        name = normalised_name(change.after.name)
        owner = owners.setdefault(name, change.product_id)
        if owner != change.product_id:
            # The other product may not exist yet, so its generated id would mean nothing.
            sentence = f"The name {change.after.name!r} is in this batch twice."
            refusals[position] = NameTaken(change.after.name, owner, sentence)
    return refusals


def claims_name(change: Change) -> bool:
    """Whether the change claims a name that the product did not have before."""
    if change.before is None:
        return True
    return normalised_name(change.before.name) != normalised_name(change.after.name)
