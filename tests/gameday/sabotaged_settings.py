"""Settings of a sabotaged product: even versions are stamped as audited without an audit record.

A test expects the game day to find this.
"""

from bbws_products.settings.full import *  # noqa: F403
from products.changes import Effect
from products.pipeline import Pipeline

honest_audit = Pipeline.audit


def audit(self: Pipeline, product_id: str, version: int) -> None:
    if version % 2:
        honest_audit(self, product_id, version)
    else:
        self._stamp(self._read_change(product_id, version), Effect.AUDITED)


Pipeline.audit = audit  # type: ignore[method-assign]
