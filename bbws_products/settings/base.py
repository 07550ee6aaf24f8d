"""The settings of every process: what it is a part of, and where things are.

``settings_api`` and ``settings_worker`` build on these, and ``settings`` - the whole product - on all three. AWS
region, credentials and endpoints are read by boto3 itself (``AWS_*``).
"""

import logging
import os
from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured

from bbws_products.logs import logging_settings
from bbws_products.settings.environment import flag, number, required
from bbws_products.settings.secrets import fill_environment
from tasks.queues import queue_urls, task_urls

if prefix := os.environ.get("SECRETS_SSM_PREFIX"):
    fill_environment(prefix)

ENVIRONMENT = required(
    "ENVIRONMENT", "One of dev, sit, prod: it is a part of the name of every queue and table."
)

PRODUCTS_TABLE = os.environ.get("PRODUCTS_TABLE", f"bbws-products-{ENVIRONMENT}")
SEARCH_ALIAS = os.environ.get("SEARCH_ALIAS", f"bbws-products-{ENVIRONMENT}")
ENABLE_OPENSEARCH = flag("ENABLE_OPENSEARCH", True)
OPENSEARCH_URL = (
    required(
        "OPENSEARCH_URL", "e.g. https://host:443, or switch search off with ENABLE_OPENSEARCH=0."
    )
    if ENABLE_OPENSEARCH
    else ""
)
ENABLE_CLOUDFRONT = flag("ENABLE_CLOUDFRONT", True)
HOT_ANSWER_SECONDS = (
    0.0  # one call at a time is all that a function answers, so there is nobody to answer again
)
DIRECT_CALLS = (
    "sigv4"  # without botocore while all goes well; libcurl would be a third of the functions' zip
)
RELAY_AFTER = timedelta(seconds=number("RELAY_AFTER_SECONDS", 30))

SQS_QUEUE_URL_PREFIX = required(
    "SQS_QUEUE_URL_PREFIX", "e.g. https://sqs.eu-west-1.amazonaws.com/123456789012"
)
QUEUE_URLS = queue_urls(ENVIRONMENT, SQS_QUEUE_URL_PREFIX)
TASK_URLS = task_urls(ENVIRONMENT, SQS_QUEUE_URL_PREFIX)

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOG_FORMAT = os.environ.get("LOG_FORMAT", "json")
if LOG_FORMAT not in {"json", "line"}:
    raise ImproperlyConfigured(f"LOG_FORMAT must be json or line, not {LOG_FORMAT!r}.")
logging.captureWarnings(LOG_FORMAT == "json")  # they too are lines of a log then
LOG_SAMPLE_READS = number("LOG_SAMPLE_READS", 1)
LOGGING = logging_settings(
    LOG_FORMAT,
    os.environ.get("LOG_LEVEL", "INFO"),
    ENVIRONMENT if flag("ENABLE_METRICS", True) else None,
)
