"""Generated histories of writes, deliveries, lost messages and crashes, against a plain model.

The dependencies are real. The promises are those of docs/design.md: the log is correct at any time,
and all effects are done once nothing happens any more.
"""

import hashlib
import json
import os
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
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
from products.changes import Effect
from products.documents import to_document
from products.errors import ProductNotFound
from products.invalidation import SETTLE_TIME
from products.lists import ListQuery, SortKey
from products.product import Product
from tests.plugin import search_address
from tests.support.catalogue_model import (
    State,
    Write,
    audit_key,
    expected_list,
    expected_logs,
    modelled_fields,
    stored_logs,
)
from tests.support.faults import FaultyAdapters
from tests.support.history_run import HistoryRun
from tests.support.history_strategies import creations, disturbances, picks, updates

pytestmark = [pytest.mark.engines, pytest.mark.generated]

CALLS = {"persist": 6, "invalidate": 7, "index": 4, "audit": 4}
"""How many calls to dependencies each task makes, messages included."""
PRODUCT_IDS = ("p1", "p2", "p3", "p4")
LISTINGS = [
    ListQuery(active=True),
    ListQuery(active=False),
    ListQuery(active=None, limit=2),
    ListQuery(active=None, sort=SortKey.PRICE),
    ListQuery(active=None, sort=SortKey.PRICE, descending=True, limit=1),
]
MAX_PAGES = 5  # of a list of four products
MAX_RELAY_RUNS = 30  # enough for all effects of any history
RELAY_PAUSE_SECONDS = 700  # longer than the relay ever waits

Document = dict[str, Any]
Stamps = dict[tuple[str, int, str], str]


class Histories(RuleBasedStateMachine):
    """The dependencies are real; this machine controls the time and the messages."""

    adapters: FaultyAdapters
    engines: Engines

    def __init__(self) -> None:
        super().__init__()
        self.history = HistoryRun(self.adapters, self.engines)
        self.staff = self.history.catalogue
        self.checks = 0
        self.stamps: Stamps = {}

    # What happens

    @initialize()
    def begin(self) -> None:
        """Create two products, because little happens in an empty catalogue."""
        for product_id, name in (("p1", "Alpha"), ("p2", "Gamma")):
            fields = {"name": name, "description": "Hosting for a first site.", "price": "95.00"}
            self.history.write(Write(product_id, "ann", fields, new=True), None)

    @rule(
        write=st.one_of(updates, updates, updates, creations),
        back=st.integers(-2, 2),
        disturbance=disturbances,
    )
    def edit(self, write: Write, back: int, disturbance: Any) -> None:
        """Create, change, rename, deactivate or restore a product.

        Some writes start from an earlier version or require one, others know none.
        """
        if not write.new:
            known = self.history.version_back(write.product_id, back)
            if write.edits.keys() == {"active"}:
                write = replace(write, expected_version=known)
            else:
                write = replace(write, base=known)
        self.history.write(write, disturbance)

    @precondition(lambda self: self.history.bell.sent)
    @rule(
        pick=picks,
        fate=st.sampled_from(["gone", "all", "stays", "gone", "lost"]),
        disturbance=disturbances,
    )
    def deliver(self, pick: int, fate: str, disturbance: Any) -> None:
        """Deliver any message, in any order, or lose it.

        A message that stays is delivered again, as is one whose task failed.
        """
        message = self.history.message(pick)
        self.history.combines = pick % 3 != 0  # as a worker does, and not as a function
        outcome = "done"
        if fate == "all":
            self.history.deliver_all(in_time=pick % 2 == 0)
        elif fate != "lost":
            outcome = self.history.work_on(message, disturbance, CALLS[message[0]])
        if outcome == "done" and fate in {"gone", "lost"}:
            self.history.bell.sent.remove(message)

    @precondition(lambda self: len(self.stamps) < self.effect_count())
    @rule(seconds=st.sampled_from([0.3, 1.0, 5.0, 31.0, 700.0]), disturbance=disturbances)
    def relay(self, seconds: float, disturbance: Any) -> None:
        """Let time pass and run the relay."""
        self.history.clock.advance(seconds)
        self.history.work(self.history.relay.requeue, disturbance)

    def effect_count(self) -> int:
        """Return the number of effects of all accepted changes."""
        return len(Effect) * sum(map(len, self.history.model.histories.values()))

    # What must hold at any time

    @invariant()
    def everything_is_correct(self) -> None:
        self.history.is_checked = False
        model = self.history.model
        items = self.history.items()
        assert stored_logs(items) == expected_logs(model)
        claims = {
            item["PK"].removeprefix("NAME#"): item["productId"]
            for item in items
            if item["SK"] == "CLAIM"
        }
        assert claims == model.names()
        records = {item["productId"]: item for item in items if item["SK"] == "METADATA"}
        for product_id, record in records.items():
            state = model.histories[product_id][int(record["version"]) - 1]
            assert modelled_fields(record) == state.document(product_id)
        changes = [item for item in items if item["SK"].startswith("CHANGE#")]
        self.stamps_are_true(changes, records)
        self.staff_see_the_newest()
        self.checks += 1
        self.history.is_checked = True

    def stamps_are_true(self, changes: list[Document], records: dict[str, Document]) -> None:
        """Every stamp is made once, after its effect is done, and never changes.

        All effects without a stamp are open.
        """
        stamps: Stamps = {}
        for change in changes:
            product_id = change["after"]["productId"]
            version = int(change["after"]["version"])
            assert change.get("open", set()) == set(Effect) - set(change["done"])
            for effect, at in change["done"].items():
                key = (product_id, version, effect)
                stamps[key] = at
                if key not in self.stamps:
                    state = self.history.model.histories[product_id][version - 1]
                    self.effect_is_done(effect, state, change, records)
        assert stamps.items() >= self.stamps.items()
        self.stamps = stamps

    def effect_is_done(
        self, effect: str, state: State, change: Document, records: dict[str, Document]
    ) -> None:
        product_id = change["after"]["productId"]
        if effect == Effect.STORED:
            assert records[product_id]["version"] >= state.version
        elif effect == Effect.SEARCHABLE:
            document = self.history.world.document(product_id)
            assert document
            assert document["version"] >= state.version
        elif effect == Effect.AUDITED:
            assert audit_key(product_id, state) in self.history.world.audit_records()
        else:
            covered_from = datetime.fromisoformat(change["done"][Effect.STORED]) + SETTLE_TIME
            assert any(begun >= covered_from for _, begun in self.adapters.purges.values())

    def staff_see_the_newest(self) -> None:
        newest = self.history.model.newest()
        for product_id in PRODUCT_IDS:
            if product_id in newest:
                expected = newest[product_id].document(product_id)
                assert as_modelled(self.staff.newest(product_id)) == expected
            else:
                with pytest.raises(ProductNotFound):
                    self.staff.newest(product_id)
        for listing in (ListQuery(active=None), LISTINGS[self.checks % len(LISTINGS)]):
            assert self.read_list(listing) == expected_list(listing, self.history.model)
        found = self.staff.search(ListQuery(active=None, text="hosting"), staff=True)
        for product in found.products:
            expected = newest[product.product_id].document(product.product_id)
            assert as_modelled(product) == expected

    def read_list(self, listing: ListQuery) -> list[Document | None]:
        """Return the staff list, read page by page."""
        found: list[Document | None] = []
        for _ in range(MAX_PAGES):
            page = self.staff.staff_page(listing)
            assert len(page.products) <= listing.limit
            found += map(as_modelled, page.products)
            if page.after is None:
                return found
            listing = replace(listing, after=page.after)
        raise AssertionError("The list of four products does not end.")

    # What must hold in the end

    def teardown(self) -> None:
        if self.history.is_checked:  # else the history has failed already
            self.become_quiet()
            self.everything_is_correct()
            self.all_effects_are_done()

    def become_quiet(self) -> None:
        """Run the relay and deliver all messages until no change is open."""
        for _ in range(MAX_RELAY_RUNS):
            self.history.relay.requeue()
            while messages := self.history.bell.take_all():
                for message in messages:
                    self.history.clock.advance(message[3])
                    self.history.run(message)
            if not list(self.history.pipeline.table.open_changes()):
                return
            self.history.clock.advance(RELAY_PAUSE_SECONDS)
        raise AssertionError("The relay does not bring about all effects.")

    def all_effects_are_done(self) -> None:
        histories = self.history.model.histories
        versions = {(p, state.version) for p, states in histories.items() for state in states}
        assert {(product_id, version) for product_id, version, _ in self.stamps} == versions
        assert len(self.stamps) == self.effect_count()
        items = self.history.items()
        for item in items:
            assert "openFlag" not in item
            assert not item.get("open")
            assert not item.get("failures")
        self.all_copies_are_equal(items)
        self.audit_trail_is_complete()
        references = [reference for reference, _ in self.adapters.purges.values()]
        made = {invalidation["Id"] for invalidation in self.history.world.invalidations()}
        assert made == set(self.adapters.purges)
        assert len(set(references)) == len(references)

    def all_copies_are_equal(self, items: list[Document]) -> None:
        """Records, search documents and the public list are the newest versions."""
        newest = self.history.model.newest()
        expected = {product_id: state.document(product_id) for product_id, state in newest.items()}
        records = [item for item in items if item["SK"] == "METADATA"]
        assert {item["productId"]: modelled_fields(item) for item in records} == expected
        documents = {
            product_id: modelled_fields(self.history.world.document(product_id))
            for product_id in newest
        }
        assert documents == expected
        public = [as_modelled(product) for product in self.staff.page(ListQuery()).products]
        assert public == expected_list(ListQuery(), self.history.model)

    def audit_trail_is_complete(self) -> None:
        """There is one object for each version, with the hash of the version before it."""
        world = self.history.world
        objects = {
            key: world.s3.get_object(Bucket=world.bucket, Key=key)["Body"].read()
            for key in world.audit_records()
        }
        for product_id, states in self.history.model.histories.items():
            before = None
            previous_hash = None
            for state in states:
                after = state.document(product_id)
                body = objects.pop(audit_key(product_id, state))
                record = json.loads(body)
                assert (record["user"], record["changeType"]) == (state.editor, state.kind)
                assert modelled_fields(record["before"]) == before
                assert modelled_fields(record["after"]) == after
                assert record["previousHash"] == previous_hash
                before = after
                previous_hash = hashlib.sha256(body).hexdigest()
        assert objects == {}


def as_modelled(product: Product) -> Document | None:
    return modelled_fields(to_document(product))


@pytest.mark.timeout(900)  # a failure takes long, because Hypothesis looks for a small example
def test_generated_histories_keep_the_promises(engines: Engines) -> None:
    class Machine(Histories):
        adapters = FaultyAdapters(search_address())

    Machine.engines = engines
    machine_settings = settings(
        max_examples=int(os.environ.get("HISTORIES", "8")),
        stateful_step_count=25,
        deadline=None,
        database=None,
        derandomize="CI" in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=machine_settings)
