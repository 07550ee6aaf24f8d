"""Hypothesis strategies for generated histories: which writes happen, and which faults."""

from datetime import timedelta

from hypothesis import strategies as st

from tests.support.catalogue_model import Write
from tests.support.faults import fail_dependency, kill_process

SKEW = {
    "ann": timedelta(),
    "ben": timedelta(seconds=-0.4),
}
"""How far the clock of each editor's web host is off."""
NAMES = ["Alpha", "ALPHA", "al pha", "Beta Hosting", "beta hosting", "Gamma", "Delta", "Epsilon"]

product_ids = st.sampled_from(["p1", "p2", "p1", "p2", "p1", "p2", "p3"])
editors = st.sampled_from(sorted(SKEW))
values = {
    "name": st.sampled_from(NAMES),
    "description": st.sampled_from(["Hosting for a first site.", "Hosting for many sites."]),
    "price": st.sampled_from(["95.00", "999.00", "1500.00"]),
    "active": st.booleans(),
}

# Writes

forms = st.fixed_dictionaries({field: values[field] for field in ("name", "description", "price")})
one_field = st.one_of([st.fixed_dictionaries({field: value}) for field, value in values.items()])
any_fields = st.fixed_dictionaries({}, optional=values)
edits = st.one_of(one_field, one_field, any_fields)
new_product_ids = st.sampled_from(["p3", "p3", "p4", "p1"])
creations = st.builds(Write, new_product_ids, editors, forms, new=st.just(True))
updates = st.builds(Write, product_ids, editors, edits)

# Disturbances: at which call, when, and what

picks = st.integers(0, 59)
ends = st.tuples(
    st.sampled_from(["before", "after"]),
    st.sampled_from([kill_process, kill_process, fail_dependency]),
)
repeats = st.tuples(st.just("again"), st.none())
waits = st.sampled_from([0.5, 5.0, 40.0])  # seconds
events = st.tuples(st.just("before"), st.one_of(updates, creations, picks, waits))
disturbances = st.one_of(
    st.none(), *[st.tuples(picks, what) for what in (ends, ends, repeats, events)]
)
