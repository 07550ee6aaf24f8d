"""Settings of the queue consumers on Lambda: no keys, no SQL and no Celery."""

from bbws_products.settings.base import *  # noqa: F403 # this builds on them
from bbws_products.settings.base import ENABLE_CLOUDFRONT
from bbws_products.settings.environment import required

INSTALLED_APPS: list[str] = []
AUDIT_BUCKET = required(
    "AUDIT_BUCKET", "The S3 bucket of the audit trail, e.g. bbws-product-audit-logs-dev."
)
CLOUDFRONT_DISTRIBUTION_ID = ""
if ENABLE_CLOUDFRONT:
    CLOUDFRONT_DISTRIBUTION_ID = required(
        "CLOUDFRONT_DISTRIBUTION_ID",
        "e.g. E2QWRUHAPOMQZL, or switch purging off with ENABLE_CLOUDFRONT=0.",
    )
