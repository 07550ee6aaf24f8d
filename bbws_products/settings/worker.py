"""Settings of the queue consumers, Celery workers or functions on Lambda: no keys and no SQL."""

import os
from datetime import timedelta

from bbws_products.settings.base import *  # noqa: F403 # this builds on them
from bbws_products.settings.base import ENABLE_CLOUDFRONT, ENVIRONMENT, SQS_QUEUE_URL_PREFIX
from bbws_products.settings.celery import celery_settings
from bbws_products.settings.environment import number, required
from tasks.queues import LONG_POLL_SECONDS, transport_options

INSTALLED_APPS = ["bbws_products"]  # sets up the Celery app
AUDIT_BUCKET = required(
    "AUDIT_BUCKET", "The S3 bucket of the audit trail, e.g. bbws-product-audit-dev."
)
CLOUDFRONT_DISTRIBUTION_ID = ""
if ENABLE_CLOUDFRONT:
    CLOUDFRONT_DISTRIBUTION_ID = required(
        "CLOUDFRONT_DISTRIBUTION_ID",
        "e.g. E2QWRUHAPOMQZL, or switch purging off with ENABLE_CLOUDFRONT=0.",
    )
RELAY_EVERY = timedelta(seconds=number("RELAY_EVERY_SECONDS", 10))
VERIFY_EVERY = timedelta(seconds=number("VERIFY_EVERY_SECONDS", 300))
broker_options = transport_options(
    ENVIRONMENT,
    SQS_QUEUE_URL_PREFIX,
    os.environ.get("HEARTBEAT_DIR", ""),
    int(number("SQS_WAIT_SECONDS", LONG_POLL_SECONDS)),
)
CELERY = celery_settings(ENVIRONMENT, broker_options, RELAY_EVERY, VERIFY_EVERY)
