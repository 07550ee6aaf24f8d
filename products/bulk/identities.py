"""Which product a row is about: doubled rows, taken names, unknown IDs. Pure."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from products.bulk.import_context import Draft, FileContext, ProductFinder, RowRefused
from products.bulk.rows import Row, RowState
from products.identifiers import is_id
from products.lists import ListQuery
from products.product import Product, normalised_name

MAX_KNOWN_IDS = 2000
"""Among so many IDs the nearest one is looked for."""
MAX_SUGGESTIONS = 50  # in one file
CLOSENESS = 0.75
SHORTENED = re.compile(r"[0-9]([.,][0-9]+)?E[+]?[0-9]+", re.IGNORECASE)
"""A number with many digits as spreadsheets show and save it."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What later rows of the file must know of a row. Empty texts say nothing."""

    number: int
    line: int
    creates: bool
    product_id: str
    identity: str = ""
    name: str = ""
    freed_name: str = ""


def trace_of(draft: Draft, row: Row) -> Trace:
    """Return the trace of a row. A refused row holds neither a product nor a name."""
    product_id = row.product_id or ""
    trace = Trace(draft.number, draft.record.line, row.creates, product_id)
    if row.state == RowState.REFUSED:
        return trace
    frees_name = draft.product and "name" in row.changed and row.state == RowState.WAITING
    return replace(
        trace,
        identity=draft.identity,
        name=normalised_name(draft.name) if draft.name else "",
        freed_name=normalised_name(draft.product.name) if draft.product and frees_name else "",
    )


@dataclass
class Identities:
    """The products and names of the rows so far, compared with those that exist (``owners``)."""

    context: FileContext
    products: ProductFinder
    owners: Mapping[str, Product]
    _first_lines: dict[str, int] = field(default_factory=dict)
    _name_lines: dict[str, int] = field(default_factory=dict)
    _freed_names: set[str] = field(default_factory=set)
    _suggestions: int = 0

    def validate(self, draft: Draft) -> None:
        """Raise RowRefused when the row's product or name can't be what it says."""
        first = self._first_lines.get(draft.identity)
        if first is not None:
            raise RowRefused(f"Line {first} is about the same product.")
        if draft.product is None and draft.product_id:
            self._validate_new_id(draft)
        if draft.name:
            self._validate_name(draft)

    def remember(self, trace: Trace) -> None:
        """Remember the product and the names of a row."""
        if trace.identity:
            self._first_lines.setdefault(trace.identity, trace.line)
        if trace.name:
            self._name_lines.setdefault(trace.name, trace.line)
        if trace.freed_name:
            self._freed_names.add(trace.freed_name)

    def unknown_id(self, draft: Draft) -> str:
        """Return the sentence that there is no such product, with the nearest ID."""
        label = self.context.label("productId")
        nearest = self._nearest_id(draft.product_id)
        question = f" Did you mean {nearest}?" if nearest else ""
        return f"{label}: There is no product {draft.product_id}.{question}"

    def new_id_note(self, draft: Draft) -> str:
        """Return the sentence about the ID of a product that will be added."""
        nearest = self._nearest_id(draft.product_id)
        comparison = f" The most similar ID is {nearest}." if nearest else ""
        return f"There is no product {draft.product_id} yet.{comparison}"

    def _validate_new_id(self, draft: Draft) -> None:
        if not is_id(draft.product_id):
            sentence = "Must be 1 to 64 letters, digits, hyphens or underscores."
            if SHORTENED.fullmatch(draft.product_id):
                sentence = "A spreadsheet has shortened this number; format the column as text."
            raise RowRefused(self.context.about("productId", draft.record.cells, sentence))
        if draft.version is not None:
            raise RowRefused(
                f"{self.unknown_id(draft)} A row with a version is about an existing product; "
                "clear the version to add a new one."
            )

    def _validate_name(self, draft: Draft) -> None:
        name, product = normalised_name(draft.name), draft.product
        if product and name == normalised_name(product.name):
            return
        cells = draft.record.cells
        earlier = self._name_lines.get(name)
        if earlier is not None:
            raise RowRefused(
                self.context.about("name", cells, f"Line {earlier} has this name too.")
            )
        owner = self.owners.get(name)
        if owner is None or name in self._freed_names:
            return
        sentence = f"The product {owner.product_id} has this name."
        if product is None and draft.product_id:
            sentence += f" There is no product {draft.product_id}; did you mean {owner.product_id}?"
        raise RowRefused(self.context.about("name", cells, sentence))

    @cached_property
    def _known_ids(self) -> dict[str, str]:
        known = self.products.walk(ListQuery(active=None), MAX_KNOWN_IDS)
        return {product.product_id.casefold(): product.product_id for product in known}

    def _nearest_id(self, product_id: str) -> str | None:
        """Return the existing ID that looks most like this one, if one does."""
        folded = product_id.casefold()
        if folded in self._known_ids:
            return self._known_ids[folded]
        self._suggestions += 1
        if self._suggestions > MAX_SUGGESTIONS:
            return None
        close = difflib.get_close_matches(folded, self._known_ids, n=1, cutoff=CLOSENESS)
        return self._known_ids[close[0]] if close else None
