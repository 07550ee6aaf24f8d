"""The decisions of each client, drawn from the seed and the client's number only.

They do not depend on answers, so a seed repeats them. This module makes no calls.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

FIELDS = ("price", "renewalPrice", "description", "features", "name")
API_KINDS = {
    "patch": 50,
    "put": 10,
    "create": 6,
    "delete": 6,
    "activate": 8,
    "restore": 4,
    "batch each": 4,
    "batch all": 4,
}
ADMIN_KINDS = {"cell": 45, "undo": 25, "form": 18, "bulk": 12}
START_WEIGHTS = {"newest": 40, "base": 40, "if-match": 20}
WAIT_WEIGHTS = {"": 70, "stored": 14, "searchable": 6, "audited": 8, "purged": 2}
READ_BACK_WEIGHTS = {"": 52, "product": 35, "receipt": 10, "list": 3}
CONTESTED_NAMES = 10
MAX_TOGETHER = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One step of a client.

    ``start`` says whether the write names no version, a base version or an If-Match version.
    With ``is_fresh`` the client reads the product before it writes. ``wait`` is the effect that the
    write waits for. ``read_back`` says what the client reads after an accepted write.
    """

    number: int
    kind: str
    products: tuple[str, ...]
    edits: tuple[dict[str, Any], ...]
    start: str
    is_fresh: bool
    has_key: bool
    wait: str
    read_back: str
    versions_back: int


def product_ids(writes: int) -> list[str]:
    """Return the ids of all products of a game.

    They are few, so that clients compete for them. The clients create the last fifth themselves.
    """
    return [f"gd-{number:02d}" for number in range(min(20 + writes // 200, 60))]


def initial_ids(ids: list[str]) -> list[str]:
    """Return the ids of the products that exist before the game starts."""
    return ids[: len(ids) * 4 // 5]


def values(client: int, number: int) -> dict[str, Any]:
    """Return a value for each field that no other write uses, so that its author can be found."""
    return {
        "price": f"{number + 1}.{client:02d}",
        "renewalPrice": f"{number + 500_000}.{client:02d}",
        "description": f"Described by client {client} in its step {number}.",
        "features": [f"Feature {client}-{number}", "Daily backups"],
        "name": f"Hosting {client}-{number}",
    }


def new_product(client: int, number: int) -> dict[str, Any]:
    return {**values(client, number), "billingCycle": "yearly"}


def decisions(seed: int, client: int, ids: list[str], kinds: dict[str, int]) -> Iterator[Decision]:
    """Yield decisions without end.

    Every random value is drawn in each step, used or not. So later steps do not depend on it.
    """
    chance = random.Random(f"client {client} {seed}")  # a seed must repeat a game
    number = 0
    while True:
        number += 1
        kind = _pick(chance, kinds)
        several = chance.sample(ids, chance.randint(2, MAX_TOGETHER))
        single = ids[int(len(ids) * chance.random() ** 1.5)]  # the first ones are edited most
        created = chance.choice(ids[len(initial_ids(ids)) :])
        products = _products(kind, single, created, several)
        edits = [_edits(chance, client, number * 10 + place) for place in range(MAX_TOGETHER)]
        yield Decision(
            number=number,
            kind=kind,
            products=products,
            edits=tuple(edits),
            start=_pick(chance, START_WEIGHTS),
            is_fresh=chance.random() < 0.5,
            has_key=chance.random() < 0.6,
            wait=_pick(chance, WAIT_WEIGHTS),
            read_back=_pick(chance, READ_BACK_WEIGHTS),
            versions_back=chance.randint(1, 4),
        )


def _pick(chance: random.Random, weights: dict[str, int]) -> str:
    """Draw one of the keys with these weights."""
    return chance.choices(list(weights), weights=list(weights.values()))[0]


def _products(kind: str, single: str, created: str, several: list[str]) -> tuple[str, ...]:
    if kind in ("batch each", "batch all", "bulk"):
        return tuple(several)
    return (created,) if kind == "create" else (single,)


def _edits(chance: random.Random, client: int, number: int) -> dict[str, Any]:
    """Return edits of one to three fields, sometimes with a name that other clients also use."""
    every = values(client, number)
    chosen = chance.sample(FIELDS, chance.choices([1, 2, 3], weights=[60, 30, 10])[0])
    if chance.random() < 0.3:
        every["name"] = f"Contested {chance.randrange(CONTESTED_NAMES)}"
    return {field: every[field] for field in chosen}
