"""The rules for several writes in one transaction. Pure."""

from collections.abc import Iterable, Sequence

from products.changes import Change
from products.errors import CatalogueError, Conflict, Invalid, NameTaken
from products.product import normalised_name
from products.writes import Accepted, Write, WritesRefused

MAX_WRITES = 100
MAX_TRANSACTION_ACTIONS = 100
"""Actions in one DynamoDB transaction. A change takes one. Each name that is claimed or freed, and
the answer to remember, takes one more. So 100 updates fit, or 50 creations."""


def validate_together(
    writes: Sequence[Write], planned: Sequence[Accepted], *, remembers_answer: bool
) -> None:
    """Check that one transaction can hold the writes.

    ``remembers_answer`` says that the transaction also holds the answer to remember.

    Raises: WritesRefused when a product or a name occurs twice; Invalid when there are too many.
    """
    refusals = _repeated_products(writes) | _name_clashes(planned)
    if refusals:
        raise WritesRefused(refusals)
    actions = sum(_action_count(accepted.change) for accepted in planned if accepted.change)
    actions += int(remembers_answer)
    if actions > MAX_TRANSACTION_ACTIONS:
        sentence = (
            f"These writes need {actions} places in one transaction, which has"
            f" {MAX_TRANSACTION_ACTIONS}: enough for 50 creations or 99 updates."
            " Send fewer, or use mode each."
        )
        raise Invalid({"items": [sentence]})


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


def _name_clashes(planned: Sequence[Accepted]) -> dict[int, CatalogueError]:
    """Return the refusals of names that two of the writes want.

    A name that one write frees can't be claimed by another in the same transaction.
    """
    claiming = {
        position: accepted.change
        for position, accepted in enumerate(planned)
        if accepted.change and claims_name(accepted.change)
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
            refusals[position] = NameTaken(change.after.name, owner)
    return refusals


def claims_name(change: Change) -> bool:
    """Whether the change claims a name that the product did not have before."""
    if change.before is None:
        return True
    return normalised_name(change.before.name) != normalised_name(change.after.name)


def _action_count(change: Change) -> int:
    """Return how many actions of a transaction the change takes."""
    if not claims_name(change):
        return 1
    frees_name = change.before is not None
    return 3 if frees_name else 2
