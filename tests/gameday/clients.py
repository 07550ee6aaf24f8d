"""The clients of a game: each executes its decisions until its share of the writes is done."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from tests.gameday.admin_clients import AdminClient, sign_in
from tests.gameday.api_clients import ApiClient
from tests.gameday.campaigns import Campaigns
from tests.gameday.decisions import (
    ADMIN_KINDS,
    API_KINDS,
    Decision,
    decisions,
    initial_ids,
    product_ids,
)
from tests.gameday.http_client import HttpClient
from tests.gameday.ledger import Ledger
from tests.gameday.stack import Stack

API_CLIENTS, ADMIN_CLIENTS = 6, 2
MAX_OPEN = 120
ADMIN_SHARE = 0.06  # of all writes, for each admin client; admin pages are slow


Client = ApiClient | AdminClient


@dataclass
class Clients:
    """All clients of a game. Together they send about ``writes`` writes."""

    stack: Stack
    ledger: Ledger
    seed: int
    writes: int
    stopping: threading.Event
    has_campaigns: bool = False
    campaigns: Campaigns | None = None

    def __post_init__(self) -> None:
        self.ids = product_ids(self.writes)
        self.threads: list[threading.Thread] = []
        self.unpaused = threading.Event()
        self.unpaused.set()

    def set_up(self) -> None:
        """Get tokens and sessions, and create the first products, before the first fault."""
        staff = self.stack.env
        self.stack.create_user(staff)
        token = self.stack.command("issue_token", staff, "--days", "1")
        port = self.stack.proxies["web"].proxy.port
        bearer = {"Authorization": f"Bearer {token}"}
        self.api = [
            ApiClient(HttpClient(port, f"api{n}", self.ledger, self.stopping, bearer), n)
            for n in range(1, API_CLIENTS + 1)
        ]
        self.admin = []
        for number in range(API_CLIENTS + 1, API_CLIENTS + ADMIN_CLIENTS + 1):
            http = HttpClient(port, f"staff{number}", self.ledger, self.stopping)
            sign_in(http, staff, self.stack.password)
            self.admin.append(AdminClient(http, number))
        maker = ApiClient(HttpClient(port, "maker", self.ledger, self.stopping, bearer), 0)
        for place, product_id in enumerate(initial_ids(self.ids), 1):
            maker.perform(_initial_creation(place, product_id))

        if self.has_campaigns:
            http = HttpClient(port, "planner", self.ledger, self.stopping, bearer)
            self.campaigns = Campaigns(http, self.ledger, self.stopping)
            self.campaigns.set_up()

    def start(self) -> None:
        if self.campaigns:
            self.campaigns.start()
        for client in chain(self.api, self.admin):
            thread = threading.Thread(target=self._run_client, args=(client,), name=client.name)
            thread.start()
            self.threads.append(thread)

    def _run_client(self, client: Client) -> None:
        kinds = ADMIN_KINDS if isinstance(client, AdminClient) else API_KINDS
        for decision in self._steps(client, decisions(self.seed, client.number, self.ids, kinds)):
            while not self.unpaused.wait(1) and not self.stopping.is_set():
                pass
            client.perform(decision)

    def _steps(self, client: Client, drawn: Iterator[Decision]) -> Iterator[Decision]:
        """Yield decisions until the client has its share of all writes."""
        admin = isinstance(client, AdminClient)
        share = ADMIN_SHARE if admin else (1 - ADMIN_CLIENTS * ADMIN_SHARE) / API_CLIENTS
        remaining = self.writes * share
        while remaining > 0 and not self.stopping.is_set():
            decision = next(drawn)
            remaining -= len(decision.products)
            yield decision

    def pause_or_resume(self, open_changes: int) -> None:
        """Pause the clients while too many changes are open.

        A queue that only grows would test nothing but its length.
        """
        if open_changes > MAX_OPEN:
            self.unpaused.clear()
        elif open_changes < MAX_OPEN // 2:
            self.unpaused.set()

    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self.threads)

    def join(self) -> None:
        for thread in self.threads:
            thread.join()
        if self.campaigns:
            self.campaigns.join()


def _initial_creation(number: int, product_id: str) -> Decision:
    """Return the decision that creates a product before the game starts."""
    return Decision(
        number=number,
        kind="create",
        products=(product_id,),
        edits=(),
        start="newest",
        is_fresh=True,
        has_key=True,
        wait="",
        read_back="product",
        versions_back=1,
    )
