"""The case that the checks judge: the ledger, the evidence, and what each write had to do.

This module makes no calls.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from tests.gameday.evidence import Evidence, Item
from tests.gameday.ledger import Campaign, Read, Write

FIELDS = (
    "name",
    "description",
    "price",
    "renewalPrice",
    "features",
    "active",
    "currency",
    "billingCycle",
)
DOCUMENT = (*FIELDS, "productId", "period", "version", "createdAt", "updatedAt", "updatedBy")


@dataclass(frozen=True)
class Verdict:
    """One promise: how often it was checked, and every violation of it."""

    promise: str
    checked: int
    violations: list[str]


def comparable(field_name: str, value: Any) -> Any:
    """Return a field's value in the form that all stores have in common."""
    if field_name in ("price", "renewalPrice", "version"):
        return None if value is None else Decimal(value)
    return list(value) if field_name == "features" else value


def product_of(document: Mapping[str, Any], names: Iterable[str] = DOCUMENT) -> dict[str, Any]:
    """Return a product's fields in comparable form, from any of the stores."""
    return {name: comparable(name, document.get(name)) for name in names}


@dataclass
class Case:
    """Everything that is known about a game that has ended."""

    evidence: Evidence
    writes: list[Write]
    reads: list[Read] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    campaigns: list[Campaign] = field(default_factory=list)
    left_open: list[str] = field(default_factory=list)
    """Changes that were still open after the waiting time, without an operator's help."""
    has_wrong_clocks: bool = False
    """Whether a process had a wrong clock, so that times can't be compared."""

    @cached_property
    def authors(self) -> dict[tuple[str, str], Write]:
        """The write of each request id and product id."""
        return {
            (result.request_id, write.product_id): write
            for write in self.writes
            for result in write.results
        }

    def author(self, change: Item) -> Write | None:
        return self.authors.get((change["requestId"], change["after"]["productId"]))

    @cached_property
    def changes_by_write(self) -> dict[int, list[Item]]:
        """The changes that each write made, by the write's ``id()``."""
        found: dict[int, list[Item]] = {}
        for change in self.evidence.every_change():
            if write := self.author(change):
                found.setdefault(id(write), []).append(change)
        return found

    def changes_of(self, write: Write, request_id: str = "") -> list[Item]:
        """Return the changes of a write, or those of the attempt with ``request_id``."""
        made = self.changes_by_write.get(id(write), [])
        return [change for change in made if request_id in ("", change["requestId"])]

    def possible_bases(self, write: Write, change: Item) -> list[Item]:
        """Return the versions that the write may have started from.

        These are the newest version when the write was sent, and all between it and ``change``.
        """
        version = int(change["after"]["version"])
        earlier = self.evidence.changes[write.product_id][: version - 1]
        later = [other for other in earlier if other["acceptedAt"] >= write.sent_at]
        return earlier[max(0, len(earlier) - len(later) - 1) :]

    def intended(self, write: Write) -> dict[str, Any]:
        """Return the fields that the write had to change, with their values in comparable form."""
        base_version = write.undoes or write.base
        base = self.evidence.change(write.product_id, base_version)
        edits = {name: comparable(name, value) for name, value in self._edits(write).items()}
        if base is None or write.creates:
            return edits
        started = product_of(base["after"], FIELDS)
        return {name: value for name, value in edits.items() if value != started[name]}

    def _edits(self, write: Write) -> Mapping[str, Any]:
        if write.undoes:
            return self._undo_edits(write)
        if write.restores:
            target = self.evidence.change(write.product_id, write.restores)
            return product_of(target["after"], FIELDS) if target else {}
        return write.edits

    def _undo_edits(self, write: Write) -> dict[str, Any]:
        undone = self.evidence.change(write.product_id, write.undoes)
        if undone is None:
            return {}
        if not undone["before"]:
            return {"active": False}
        before = product_of(undone["before"], FIELDS)
        after = product_of(undone["after"], FIELDS)
        return {name: before[name] for name in FIELDS if before[name] != after[name]}


def label(change: Item) -> str:
    """Return a change's product id and version, as a person looks it up."""
    return f"{change['after']['productId']} v{change['after']['version']}"
