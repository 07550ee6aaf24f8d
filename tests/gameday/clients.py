"""The clients of a game: who they are, and each doing what it has decided until its share is done."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from tests.gameday.admin_clients import AdminClient, sign_in
from tests.gameday.api_clients import ApiClient
from tests.gameday.calls import Caller
from tests.gameday.decisions import (
    ADMIN_KINDS,
    API_KINDS,
    Decision,
    decisions,
    product_ids,
    standing_ids,
)
from tests.gameday.ledger import Ledger
from tests.gameday.stack import Stack

API_CLIENTS, ADMIN_CLIENTS = 6, 2
MAX_OPEN = 120
ADMIN_SHARE = 0.06  # of all writes, for each of the staff in the admin, whose pages are dear


Player = ApiClient | AdminClient


@dataclass
class Clients:
    """All of them together ask for about ``writes``."""

    stack: Stack
    ledger: Ledger
    seed: int
    writes: int
    stopping: threading.Event

    def __post_init__(self) -> None:
        self.ids = product_ids(self.writes)
        self.threads: list[threading.Thread] = []
        self.going = threading.Event()
        self.going.set()

    def arrive(self) -> None:
        """Tokens and sessions, while nothing fails yet; then the products they will all work on."""
        staff = self.stack.env
        self.stack.user(staff)
        token = self.stack.command("issue_token", staff, "--days", "1")
        port = self.stack.proxies["web"].proxy.port
        bearer = {"Authorization": f"Bearer {token}"}
        self.api = [
            ApiClient(Caller(port, f"api{n}", self.ledger, self.stopping, bearer), n)
            for n in range(1, API_CLIENTS + 1)
        ]
        self.admin = []
        for number in range(API_CLIENTS + 1, API_CLIENTS + ADMIN_CLIENTS + 1):
            caller = Caller(port, f"staff{number}", self.ledger, self.stopping)
            sign_in(caller, staff, self.stack.password)
            self.admin.append(AdminClient(caller, number))
        maker = ApiClient(Caller(port, "maker", self.ledger, self.stopping, bearer), 0)
        for place, product_id in enumerate(standing_ids(self.ids), 1):
            maker.do(_creation(place, product_id))

    def begin(self) -> None:
        for client in chain(self.api, self.admin):
            thread = threading.Thread(target=self._play, args=(client,), name=client.name)
            thread.start()
            self.threads.append(thread)

    def _play(self, client: Player) -> None:
        kinds = ADMIN_KINDS if isinstance(client, AdminClient) else API_KINDS
        for decision in self._share(client, decisions(self.seed, client.number, self.ids, kinds)):
            while not self.going.wait(1) and not self.stopping.is_set():
                pass
            client.do(decision)

    def _share(self, client: Player, drawn: Iterator[Decision]) -> Iterator[Decision]:
        """As many steps as come to the client's share of all writes."""
        admin = isinstance(client, AdminClient)
        share = ADMIN_SHARE if admin else (1 - ADMIN_CLIENTS * ADMIN_SHARE) / API_CLIENTS
        left = self.writes * share
        while left > 0 and not self.stopping.is_set():
            decision = next(drawn)
            left -= len(decision.products)
            yield decision

    def mind(self, open_changes: int) -> None:
        """Hold on while the workers have much to do: a queue that only grows shows nothing but its length."""
        if open_changes > MAX_OPEN:
            self.going.clear()
        elif open_changes < MAX_OPEN // 2:
            self.going.set()

    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self.threads)

    def leave(self) -> None:
        for thread in self.threads:
            thread.join()


def _creation(number: int, product_id: str) -> Decision:
    """One of the products that are there before the game begins."""
    return Decision(
        number=number,
        kind="create",
        products=(product_id,),
        edits=(),
        start="newest",
        fresh=True,
        once=True,
        wait="",
        look="product",
        back=1,
    )
