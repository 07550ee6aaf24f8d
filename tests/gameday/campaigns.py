"""Two campaigns on products of their own, one on top of the other, and an edit meanwhile."""

import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.gameday.api_clients import ApiClient
from tests.gameday.decisions import Decision
from tests.gameday.evidence import Evidence, Item
from tests.gameday.http_client import HttpClient
from tests.gameday.ledger import Campaign, ClientResult, Ledger, Outcome, Write

PRODUCTS = tuple(f"gd-offer-{number}" for number in range(4))
FIRST_NUMBER = 9_000  # of the steps that create the products; no other client uses it
OFFERS = (("Summer", PRODUCTS, "777.00", 40, 150), ("Weekend", PRODUCTS[:2], "666.00", 70, 110))
"""The name, the products, the price, and the seconds until the start and the end."""
EDIT_SECONDS = 100
"""When somebody edits the price of the last product."""


@dataclass
class Campaigns:
    """Makes the plans, and edits a product while they run."""

    http: HttpClient
    ledger: Ledger
    stopping: threading.Event
    thread: threading.Thread = field(init=False)

    def set_up(self) -> None:
        """Create the products before the first fault."""
        client = ApiClient(self.http, 0)
        for number, product_id in enumerate(PRODUCTS, FIRST_NUMBER):
            client.perform(_decision("create", number, product_id))

    def start(self) -> None:
        """Make the plans before the first fault, and edit a product later."""
        now = datetime.now(UTC)
        for name, products, price, start, end in OFFERS:
            self._plan(name, products, price, _seconds_later(now, start), _seconds_later(now, end))
        self.thread = threading.Thread(target=self._edit, name="campaigns")
        self.thread.start()

    def _plan(
        self, name: str, products: tuple[str, ...], price: str, starts_at: str, ends_at: str
    ) -> None:
        body = {
            "name": name,
            "startsAt": starts_at,
            "endsAt": ends_at,
            "rows": [{"productId": one, "edits": {"price": price}} for one in products],
        }
        response = self.http.call("POST", "/v1.0/plans", body, Idempotency_Key=uuid.uuid4().hex)
        if response is None or response.status != 201:
            answer = response.text[:300] if response else "nothing"
            self.ledger.record_error(f"the plan {name} was answered {answer}")
            return
        plan_id = response.json["planId"]
        self.ledger.record(
            Campaign(
                plan_id=plan_id,
                product_ids=products,
                price=price,
                starts_at=starts_at,
                ends_at=ends_at,
            )
        )

    def _edit(self) -> None:
        if not self.stopping.wait(EDIT_SECONDS):
            client = ApiClient(self.http, 0)
            client.perform(_decision("patch", FIRST_NUMBER + len(PRODUCTS), PRODUCTS[-1]))

    def join(self) -> None:
        if hasattr(self, "thread"):
            self.thread.join()


def _seconds_later(now: datetime, seconds: int) -> str:
    return f"{now + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def _decision(kind: str, number: int, product_id: str) -> Decision:
    return Decision(
        number=number,
        kind=kind,
        products=(product_id,),
        edits=({"price": f"{number}.55"},),
        start="newest",
        is_fresh=True,
        has_key=True,
        wait="",
        read_back="product",
        versions_back=1,
    )


def writes_of_campaign(campaign: Campaign, evidence: Evidence) -> list[Write]:
    """Return the changes of a campaign as writes of the price, so that each has an author.

    Whether the prices are right is left to ``offers_switch_once``.
    """
    steps = {f"{campaign.plan_id}-{step}" for step in ("start", "end")}
    return [
        _write_of(campaign, change)
        for product_id in campaign.product_ids
        for change in evidence.changes.get(product_id, [])
        if change["requestId"] in steps
    ]


def _write_of(campaign: Campaign, change: Item) -> Write:
    after: dict[str, Any] = change["after"]
    result = ClientResult(
        request_id=change["requestId"], outcome=Outcome.ACCEPTED, version=int(after["version"])
    )
    return Write(
        write_id=campaign.plan_id,
        client="plan",
        kind="plan",
        product_id=after["productId"],
        edits={"price": f"{after['price']}"},
        sent_at=change["acceptedAt"],
        results=[result],
    )
