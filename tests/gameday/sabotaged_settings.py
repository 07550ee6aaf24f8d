"""Settings of a product that was made worse, for a game day to find: every other version is stamped as audited without
being audited."""

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
