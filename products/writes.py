"""A requested write, its plan, and its result. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from products.changes import Change
from products.errors import CatalogueError
from products.product import Product


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One requested write. ``base`` and ``expected_version`` are those of ``Acceptance.update``."""

    product_id: str | None
    edits: Mapping[str, Any] = field(default_factory=dict)
    creates: bool = False
    base: int | None = None
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The result of a write: the product after it, and the change, None when nothing differed.

    ``replayed`` says that the request was answered before, and this is the same answer.
    """

    product: Product
    change: Change | None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a write would do: its result, if nobody else writes first.

    ``write`` is the write to plan again after a lost race. It names the product and the version
    from which the edits start.
    """

    write: Write
    result: Accepted

    @property
    def change(self) -> Change | None:
        """The change to append."""
        return self.result.change


class WritesRefused(CatalogueError):
    """None of several writes was made. ``refusals`` holds the reasons by position, from 0."""

    def __init__(self, refusals: Mapping[int, CatalogueError]) -> None:
        self.refusals = dict(refusals)
        super().__init__(f"{len(self.refusals)} of the writes can't be made, so none was.")
