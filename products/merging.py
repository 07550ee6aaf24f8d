"""What edits come to: the fields that differ, and how they merge with what others have saved meanwhile. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from products.documents import is_as_read
from products.errors import Conflict
from products.product import RULES, Product, validated_edits, validated_product


@dataclass(frozen=True, slots=True)
class Clash:
    """One field two editors changed to different values, starting from ``base``."""

    base: Any
    yours: Any
    theirs: Any


class EditConflict(Conflict):
    """Two editors changed the same fields. ``clashes`` holds both values by field, ``product`` is the newest.

    ``edits`` are the fields the caller really changed, the clashing ones among them.
    """

    def __init__(
        self, clashes: Mapping[str, Clash], edits: Mapping[str, Any], product: Product
    ) -> None:
        self.clashes, self.edits, self.product = dict(clashes), dict(edits), product
        super().__init__(
            f"Others saved up to version {product.version} meanwhile and changed {', '.join(clashes)} too."
        )


class VersionMismatch(Conflict):
    """The caller insisted on one version (If-Match) and the product has moved on."""

    def __init__(self, product: Product) -> None:
        self.product = product
        super().__init__(f"The product is at version {product.version} by now.")


def shown_value(product: Product, field: str) -> Any:
    """The field as an editor saw it: a derived period counts as the text it was shown as."""
    return product.shown_period if field == "period" else getattr(product, field)


def differences(before: Product | None, after: Product) -> dict[str, tuple[Any, Any]]:
    """The fields that differ, as (before, after)."""
    pairs = {
        name: (shown_value(before, name) if before else None, shown_value(after, name))
        for name in RULES
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def merged(base: Product, edits: Mapping[str, Any], newest: Product) -> Product:
    """``newest`` with what the caller really changed since ``base``; EditConflict when both changed a field.

    A value equal to the base's was not touched by the caller, so a product sent back whole overwrites nobody - nor is
    it refused for the fields that nobody may write.
    """
    written = {name: value for name, value in edits.items() if not is_as_read(base, name, value)}
    kept = {
        name: value
        for name, value in validated_edits(written).items()
        if value != shown_value(base, name)
    }
    clashes = {
        name: Clash(shown_value(base, name), value, shown_value(newest, name))
        for name, value in kept.items()
        if shown_value(newest, name) not in (shown_value(base, name), value)
    }
    if clashes:
        raise EditConflict(clashes, kept, newest)
    return validated_product(replace(newest, **kept))
