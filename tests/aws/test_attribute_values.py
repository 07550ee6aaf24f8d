"""DynamoDB attribute values, compared with boto3's own serializer."""

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
scalars = st.none() | st.booleans() | st.text() | st.integers(-(10**30), 10**30) | numbers
string_sets = st.sets(st.text(), min_size=1)
values = st.recursive(
    scalars | string_sets,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def normalised(value: Any) -> Any:
    """Return a value without its meaningless parts: trailing zeros and the order of sets."""
    if isinstance(value, dict) and list(value) == ["N"] and isinstance(value["N"], str):
        return {"N": Decimal(value["N"])}
    if isinstance(value, dict) and list(value) == ["SS"] and isinstance(value["SS"], list):
        return {"SS": set(value["SS"])}
    if isinstance(value, dict):
        return {name: normalised(part) for name, part in value.items()}
    if isinstance(value, list):
        return [normalised(part) for part in value]
    return value


@given(value=values)
def test_values_are_encoded_and_decoded_as_by_boto3(value: Any) -> None:
    theirs = {"value": TypeSerializer().serialize(value)}
    assert normalised(encoded({"value": value})) == normalised(theirs)
    assert decoded(theirs)["value"] == TypeDeserializer().deserialize(theirs["value"]) == value


def test_a_number_is_encoded_as_dynamodb_stores_it() -> None:
    numbers_by_text = {
        "95": Decimal("95.00"),
        "100": Decimal("100"),
        "0.1": Decimal("0.10"),
        "1000": Decimal("1E+3"),
    }
    for text, number in numbers_by_text.items():
        assert encoded({"value": number}) == {"value": {"N": text}}


@pytest.mark.parametrize("value", [1.5, Decimal("NaN"), Decimal("Infinity"), b"bytes", object()])
def test_a_value_of_another_type_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="can't be a DynamoDB attribute value"):
        encoded({"value": {"inside": [value]}})


def test_an_attribute_value_of_another_type_is_refused() -> None:
    with pytest.raises(KeyError):
        decoded({"value": {"B": b"a"}})
