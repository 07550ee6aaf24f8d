"""A small game without violations, whose ledger and evidence the tests corrupt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from products.adapters.dynamodb.items import change_item, record_item
from products.changes import (
    Change,
    Effect,
    Origin,
    audit_key,
    audit_record,
    canonical_json,
    next_change,
)
from products.documents import FIELD_NAMES, format_timestamp, to_document
from products.merging import merged
from products.permissions import ALL_PERMISSIONS
from products.product import new_product
from tests.gameday.case import Case
from tests.gameday.evidence import Evidence, Item
from tests.gameday.ledger import Campaign, ClientResult, Outcome, Read, Write
from tests.support.builders import fields

START = datetime(2026, 11, 25, 12, tzinfo=UTC)
NUMBERED = "gd-api1-{:06d}"


@dataclass
class SampleGame:
    """A game that grows with each write. Every effect of every change is complete."""

    case: Case = field(default_factory=lambda: Case(Evidence(), []))
    newest: dict[str, Change] = field(default_factory=dict)

    def write(self, product_id: str, edits: Mapping[str, Any], **options: Any) -> Write:
        """Add an accepted write with its change, its effects and a read."""
        write = self.note(product_id, edits, Outcome.ACCEPTED, 202, **options)
        change = self._change(write)
        write.results[-1] = ClientResult(
            request_id=write.results[-1].request_id,
            outcome=Outcome.ACCEPTED,
            status=202,
            version=change.version,
        )
        self._effects(change)
        shown = {"price": str(change.after.price), "name": change.after.name}
        self.case.reads.append(
            Read(
                client="api1",
                where="product",
                product_id=product_id,
                min_version=change.version,
                version=change.version,
                shown=shown,
            )
        )
        return write

    def campaign(self, product_id: str, edits: Mapping[str, Any], *, price: str) -> None:
        """Add a product, and a plan that sets its price and takes it back."""
        before = str(self.write(product_id, edits, creates=True).edits["price"])
        plan = Campaign(
            plan_id="offer",
            product_ids=(product_id,),
            price=price,
            starts_at=format_timestamp(START),
            ends_at=format_timestamp(START),
        )
        self.case.campaigns.append(plan)
        self.case.evidence.plans["offer"] = {"state": "ended"}
        for step, value in (("start", price), ("end", before)):
            self.write(product_id, {"price": value}, request_id=f"offer-{step}")

    def note(
        self,
        product_id: str,
        edits: Mapping[str, Any],
        outcome: Outcome,
        status: int | None,
        **options: Any,
    ) -> Write:
        """Add a write to the ledger, with the client's result."""
        write_id = NUMBERED.format(len(self.case.writes) + 1)
        conflicts = options.pop("conflicts", {})
        request_id = options.pop("request_id", f"{write_id}.1")
        result = ClientResult(
            request_id=request_id, outcome=outcome, status=status, conflicts=conflicts
        )
        write = Write(
            write_id=write_id,
            client="api1",
            kind="patch",
            product_id=product_id,
            edits=edits,
            results=[result],
            **options,
        )
        self.case.writes.append(write)
        return write

    def _change(self, write: Write) -> Change:
        before, at = (
            self.newest.get(write.product_id),
            START + timedelta(seconds=10 * len(self.case.writes)),
        )
        origin = Origin(
            actor="ann",
            source="api",
            request_id=write.results[0].request_id,
            permissions=ALL_PERMISSIONS,
        )
        edits = {FIELD_NAMES[name]: value for name, value in write.edits.items()}
        if before is None:
            after = new_product(write.product_id, edits, by="ann", at=at)
        else:
            after = merged(before.after, edits, before.after)
        change = next_change(
            before, after, origin, at=at, change_id=f"c{at:%H%M%S}", effects=frozenset(Effect)
        )
        self.newest[write.product_id] = change
        return change

    def _effects(self, change: Change) -> None:
        evidence, at = self.case.evidence, change.accepted_at
        item: Item = change_item(change) | {
            "done": {str(effect): format_timestamp(at + timedelta(seconds=3)) for effect in Effect}
        }
        item["done"]["stored"] = format_timestamp(at + timedelta(seconds=1))
        del item["open"], item["openFlag"]
        evidence.changes.setdefault(change.product_id, []).append(item)
        evidence.records[change.product_id] = record_item(change.after, at)
        document = to_document(change.after)
        evidence.documents[change.product_id] = document | {"price": str(document["price"])}
        evidence.audit[audit_key(change)] = canonical_json(audit_record(change))
        started = at + timedelta(seconds=2, milliseconds=500)
        evidence.invalidations.append(
            f"products-{len(evidence.invalidations) + 1}-{started:%Y%m%dT%H%M%S%f}"
        )
        name = "".join(change.after.name.casefold().split())
        for claimed, product_id in list(evidence.claims.items()):
            if product_id == change.product_id:
                del evidence.claims[claimed]
        evidence.claims[name] = change.product_id


def intact_game() -> SampleGame:
    """Return a game without violations.

    It has two products, five changes, a refusal, and two writes with an unknown first result. One
    of these two was never made. A third product has a campaign.
    """
    game = SampleGame()
    game.write("gd-00", fields(name="Alpha"), creates=True)
    game.write("gd-01", fields(name="Beta"), creates=True)
    game.write("gd-00", {"price": "12.01"})
    game.write("gd-00", {"description": "Described by somebody else."}, base=1)
    clash = {"fields": {"price": {"theirs": "12.01"}}, "version": 3}
    game.note("gd-00", {"price": "13.01"}, Outcome.REFUSED, 409, base=1, conflicts=clash)
    game.note("gd-01", {"price": "14.01"}, Outcome.UNKNOWN, None)
    game.write("gd-01", {"name": "Gamma"}, has_key=True).results.insert(
        0, ClientResult(request_id=NUMBERED.format(7) + ".0", outcome=Outcome.UNKNOWN)
    )
    game.campaign("gd-02", fields(name="Delta"), price="9.01")
    return game
