"""The promises of docs/design.md as a plain model: the accepted states of each product.

The model uses none of the catalogue's own rules, so that the two can disagree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from products.lists import ListQuery

FIELDS = ("name", "description", "price", "active")
MODELLED_KEYS = (*FIELDS, "productId", "version", "updatedBy", "createdAt", "updatedAt")


def format_time(at: datetime) -> str:
    """Return a time as documents hold it."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"


def name_key(name: str) -> str:
    """Return what two products may not share. The model's names are plain letters and spaces."""
    return name.lower().replace(" ", "")


@dataclass(frozen=True)
class State:
    """One accepted state of a product, and the change that made it."""

    version: int
    kind: str
    editor: str
    at: datetime
    created_at: datetime
    fields: Mapping[str, Any]

    def document(self, product_id: str) -> dict[str, Any]:
        """Return what every copy of this state must contain."""
        return {
            **self.fields,
            "price": Decimal(self.fields["price"]),
            "productId": product_id,
            "version": self.version,
            "updatedBy": self.editor,
            "createdAt": format_time(self.created_at),
            "updatedAt": format_time(self.at),
        }


def modelled_fields(document: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the part of a stored document that the model knows.

    Prices are numbers in the table and texts elsewhere.
    """
    if document is None:
        return None
    known = {key: document[key] for key in MODELLED_KEYS}
    return known | {"price": Decimal(document["price"])}


@dataclass(frozen=True)
class Write:
    """A write that an editor requests, with the arguments of the catalogue's ``update``."""

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
        """Return the ID of the product that each name belongs to."""
        return {
            name_key(state.fields["name"]): product_id
            for product_id, state in self.newest().items()
        }

    def after(self, write: Write, at: datetime) -> "tuple[str, Model]":
        """Return the outcome that the caller must get, and the model after the write."""
        return self._create(write, at) if write.new else self._update(write, at)

    def _create(self, write: Write, at: datetime) -> "tuple[str, Model]":
        if write.product_id in self.histories:
            return "exists", self
        fields = {"active": True, **write.edits}
        return self._append(write, State(1, "CREATE", write.editor, at, at, fields))

    def _update(self, write: Write, at: datetime) -> "tuple[str, Model]":
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
        for name, value in touched.items():
            if newest.fields[name] not in (base.fields[name], value):
                return "clash", self
        fields = {**newest.fields, **touched}
        if fields == newest.fields:
            return "unchanged", self
        # Times rise within a product even if the clock of another host is behind.
        at = max(at, newest.at + timedelta(microseconds=1))
        kind = _kind(was_active=newest.fields["active"], is_active=fields["active"])
        version = newest.version + 1
        return self._append(
            write, State(version, kind, write.editor, at, newest.created_at, fields)
        )

    def _append(self, write: Write, state: State) -> "tuple[str, Model]":
        owner = self.names().get(name_key(state.fields["name"]), write.product_id)
        if owner != write.product_id:
            return "name taken", self
        states = (*self.histories.get(write.product_id, ()), state)
        return "accepted", Model({**self.histories, write.product_id: states})

    def after_both(
        self, outer: Write, at: datetime, inner: Write, inner_at: datetime
    ) -> "list[tuple[tuple[str, str], Model]]":
        """Return the possible results of two concurrent writes: outcomes, outer first, and model.

        Either write may be first. ``outer`` may also have started from the version before
        ``inner`` and be appended after it.
        """
        newest_version = len(self.histories.get(outer.product_id, ()))
        starts_from_newest = not outer.new and not outer.base and newest_version > 0
        started_before = replace(outer, base=newest_version) if starts_from_newest else outer
        possible = []
        for second in (outer, started_before):
            inner_outcome, between = self.after(inner, inner_at)
            outer_outcome, model = between.after(second, at)
            possible.append(((outer_outcome, inner_outcome), model))
        outer_outcome, between = self.after(outer, at)
        inner_outcome, model = between.after(inner, inner_at)
        possible.append(((outer_outcome, inner_outcome), model))
        return possible


def _kind(*, was_active: bool, is_active: bool) -> str:
    if was_active == is_active:
        return "UPDATE"
    return "RESTORE" if is_active else "DELETE"


def expected_logs(model: Model) -> dict[str, list[dict[str, Any]]]:
    """Return the log that each product must have: its changes in order, with both states."""
    logs: dict[str, list[dict[str, Any]]] = {}
    for product_id, states in model.histories.items():
        entries = []
        before = None
        for number, state in enumerate(states, 1):
            after = state.document(product_id)
            entry = {
                "version": number,
                "kind": state.kind,
                "editor": state.editor,
                "at": format_time(state.at),
                "before": before,
                "after": after,
            }
            entries.append(entry)
            before = after
        logs[product_id] = entries
    return logs


def stored_logs(items: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the logs that are in the table's items, in the form of ``expected_logs``."""
    changes = [item for item in items if item["SK"].startswith("CHANGE#")]
    changes.sort(key=lambda item: str(item["SK"]))
    logs: dict[str, list[dict[str, Any]]] = {}
    for item in changes:
        entry = {
            "version": int(item["SK"].removeprefix("CHANGE#")),
            "kind": item["changeType"],
            "editor": item["actor"],
            "at": item["acceptedAt"],
            "before": modelled_fields(item["before"]),
            "after": modelled_fields(item["after"]),
        }
        product_id = item["PK"].removeprefix("PRODUCT#")
        logs.setdefault(product_id, []).append(entry)
    return logs


def expected_list(listing: ListQuery, model: Model) -> list[dict[str, Any]]:
    """Return the documents that a list must show, in its order."""
    documents = [state.document(product_id) for product_id, state in model.newest().items()]
    shown = [document for document in documents if listing.active in (None, document["active"])]
    first_key = "price" if listing.by_price else "createdAt"
    shown.sort(
        key=lambda document: (document[first_key], document["productId"]),
        reverse=listing.descending,
    )
    return shown


def audit_key(product_id: str, state: State) -> str:
    """Return where the audit record of the state must be."""
    return f"{state.at:%Y/%m/%d}/{product_id}_{state.at:%Y%m%dT%H%M%S.%fZ}.json"
