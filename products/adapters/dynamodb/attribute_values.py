"""DynamoDB's attribute values, as boto3's ``TypeSerializer`` writes and reads them.

A test compares the two. boto3's module can't be imported without all of boto3, which would
take a fifth of the API's cold start on Lambda.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from decimal import Decimal
from types import NoneType
from typing import Any


def encoded(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item with its values as DynamoDB attribute values.

    Raises: TypeError for a value without one, such as a float.
    """
    # Most values are texts, so these are not worth a call.
    return {
        name: {"S": value} if type(value) is str else _encoded(value)
        for name, value in item.items()
    }


def decoded(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item with plain Python values; numbers are Decimals."""
    return {name: value["S"] if "S" in value else _decoded(value) for name, value in item.items()}


def _encoded(value: Any) -> dict[str, Any]:
    for python_type, descriptor, encode in ENCODERS:
        if isinstance(value, python_type):
            return {descriptor: encode(value)}
    raise TypeError(f"{value!r} can't be a DynamoDB attribute value")


def _number(number: Decimal) -> str:
    """Return a number as DynamoDB stores it, for example 95.00 as 95.

    A retried transaction must be identical to the first one, so numbers are normalised here.
    """
    if not number.is_finite():
        raise TypeError(f"{number!r} can't be a DynamoDB attribute value")
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _encoded_list(values: Sequence[Any]) -> list[Any]:
    return [_encoded(value) for value in values]


def _decoded_list(values: Sequence[Any]) -> list[Any]:
    return [_decoded(value) for value in values]


# The first type that matches is used: bool comes before int, because a bool is an int.
ENCODERS: list[tuple[Any, str, Callable[[Any], Any]]] = [
    (NoneType, "NULL", lambda _: True),
    (bool, "BOOL", bool),
    (str, "S", str),
    (int, "N", str),
    (Decimal, "N", _number),
    (Mapping, "M", encoded),
    (list | tuple, "L", _encoded_list),
    (Set, "SS", sorted),  # sets of strings only
]
DECODERS: dict[str, Callable[[Any], Any]] = {
    "NULL": lambda _: None,
    "BOOL": bool,
    "S": str,
    "N": Decimal,
    "M": decoded,
    "L": _decoded_list,
    "SS": set,
}


def _decoded(value: Mapping[str, Any]) -> Any:
    ((descriptor, content),) = value.items()
    return DECODERS[descriptor](content)
