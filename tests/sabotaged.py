"""Settings of a product that has been made worse in two ways, for a game day to find: every other change is stamped as
audited without being audited, and an edit puts itself in place of what others have changed since."""

from dataclasses import replace
from typing import Any

from bbws_products.settings import *  # noqa: F403
from products import acceptance
from products.changes import Effect
from products.pipeline import Pipeline
from products.product import Product, checked_edits, is_as_read, settled

honest_audit = Pipeline.audit


def audit(self: Pipeline, product_id: str, version: int) -> None:
    if version % 2:
        honest_audit(self, product_id, version)
    else:
        self._stamp(self._change(product_id, version), Effect.AUDITED)


def overwritten(base: Product, edits: dict[str, Any], newest: Product) -> Product:
    written = {name: value for name, value in edits.items() if not is_as_read(base, name, value)}
    return settled(replace(newest, **checked_edits(written)))


Pipeline.audit = audit  # type: ignore[method-assign]
acceptance.merged = overwritten
