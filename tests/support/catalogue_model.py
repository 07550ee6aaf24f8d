"""The promises of DESIGN §2 as a plain model: a list of accepted states for each product, and what a write does to it.

Nothing here uses the catalogue's own rules, so that the two can disagree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from products.lists import ListQuery

FIELDS = ("name", "description", "price", "active")


def format_time(at: datetime) -> str:
    """A time as documents hold it."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"


def name_key(name: str) -> str:
    """Two products may not share this; the model's names are plain letters and spaces."""
    return name.lower().replace(" ", "")


@dataclass(frozen=True)
class State:
    """One accepted state of a product, and how it came about."""

    version: int
    kind: str
    editor: str
    at: datetime
    created_at: datetime
    fields: Mapping[str, Any]

    def document(self, product_id: str) -> dict[str, Any]:
        """What every copy of this state must say."""
        who = {"productId": product_id, "version": self.version, "updatedBy": self.editor}
        fields = {**self.fields, "price": Decimal(self.fields["price"])}
        return (
            fields
            | who
            | {"createdAt": format_time(self.created_at), "updatedAt": format_time(self.at)}
        )


def modelled_fields(document: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The part of a stored document the model speaks of; prices are numbers in the table and texts elsewhere."""
    if document is None:
        return None
    names = (*FIELDS, "productId", "version", "updatedBy", "createdAt", "updatedAt")
    return {name: document[name] for name in names} | {"price": Decimal(document["price"])}


@dataclass(frozen=True)
class Write:
    """One write an editor asks for. ``base`` and ``only_if`` are what the catalogue's ``update`` calls so."""

    product_id: str
    editor: str
    edits: Mapping[str, Any]
    new: bool = False
    base: int | None = None
    expected_version: int | None = None


@dataclass(frozen=True)
class Model:
    """All accepted states by product, oldest first."""

    histories: Mapping[str, tuple[State, ...]] = field(default_factory=dict)

    def newest(self) -> dict[str, State]:
        return {product_id: states[-1] for product_id, states in self.histories.items()}

    def names(self) -> dict[str, str]:
        """Which product each name belongs to."""
        return {
            name_key(state.fields["name"]): product_id
            for product_id, state in self.newest().items()
        }

    def after(self, write: Write, at: datetime) -> "tuple[str, Model]":
        """What the caller must be told, and the model after it."""
        return self._created(write, at) if write.new else self._updated(write, at)

    def _created(self, write: Write, at: datetime) -> "tuple[str, Model]":
        if write.product_id in self.histories:
            return "exists", self
        return self._named(
            write, State(1, "CREATE", write.editor, at, at, {"active": True, **write.edits})
        )

    def _updated(self, write: Write, at: datetime) -> "tuple[str, Model]":
        states = self.histories.get(write.product_id)
        if not states:
            return "missing", self
        newest = states[-1]
        if write.expected_version not in (None, newest.version):
            return "mismatch", self
        if write.base is not None and not 1 <= write.base <= newest.version:
            return "no such version", self
        base = states[write.base - 1] if write.base else newest
        touched = {name: value for name, value in write.edits.items() if value != base.fields[name]}
        if any(
            newest.fields[name] not in (base.fields[name], value) for name, value in touched.items()
        ):
            return "clash", self
        fields = {**newest.fields, **touched}
        if fields == newest.fields:
            return "unchanged", self
        # Times rise within a product even where the clock of another host is behind.
        at = max(at, newest.at + timedelta(microseconds=1))
        kind = _kind(newest.fields["active"], now=fields["active"])
        return self._named(
            write, State(newest.version + 1, kind, write.editor, at, newest.created_at, fields)
        )

    def _named(self, write: Write, state: State) -> "tuple[str, Model]":
        if self.names().get(name_key(state.fields["name"]), write.product_id) != write.product_id:
            return "name taken", self
        grown = (*self.histories.get(write.product_id, ()), state)
        return "accepted", Model({**self.histories, write.product_id: grown})

    def after_both(
        self, outer: Write, at: datetime, inner: Write, inner_at: datetime
    ) -> "list[tuple[tuple[str, str], Model]]":
        """What may come of two writes at once: either one first, ``outer`` perhaps begun before ``inner``.

        Each possibility is the outcomes the callers may be told, outer first, and the model.
        """
        standing = len(self.histories.get(outer.product_id, ()))
        begun = outer if outer.new or outer.base or not standing else replace(outer, base=standing)
        possible = []
        for late in (outer, begun):
            told_inner, between = self.after(inner, inner_at)
            told_outer, model = between.after(late, at)
            possible.append(((told_outer, told_inner), model))
        told_outer, between = self.after(outer, at)
        told_inner, model = between.after(inner, inner_at)
        return [*possible, ((told_outer, told_inner), model)]


def _kind(was: bool, *, now: bool) -> str:
    if was == now:
        return "UPDATE"
    return "RESTORE" if now else "DELETE"


def expected_logs(model: Model) -> dict[str, list[dict[str, Any]]]:
    """The log as it must stand: for each product its changes in order, each with the states before and after it."""
    stored_logs: dict[str, list[dict[str, Any]]] = {}
    for product_id, states in model.histories.items():
        documents = [state.document(product_id) for state in states]
        stored_logs[product_id] = [
            {
                "version": number,
                "kind": state.kind,
                "editor": state.editor,
                "at": format_time(state.at),
                "before": documents[number - 2] if number > 1 else None,
                "after": documents[number - 1],
            }
            for number, state in enumerate(states, 1)
        ]
    return stored_logs


def stored_logs(items: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The log that stands in the table's items, in the words of ``log_of``."""
    found: dict[str, list[dict[str, Any]]] = {}
    for item in sorted(
        (item for item in items if item["SK"].startswith("CHANGE#")),
        key=lambda item: str(item["SK"]),
    ):
        entry = {
            "version": int(item["SK"].removeprefix("CHANGE#")),
            "kind": item["changeType"],
            "editor": item["actor"],
            "at": item["acceptedAt"],
            "before": modelled_fields(item["before"]),
            "after": modelled_fields(item["after"]),
        }
        found.setdefault(item["PK"].removeprefix("PRODUCT#"), []).append(entry)
    return found


def expected_list(listing: ListQuery, model: Model) -> list[dict[str, Any]]:
    """The documents a list must show, in its order."""
    documents = [state.document(product_id) for product_id, state in model.newest().items()]
    held = [document for document in documents if listing.active in (None, document["active"])]
    by = "price" if listing.by_price else "createdAt"
    return sorted(
        held, key=lambda document: (document[by], document["productId"]), reverse=listing.descending
    )


def audit_key(product_id: str, state: State) -> str:
    """Where the state's audit record must be (DESIGN §6)."""
    return f"{state.at:%Y/%m/%d}/{product_id}_{state.at:%Y%m%dT%H%M%S.%fZ}.json"
