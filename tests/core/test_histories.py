"""Generated histories of writes, deliveries, losses and crashes on the running engines, against a plain model of what
DESIGN §2 promises: whatever happens, the log is right at any time, and all its effects are once it has become quiet."""

import hashlib
import itertools
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from deploy.local.engines import Engines
from products.catalogue import Catalogue
from products.changes import Effect, Origin
from products.documents import to_document
from products.errors import (
    ChangeNotFound,
    DependencyUnavailable,
    NameTaken,
    ProductExists,
    ProductNotFound,
)
from products.invalidation import SETTLE_TIME
from products.lists import ListQuery
from products.merging import EditConflict, VersionMismatch
from products.pipeline import Pipeline
from products.product import Product
from tests.plugin import search_address
from tests.support.catalogue_model import (
    Model,
    State,
    Write,
    audit_key,
    expected_list,
    expected_logs,
    modelled_fields,
    stored_logs,
)
from tests.support.fakes import NoStatistics
from tests.support.faults import (
    FaultyAdapters,
    FaultyDoorbell,
    ProcessKilled,
    fail_dependency,
    kill_process,
)
from tests.support.world import fresh_world

pytestmark = [pytest.mark.engines, pytest.mark.generated]

TASKS = {"persist": "store", "invalidate": "purge", "index": "index", "audit": "audit"}
CALLS = {
    "persist": 6,
    "invalidate": 7,
    "index": 4,
    "audit": 4,
}  # to engines and bells, in each task
REFUSALS = {
    ProductExists: "exists",
    ProductNotFound: "missing",
    ChangeNotFound: "no such version",
    EditConflict: "clash",
    VersionMismatch: "mismatch",
    NameTaken: "name taken",
}
SKEW = {
    "ann": timedelta(),
    "ben": timedelta(seconds=-0.4),
}  # ben's web host has a clock that is behind
LISTINGS = [
    ListQuery(active=True),
    ListQuery(active=False),
    ListQuery(active=None, limit=2),
    ListQuery(active=None, by_price=True),
    ListQuery(active=None, by_price=True, descending=True, limit=1),
]
MAX_QUIET_SECONDS = (
    30  # rounds of relay and delivery that must be enough for everything to come about
)

ids = st.sampled_from(["p1", "p2", "p1", "p2", "p1", "p2", "p3"])
editors = st.sampled_from(sorted(SKEW))
names = st.sampled_from(
    ["Alpha", "ALPHA", "al pha", "Beta Hosting", "beta hosting", "Gamma", "Delta", "Epsilon"]
)
values = {
    "name": names,
    "description": st.sampled_from(["Hosting for a first site.", "Hosting for many sites."]),
    "price": st.sampled_from(["95.00", "999.00", "1500.00"]),
    "active": st.booleans(),
}
forms = st.fixed_dictionaries({field: values[field] for field in ("name", "description", "price")})
one_field = st.one_of([st.fixed_dictionaries({field: value}) for field, value in values.items()])
edits = st.one_of(one_field, one_field, st.fixed_dictionaries({}, optional=values))
creations = st.builds(
    Write, st.sampled_from(["p3", "p3", "p4", "p1"]), editors, forms, new=st.just(True)
)
updates = st.builds(Write, ids, editors, edits)
picks = st.integers(0, 59)
ends = st.tuples(
    st.sampled_from(["before", "after"]),
    st.sampled_from([kill_process, kill_process, fail_dependency]),
)
repeats = st.tuples(st.just("again"), st.none())
meetings = st.tuples(
    st.just("before"), st.one_of(updates, creations, picks, st.sampled_from([0.5, 5.0, 40.0]))
)
disturbances = st.one_of(
    st.none(), *[st.tuples(picks, what) for what in (ends, ends, repeats, meetings)]
)


class Histories(RuleBasedStateMachine):
    """The world is real; only time and the messages are in this machine's hand."""

    parts: FaultyAdapters
    engines: Engines

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.injector = self.parts.clock, self.parts.injector
        self.injector.disarm()
        self.parts.purges.clear()
        self.clock.now = type(self.clock)().now
        self.world = fresh_world(self.engines)
        self.bell = FaultyDoorbell(injector=self.injector)
        self.model, self.steps, self.sound = Model(), 0, True
        self.stamps: dict[tuple[str, int, str], str] = {}
        self.meanwhile: tuple[Write, datetime, str] | None = None
        ids_made = itertools.count(1)
        common: dict[str, Any] = {
            "table": self.parts.table(self.world),
            "search_index": self.parts.index(self.world),
            "doorbell": self.bell,
        }
        self.shops = {
            editor: Catalogue(
                **common,
                clock=lambda skew=skew: self.clock() + skew,  # type: ignore[misc]
                new_id=lambda: f"change-{next(ids_made)}",
            )
            for editor, skew in SKEW.items()
        }
        self.line = Pipeline(
            statistics=NoStatistics(),
            **common,
            cdn=self.parts.cdn(self.world),
            trail=self.parts.trail(self.world),
            clock=self.clock,
            requeue_after=timedelta(seconds=30),
        )

    # What happens

    @initialize()
    def begin(self) -> None:
        """Little happens in an empty catalogue, so each history begins with two products."""
        for product_id, name in (("p1", "Alpha"), ("p2", "Gamma")):
            fields = {"name": name, "description": "Hosting for a first site.", "price": "95.00"}
            self.write(Write(product_id, "ann", fields, new=True), None)

    @rule(
        write=st.one_of(updates, updates, updates, creations),
        back=st.integers(-2, 2),
        disturbance=disturbances,
    )
    def edit(self, write: Write, back: int, disturbance: Any) -> None:
        """Create, change, rename, deactivate or restore: knowing no version, starting from one, or insisting on one."""
        known = self.version_back(write.product_id, back)
        sure = "expected_version" if write.edits.keys() == {"active"} else "base"
        self.write(write if write.new else replace(write, **{sure: known}), disturbance)

    @precondition(lambda self: self.bell.sent)
    @rule(
        pick=picks,
        fate=st.sampled_from(["gone", "all", "stays", "gone", "lost"]),
        disturbance=disturbances,
    )
    def deliver(self, pick: int, fate: str, disturbance: Any) -> None:
        """Any message, in any order. One that stays comes again, as does one whose task did not end well."""
        message = self.message(pick)
        told = "done"
        if fate == "all":
            self.deliver_all(in_time=pick % 2 == 0)
        elif fate != "lost":
            told = self.work(lambda: self.run(message), disturbance, CALLS[message[0]])
        if told == "done" and fate in {"gone", "lost"}:
            self.bell.sent.remove(message)

    @precondition(
        lambda self: len(self.stamps) < len(Effect) * sum(map(len, self.model.histories.values()))
    )
    @rule(seconds=st.sampled_from([0.3, 1.0, 5.0, 31.0, 700.0]), disturbance=disturbances)
    def relay(self, seconds: float, disturbance: Any) -> None:
        self.clock.advance(seconds)
        self.work(self.line.relay, disturbance)

    # How it happens

    def deliver_all(self, *, in_time: bool) -> None:
        for message in self.bell.take_all():
            self.clock.advance(message[3] if in_time else 0)
            self.work(lambda message=message: self.run(message), None)  # type: ignore[misc]

    def version_back(self, product_id: str, back: int) -> int | None:
        """A version the editor can have seen: ``back`` before the newest; None when ``back`` says so."""
        standing = len(self.model.histories.get(product_id, ()))
        return standing - back if 0 <= back < standing else None

    def message(self, pick: int) -> tuple[str, str, int, int]:
        return self.bell.sent[pick % len(self.bell.sent)]

    def run(self, message: tuple[str, str, int, int]) -> None:
        task, product_id, version, _ = message
        getattr(self.line, TASKS[task])(product_id, version)

    def write(self, write: Write, disturbance: Any) -> None:
        """Ask for the write; what came of it must be one of the things the model allows."""
        times = [self.shops[write.editor].clock()]
        told = self.disturbed(lambda: self.ask(write), disturbance)
        times.append(self.shops[write.editor].clock())
        if self.meanwhile:
            inner, inner_at, told_inner = self.meanwhile
            possible = self.model.after_both(write, times[0], inner, inner_at)
            self.learn(
                [model for outcomes, model in possible if outcomes == (told, told_inner)], told
            )
        elif told == "unknown":
            self.learn([self.model, *(self.model.after(write, at)[1] for at in times)], told)
        else:
            possible = [self.model.after(write, at) for at in times]
            self.learn([model for outcome, model in possible if outcome == told], told)

    def work(self, act: Callable[[], Any], disturbance: Any, calls: int = 3) -> str:
        """What workers do adds nothing to the log; only a write that came meanwhile does."""
        told = self.disturbed(act, disturbance, calls)
        if self.meanwhile:
            inner, inner_at, told_inner = self.meanwhile
            outcome, model = self.model.after(inner, inner_at)
            self.learn([model] if outcome == told_inner else [], told_inner)
        return told

    def learn(self, possible: list[Model], told: str) -> None:
        """The log says which of the possible things came about, and it must be one of them."""
        standing = stored_logs(self.items())
        fitting = [model for model in possible if expected_logs(model) == standing]
        assert fitting, (
            f"The caller was told {told!r}; the log is {standing}, and may be {list(map(expected_logs, possible))}"
        )
        self.model = fitting[0]

    def ask(self, write: Write) -> str:
        """Do the write as a face would, and say what the caller is told."""
        shop, origin = (
            self.shops[write.editor],
            Origin(actor=write.editor, source="test", request_id="request"),
        )
        try:
            if write.new:
                accepted = shop.create(write.product_id, write.edits, origin)
            elif write.edits == {"active": False}:
                accepted = shop.deactivate(
                    write.product_id, origin, expected_version=write.expected_version
                )
            else:
                accepted = shop.update(
                    write.product_id,
                    write.edits,
                    origin,
                    base=write.base,
                    expected_version=write.expected_version,
                )
        except tuple(REFUSALS) as refusal:
            return REFUSALS[type(refusal)]
        return "accepted" if accepted.change else "unchanged"

    def disturbed(self, act: Callable[[], Any], disturbance: Any, calls: int = 3) -> str:
        """Act, with one thing happening at one of about so many ``calls`` on the way; says what the actor learnt."""
        self.sound, self.meanwhile = False, None
        if disturbance:
            pick, (when, what) = disturbance
            self.injector.arm(
                1 + pick % calls, when, what if callable(what) else lambda: self.happen(what)
            )
        try:
            told = act()
            return told if isinstance(told, str) else "done"
        except (ProcessKilled, DependencyUnavailable):
            return "unknown"
        finally:
            self.injector.disarm()

    def happen(self, what: Any) -> None:
        """Meanwhile somebody else writes, another worker takes a message, or time passes."""
        if isinstance(what, Write):
            at = self.shops[what.editor].clock()
            self.meanwhile = (what, at, self.ask(what))
        elif isinstance(what, int) and self.bell.sent:
            self.run(self.message(what))
        elif isinstance(what, float):
            self.clock.advance(what)

    # What must hold at any time

    def items(self) -> list[dict[str, Any]]:
        """The whole table, read past the adapter."""
        pages = self.world.dynamodb.get_paginator("scan").paginate(
            TableName=self.world.table, ConsistentRead=True
        )
        plain = TypeDeserializer().deserialize
        return [
            {name: plain(v) for name, v in item.items()} for page in pages for item in page["Items"]
        ]

    @invariant()
    def it_is_right_now(self) -> None:
        self.sound, items = False, self.items()
        assert stored_logs(items) == expected_logs(self.model)
        claims = {
            item["PK"].removeprefix("NAME#"): item["productId"]
            for item in items
            if item["SK"] == "CLAIM"
        }
        assert claims == self.model.names()
        records = {item["productId"]: item for item in items if item["SK"] == "METADATA"}
        for product_id, record in records.items():
            assert modelled_fields(record) == self.model.histories[product_id][
                int(record["version"]) - 1
            ].document(product_id)
        self.stamps_are_true([item for item in items if item["SK"].startswith("CHANGE#")], records)
        self.staff_see_the_newest()
        self.steps, self.sound = self.steps + 1, True

    def stamps_are_true(
        self, changes: list[dict[str, Any]], records: dict[str, dict[str, Any]]
    ) -> None:
        """A stamp is made once, after its effect is really there, and never changes; all others are open."""
        stamps = {}
        for change in changes:
            product_id, version = change["after"]["productId"], int(change["after"]["version"])
            assert change.get("open", set()) == set(Effect) - set(change["done"])
            for effect, at in change["done"].items():
                stamps[product_id, version, effect] = at
                if (product_id, version, effect) not in self.stamps:
                    self.effect_is_there(
                        effect, self.model.histories[product_id][version - 1], change, records
                    )
        assert stamps.items() >= self.stamps.items()
        self.stamps = stamps

    def effect_is_there(
        self, effect: str, state: State, change: dict[str, Any], records: dict[str, Any]
    ) -> None:
        product_id = change["after"]["productId"]
        if effect == Effect.STORED:
            assert records[product_id]["version"] >= state.version
        elif effect == Effect.SEARCHABLE:
            document = self.world.document(product_id)
            assert document
            assert document["version"] >= state.version
        elif effect == Effect.AUDITED:
            assert audit_key(product_id, state) in self.world.audit_records()
        else:
            settled = datetime.fromisoformat(change["done"][Effect.STORED]) + SETTLE_TIME
            assert any(begun >= settled for _, begun in self.parts.purges.values())

    def staff_see_the_newest(self) -> None:
        newest, shop = self.model.newest(), self.shops["ann"]
        for product_id in ("p1", "p2", "p3", "p4"):
            if product_id in newest:
                assert as_seen(shop.newest(product_id)) == newest[product_id].document(product_id)
            else:
                with pytest.raises(ProductNotFound):
                    shop.newest(product_id)
        for listing in (ListQuery(active=None), LISTINGS[self.steps % len(LISTINGS)]):
            assert self.walked(listing) == expected_list(listing, self.model)
        for product in shop.search(ListQuery(active=None, text="hosting"), staff=True).products:
            assert as_seen(product) == newest[product.product_id].document(product.product_id)

    def walked(self, listing: ListQuery) -> list[dict[str, Any]]:
        """The staff's list, page by page."""
        found: list[dict[str, Any]] = []
        for _ in range(5):
            page = self.shops["ann"].staff_page(listing)
            assert len(page.products) <= listing.limit
            found += map(as_seen, page.products)
            if page.after is None:
                return found
            listing = replace(listing, after=page.after)
        raise AssertionError("The list of four products does not end.")

    # What must hold in the end

    def teardown(self) -> None:
        if self.sound:
            self.become_quiet()
            self.it_is_right_now()
            self.all_came_about()

    def become_quiet(self) -> None:
        for _ in range(MAX_QUIET_SECONDS):
            self.line.relay()
            while taken := self.bell.take_all():
                for message in taken:
                    self.clock.advance(message[3])
                    self.run(message)
            if not list(self.line.table.open_changes()):
                return
            self.clock.advance(700)
        raise AssertionError("The relay does not bring everything about.")

    def all_came_about(self) -> None:
        items, newest = self.items(), self.model.newest()
        assert {key[:2] for key in self.stamps} == {
            (p, s.version) for p, h in self.model.histories.items() for s in h
        }
        assert len(self.stamps) == len(Effect) * sum(map(len, self.model.histories.values()))
        assert not [
            item for item in items if "openFlag" in item or item.get("open") or item.get("failures")
        ]
        records = {
            item["productId"]: modelled_fields(item) for item in items if item["SK"] == "METADATA"
        }
        documents = {
            product_id: modelled_fields(self.world.document(product_id)) for product_id in newest
        }
        assert (
            records
            == documents
            == {product_id: state.document(product_id) for product_id, state in newest.items()}
        )
        public = [as_seen(product) for product in self.shops["ann"].page(ListQuery()).products]
        assert public == expected_list(ListQuery(), self.model)
        self.the_audit_trail_is_whole()
        references = [reference for reference, _ in self.parts.purges.values()]
        assert {made["Id"] for made in self.world.invalidations()} == set(self.parts.purges)
        assert len(set(references)) == len(references)

    def the_audit_trail_is_whole(self) -> None:
        """One object for each version, under its key, each with the hash of the one before it."""
        found = {
            key: self.world.s3.get_object(Bucket=self.world.bucket, Key=key)["Body"].read()
            for key in self.world.audit_records()
        }
        for product_id, states in self.model.histories.items():
            before, previous = None, None
            for state in states:
                body = found.pop(audit_key(product_id, state))
                record = json.loads(body)
                assert (record["user"], record["changeType"]) == (state.editor, state.kind)
                assert (modelled_fields(record["before"]), modelled_fields(record["after"])) == (
                    before,
                    state.document(product_id),
                )
                assert record["previousHash"] == previous
                before, previous = state.document(product_id), hashlib.sha256(body).hexdigest()
        assert found == {}


def as_seen(product: Product) -> dict[str, Any] | None:
    return modelled_fields(to_document(product))


@pytest.mark.timeout(900)  # so that a failure has the time to be made small
def test_whatever_happens_the_promises_are_kept(engines: Engines) -> None:
    class Machine(Histories):
        parts = FaultyAdapters(search_address())

    Machine.engines = engines
    wanted = settings(
        max_examples=int(os.environ.get("HISTORIES", "8")),
        stateful_step_count=25,
        deadline=None,
        database=None,
        derandomize="CI" in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=wanted)
