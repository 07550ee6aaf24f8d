"""Settings of a sabotaged product: even versions are stamped as audited without an audit record.

A test expects the game day to find this.
"""

from bbws_products.settings.full import *  # noqa: F403
from products.adapters.s3 import S3AuditTrail

honest_write = S3AuditTrail.write


def write(self: S3AuditTrail, key: str, record: bytes) -> None:
    if b'"version":2' not in record and b'"version":4' not in record:
        honest_write(self, key, record)


S3AuditTrail.write = write  # type: ignore[method-assign]
