"""DynamoDB's notation of values, as boto3's ``TypeSerializer`` writes and reads it; a test compares the two.

Its module can't be had without all of boto3, whose file transfers would take a fifth of the API's cold start.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from decimal import Decimal
from types import NoneType
from typing import Any


def encoded(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item's values in DynamoDB's notation; TypeError for a value it has none for, such as a float."""
    return {name: _encoded(value) for name, value in item.items()}


def decoded(item: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an item that was read; numbers are Decimals."""
    return {name: _decoded(value) for name, value in item.items()}


def _encoded(value: Any) -> dict[str, Any]:
    for kind, name, written in NOTATION:
        if isinstance(value, kind):
            return {name: written(value)}
    raise TypeError(f"DynamoDB has no notation for {value!r}")


def _number(number: Decimal) -> str:
    """DynamoDB keeps 95.00 as 95; written so at once, a retried transaction is the same to the letter."""
    if not number.is_finite():
        raise TypeError(f"DynamoDB has no notation for {number!r}")
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _many(values: Sequence[Any]) -> list[Any]:
    return [_encoded(value) for value in values]


NOTATION: list[tuple[Any, str, Callable[[Any], Any]]] = [
    (NoneType, "NULL", lambda _: True),
    (bool, "BOOL", bool),  # before int, which it is too
    (str, "S", str),
    (int, "N", str),
    (Decimal, "N", _number),
    (Mapping, "M", encoded),
    (list | tuple, "L", _many),
    (Set, "SS", sorted),  # of texts
]
READ: dict[str, Callable[[Any], Any]] = {
    "NULL": lambda _: None,
    "BOOL": bool,
    "S": str,
    "N": Decimal,
    "M": decoded,
    "L": lambda values: [_decoded(value) for value in values],
    "SS": set,
}


def _decoded(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    return READ[kind](content)
