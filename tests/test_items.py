"""How values are written down in DynamoDB's own notation: as boto3 would, for every kind that our items hold."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from products.adapters.attributes import decoded, encoded
from products.product import iso, moment
from tests.builders import NOON

amounts = st.decimals(min_value=0, max_value=999999, places=2).map(lambda amount: amount.normalize() + 0)
plain = st.none() | st.booleans() | st.text() | st.integers(-(10**15), 10**15) | amounts
values = st.recursive(
    plain | st.sets(st.text(min_size=1), min_size=1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=8,
)
items = st.dictionaries(st.text(min_size=1), values, max_size=5)


def by_boto3(item: dict[str, Any]) -> dict[str, Any]:
    return {name: TypeSerializer().serialize(value) for name, value in item.items()}


def sets_sorted(written: Any) -> Any:
    """A set has no order, so neither has what was written of it."""
    if isinstance(written, dict):
        return {name: sorted(part) if name == "SS" else sets_sorted(part) for name, part in written.items()}
    return [sets_sorted(part) for part in written] if isinstance(written, list) else written


@given(items)
def test_both_ways_are_boto3s(item: dict[str, Any]) -> None:
    written = encoded(item)
    assert _numbers(sets_sorted(written)) == _numbers(sets_sorted(by_boto3(item)))
    assert decoded(written) == {name: TypeDeserializer().deserialize(value) for name, value in written.items()}
    assert decoded(written) == item


def _numbers(written: Any) -> Any:
    """``1E+2`` and ``100`` are one number."""
    if isinstance(written, dict) and list(written) == ["N"]:
        return Decimal(written["N"])
    if isinstance(written, dict):
        return {name: _numbers(part) for name, part in written.items()}
    return [_numbers(part) for part in written] if isinstance(written, list) else written


@pytest.mark.parametrize(("amount", "digits"), [("95.00", "95"), ("100", "100"), ("0.10", "0.1"), ("1E+2", "100")])
def test_an_amount_is_written_as_dynamodb_keeps_it(amount: str, digits: str) -> None:
    assert encoded({"price": Decimal(amount)}) == {"price": {"N": digits}}


@pytest.mark.parametrize("value", [1.5, b"bytes", object()])
def test_what_no_item_holds_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encoded({"x": value})


def test_a_moment_is_read_as_it_was_written_and_in_no_other_form() -> None:
    assert moment(iso(NOON)) == NOON
    assert iso(NOON) == "2026-03-01T12:00:00.000000Z"
    for other in ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000000+00:00", "2026-13-01T12:00:00.000000Z", ""):
        with pytest.raises(ValueError, match=r"."):
            moment(other)
