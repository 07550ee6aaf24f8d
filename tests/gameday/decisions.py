"""What each client will do, chosen from the seed and its own number alone, whatever it will be told. Pure."""

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
CONTESTED_NAMES = 10
MAX_TOGETHER = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One step of a client. ``start``: on the newest version, on the one it last saw, or only if that stands.
    ``fresh``: it has just looked, else a while ago.

    ``wait`` is the effect it waits for, ``look`` what it reads after it was told that its write is accepted.
    """

    number: int
    kind: str
    products: tuple[str, ...]
    edits: tuple[dict[str, Any], ...]
    start: str
    fresh: bool
    once: bool
    wait: str
    look: str
    back: int  # versions


def product_ids(writes: int) -> list[str]:
    """Few enough that clients meet. The last fifth is left for them to create."""
    return [f"gd-{number:02d}" for number in range(min(20 + writes // 200, 60))]


def standing_ids(ids: list[str]) -> list[str]:
    """Those that are there before the game begins."""
    return ids[: len(ids) * 4 // 5]


def values(client: int, number: int) -> dict[str, Any]:
    """A value for each field that nobody else will ever write, so that each can be told by its author."""
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
    """Without end; all that is random is drawn whether it is used or not."""
    chance = random.Random(f"client {client} {seed}")  # games are repeated, secrets are not
    number = 0
    while True:
        number += 1
        kind = chance.choices(list(kinds), weights=list(kinds.values()))[0]
        several = chance.sample(ids, chance.randint(2, MAX_TOGETHER))
        alone = ids[int(len(ids) * chance.random() ** 1.5)]  # the first ones are edited most
        created = chance.choice(ids[len(standing_ids(ids)) :])
        yield Decision(
            number=number,
            kind=kind,
            products=tuple(several)
            if kind in ("batch each", "batch all", "bulk")
            else _one(kind, alone, created),
            edits=tuple(
                _edits(chance, client, number * 10 + place) for place in range(MAX_TOGETHER)
            ),
            start=chance.choices(["newest", "base", "if-match"], weights=[40, 40, 20])[0],
            fresh=chance.random() < 0.5,
            once=chance.random() < 0.6,
            wait=chance.choices(
                ["", "stored", "searchable", "audited", "purged"], weights=[70, 14, 6, 8, 2]
            )[0],
            look=chance.choices(["", "product", "receipt", "list"], weights=[52, 35, 10, 3])[0],
            back=chance.randint(1, 4),
        )


def _one(kind: str, alone: str, created: str) -> tuple[str]:
    return (created,) if kind == "create" else (alone,)


def _edits(chance: random.Random, client: int, number: int) -> dict[str, Any]:
    """One field, or some; now and then a name that others want as well."""
    every = values(client, number)
    chosen = chance.sample(FIELDS, chance.choices([1, 2, 3], weights=[60, 30, 10])[0])
    if chance.random() < 0.3:
        every["name"] = f"Contested {chance.randrange(CONTESTED_NAMES)}"
    return {field: every[field] for field in chosen}
