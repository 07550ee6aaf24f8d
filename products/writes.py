"""A write that is asked for, and what it came to. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from products.changes import Change
from products.errors import CatalogueError
from products.product import Product


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write that is asked for; ``base`` and ``only_if`` are those of ``Catalogue.update``."""

    product_id: str | None
    edits: Mapping[str, Any] = field(default_factory=dict)
    creates: bool = False
    base: int | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a write came to: the product after it, and the change, None when nothing was different.

    ``replayed``: the request had been answered before, and this is that answer again.
    """

    product: Product
    change: Change | None
    replayed: bool = False


class WritesRefused(CatalogueError):
    """None of the writes was made, because of these among them: the refusal by position, from 0."""

    def __init__(self, refusals: Mapping[int, CatalogueError]) -> None:
        self.refusals = dict(refusals)
        super().__init__(f"{len(self.refusals)} of the writes can't be made, so none was.")
