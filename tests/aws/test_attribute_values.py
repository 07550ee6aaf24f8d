"""DynamoDB's notation of values, with boto3's own serializer as the yardstick."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from products.adapters.dynamodb.attribute_values import decoded, encoded

numbers = st.decimals(
    allow_nan=False, allow_infinity=False, places=2, min_value=0, max_value=10**12
)
plain = st.none() | st.booleans() | st.text() | st.integers(-(10**30), 10**30) | numbers
texts = st.sets(st.text(), min_size=1)
values = st.recursive(
    plain | texts, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)


def normal(value: Any) -> Any:
    """Without what does not matter: zeros at the end of numbers, the order of sets."""
    if isinstance(value, dict) and list(value) == ["N"] and isinstance(value["N"], str):
        return {"N": Decimal(value["N"])}
    if isinstance(value, dict) and list(value) == ["SS"] and isinstance(value["SS"], list):
        return {"SS": set(value["SS"])}
    if isinstance(value, dict):
        return {name: normal(part) for name, part in value.items()}
    if isinstance(value, list):
        return [normal(part) for part in value]
    return value


@given(value=values)
def test_values_are_written_and_read_as_boto3_does(value: Any) -> None:
    ours, theirs = encoded({"value": value}), {"value": TypeSerializer().serialize(value)}
    assert normal(ours) == normal(theirs)
    assert decoded(theirs)["value"] == TypeDeserializer().deserialize(theirs["value"]) == value


def test_a_number_is_written_as_dynamodb_keeps_it() -> None:
    written = encoded(
        {"a": Decimal("95.00"), "b": Decimal("100"), "c": Decimal("0.10"), "d": Decimal("1E+3")}
    )
    assert [value["N"] for value in written.values()] == ["95", "100", "0.1", "1000"]


@pytest.mark.parametrize("value", [1.5, Decimal("NaN"), Decimal("Infinity"), b"bytes", object()])
def test_what_has_no_notation_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="can't be a DynamoDB attribute value"):
        encoded({"value": {"inside": [value]}})


def test_a_type_no_item_has_can_not_be_read() -> None:
    with pytest.raises(KeyError):
        decoded({"value": {"B": b"a"}})
