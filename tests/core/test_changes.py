"""Changes: their hash chain, their audit key, and how edits merge. Without a dependency."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from products.changes import (
    Change,
    ChangeType,
    Effect,
    Failure,
    Origin,
    audit_hash,
    audit_key,
    next_change,
    verified,
)
from products.errors import CorruptChange
from products.merging import Clash, EditConflict, differences, merged
from products.permissions import ALL_PERMISSIONS
from products.product import BillingCycle
from tests.support.builders import NOON, a_product

ORIGIN = Origin(actor="ann", source="test", request_id="r1", permissions=ALL_PERMISSIONS)


def appended(previous: Change | None, **changes: Any) -> Change:
    after = replace(previous.after if previous else a_product(), **changes)
    return next_change(previous, after, ORIGIN, at=NOON, change_id="c", effects=frozenset(Effect))


def test_times_rise_with_versions_even_if_the_clock_does_not() -> None:
    first = appended(None)
    second = appended(first, price=Decimal("2.00"))
    assert (first.version, second.version) == (1, 2)
    assert second.accepted_at == first.accepted_at + timedelta(microseconds=1)
    assert second.after.version == 2
    assert second.after.created_at == first.after.created_at


def test_each_change_has_the_hash_of_the_previous_one() -> None:
    first = appended(None)
    second = appended(first, name="Other")
    assert (first.previous_hash, second.previous_hash) == (None, audit_hash(first))
    assert verified(second) is second


def test_an_altered_change_is_detected() -> None:
    change = appended(None)
    with pytest.raises(CorruptChange, match="Version 1 of p1 was altered"):
        verified(replace(change, after=replace(change.after, price=Decimal("0.01"))))


def test_the_change_type_follows_from_the_active_flag() -> None:
    first = appended(None)
    gone = appended(first, active=False)
    back = appended(gone, active=True)
    kinds = [
        first.change_type,
        gone.change_type,
        back.change_type,
        appended(back, name="Other").change_type,
    ]
    assert kinds == [ChangeType.CREATE, ChangeType.DELETE, ChangeType.RESTORE, ChangeType.UPDATE]


def test_the_audit_key_has_a_folder_for_each_day() -> None:
    assert audit_key(appended(None)) == "2026/03/01/p1_20260301T120000.000000Z.json"


def test_the_state_of_each_effect_and_the_status_of_the_write() -> None:
    open_effects = frozenset({Effect.PURGED, Effect.AUDITED})
    change = replace(appended(None), open=open_effects, done={Effect.STORED: NOON})
    states = [change.state(effect) for effect in Effect]
    assert states == ["done", "pending", "not configured", "pending"]
    assert change.status == "stored"
    failure = Failure(reason="x", at=NOON, attempts=1, permanent=False)
    retrying = replace(change, failures={Effect.PURGED: failure})
    assert retrying.state(Effect.PURGED) == "retrying"
    permanent = replace(failure, permanent=True)
    failed = replace(change, failures={Effect.PURGED: permanent})
    assert (failed.state(Effect.PURGED), failed.status) == ("failed", "failed")
    assert replace(change, open=frozenset()).status == "complete"
    assert appended(None).status == "accepted"


def test_edits_of_different_fields_merge() -> None:
    base = a_product()
    newest = replace(base, description="Ben wrote this text.", version=2)
    after = merged(base, {"price": "2000"}, newest)
    assert (after.price, after.description) == (Decimal("2000.00"), "Ben wrote this text.")


def test_a_form_sent_back_unchanged_overwrites_nothing() -> None:
    base = a_product()
    newest = replace(base, price=Decimal("1.00"), version=2)
    form = {"name": base.name, "price": base.price, "period": base.shown_period}
    assert merged(base, form, newest) == newest


def test_a_conflict_holds_both_values() -> None:
    base = a_product()
    newest = replace(base, price=Decimal("1.00"), updated_by="ben", version=2)
    sentence = "Others saved up to version 2 meanwhile and changed price too"
    with pytest.raises(EditConflict, match=sentence) as conflict:
        merged(base, {"price": "2.00", "name": "Better"}, newest)
    clash = conflict.value.clashes["price"]
    assert clash == Clash(base=Decimal("1500.00"), yours=Decimal("2.00"), theirs=Decimal("1.00"))
    assert set(conflict.value.edits) == {"price", "name"}


def test_the_same_edit_twice_is_no_conflict() -> None:
    base = a_product()
    newest = replace(base, price=Decimal("2.00"), version=2)
    assert merged(base, {"price": "2.00"}, newest) == newest


def test_a_new_renewal_price_also_changes_the_derived_period() -> None:
    before = a_product(billing_cycle=BillingCycle.YEARLY)
    after = replace(before, renewal_price=Decimal("10.00"))
    assert differences(before, after) == {
        "renewal_price": (None, Decimal("10.00")),
        "period": ("per year", "once-off + R10/year"),
    }
    assert differences(None, after)["name"] == (None, after.name)
