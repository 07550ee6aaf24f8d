"""What is judged: the ledger and the evidence side by side, and what each write must have done. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from tests.gameday.evidence import Evidence, Item
from tests.gameday.ledger import Read, Write

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
    """One promise: how often it was looked at, and each time it was broken."""

    promise: str
    checked: int
    violations: list[str]


def comparable(field_name: str, value: Any) -> Any:
    if field_name in ("price", "renewalPrice", "version"):
        return None if value is None else Decimal(value)
    return list(value) if field_name == "features" else value


def product_of(document: Mapping[str, Any], names: Iterable[str] = DOCUMENT) -> dict[str, Any]:
    """The product in any of the places it is kept, in one form."""
    return {name: comparable(name, document.get(name)) for name in names}


@dataclass
class Case:
    evidence: Evidence
    writes: list[Write]
    reads: list[Read] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    left_open: list[str] = field(default_factory=list)
    """Changes that did not come about by themselves once it was calm."""

    @cached_property
    def authors(self) -> dict[tuple[str, str], Write]:
        """The write behind each request and product."""
        return {
            (told.request_id, write.product_id): write
            for write in self.writes
            for told in write.told
        }

    def author(self, change: Item) -> Write | None:
        return self.authors.get((change["requestId"], change["after"]["productId"]))

    @cached_property
    def traces(self) -> dict[int, list[Item]]:
        """The changes each write has made, by the write's identity."""
        found: dict[int, list[Item]] = {}
        for change in self.evidence.every_change():
            if write := self.author(change):
                found.setdefault(id(write), []).append(change)
        return found

    def traces_of(self, write: Write, request_id: str = "") -> list[Item]:
        """Its changes; only those of one attempt when ``request_id`` says so."""
        made = self.traces.get(id(write), [])
        return [change for change in made if request_id in ("", change["requestId"])]

    def standing_since(self, write: Write, change: Item) -> list[Item]:
        """The versions the write may have started from: the newest when it began, and all until the one it made."""
        earlier = self.evidence.changes[write.product_id][: int(change["after"]["version"]) - 1]
        later = [standing for standing in earlier if standing["acceptedAt"] >= write.began]
        return earlier[max(0, len(earlier) - len(later) - 1) :]

    def meant(self, write: Write) -> dict[str, Any]:
        """The fields the write really was to change, with their values, in comparable form."""
        base_version = write.takes_back or write.base
        base = self.evidence.change(write.product_id, base_version)
        edits = {name: comparable(name, value) for name, value in self._edits(write).items()}
        if base is None or write.creates:
            return edits
        started = product_of(base["after"], FIELDS)
        return {name: value for name, value in edits.items() if value != started[name]}

    def _edits(self, write: Write) -> Mapping[str, Any]:
        if write.takes_back:
            taken = self.evidence.change(write.product_id, write.takes_back)
            if taken is None:
                return {}
            if not taken["before"]:
                return {"active": False}
            before, after = product_of(taken["before"], FIELDS), product_of(taken["after"], FIELDS)
            return {name: before[name] for name in FIELDS if before[name] != after[name]}
        if write.back_to:
            target = self.evidence.change(write.product_id, write.back_to)
            return product_of(target["after"], FIELDS) if target else {}
        return write.edits


def called(change: Item) -> str:
    """A change as a person looks it up."""
    return f"{change['after']['productId']} v{change['after']['version']}"
