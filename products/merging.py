"""Comparing versions of a product, and merging edits with what others saved meanwhile. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from products.documents import is_as_read
from products.errors import Conflict
from products.product import (
    AMOUNT_FIELDS,
    RULES,
    Product,
    validated_edits,
    validated_product,
)


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that two editors changed to different values, both starting from ``base``."""

    base: Any
    yours: Any
    theirs: Any


class EditConflict(Conflict):
    """Two editors changed the same fields.

    ``clashes`` holds both values by field, ``product`` is the newest version, and ``edits`` are
    all fields that the caller really changed, including those that clash.
    """

    def __init__(
        self, clashes: Mapping[str, Clash], edits: Mapping[str, Any], product: Product
    ) -> None:
        self.clashes = dict(clashes)
        self.edits = dict(edits)
        self.product = product
        names = ", ".join(clashes)
        super().__init__(
            f"Others saved up to version {product.version} meanwhile and changed {names} too."
        )


class VersionMismatch(Conflict):
    """The caller required one version (If-Match), and the product has another by now."""

    def __init__(self, product: Product) -> None:
        self.product = product
        super().__init__(f"The product is at version {product.version} by now.")


def shown_value(product: Product, field: str) -> Any:
    """Return the field as an editor sees it: a derived period counts as its text."""
    return product.shown_period if field == "period" else getattr(product, field)


def differences(before: Product | None, after: Product) -> dict[str, tuple[Any, Any]]:
    """Return the fields that differ, as (before, after). A missing ``before`` has None in all."""
    changed: dict[str, tuple[Any, Any]] = {}
    for field in RULES:
        old = shown_value(before, field) if before else None
        new = shown_value(after, field)
        if old != new:
            changed[field] = (old, new)
    return changed


def merged(base: Product, edits: Mapping[str, Any], newest: Product) -> Product:
    """Return ``newest`` with what the caller changed since ``base``.

    A value equal to the base's counts as unchanged. So a product that is sent back whole
    overwrites nothing, and its read-only fields do no harm.

    Raises: Invalid, or EditConflict when others changed the same field to another value.
    """
    sent = {name: value for name, value in edits.items() if not is_as_read(base, name, value)}
    values = validated_edits(sent, newest.currency)
    changed = {name: value for name, value in values.items() if value != shown_value(base, name)}
    clashes = _clashes(base, changed, newest)
    if clashes:
        raise EditConflict(clashes, changed, newest)
    after = replace(newest, **changed)
    if "currency" in changed:
        validated_edits({name: getattr(after, name) for name in AMOUNT_FIELDS}, after.currency)
    return validated_product(after)


def _clashes(base: Product, changed: Mapping[str, Any], newest: Product) -> dict[str, Clash]:
    clashes: dict[str, Clash] = {}
    for field, yours in changed.items():
        original = shown_value(base, field)
        theirs = shown_value(newest, field)
        if theirs not in (original, yours):
            clashes[field] = Clash(original, yours, theirs)
    return clashes
