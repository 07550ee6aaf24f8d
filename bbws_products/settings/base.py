"""Settings of every process: the environment's name and the addresses of its dependencies.

``settings.api`` and ``settings.worker`` extend these, and ``settings.full`` extends all three.
boto3 reads the AWS region, credentials and endpoints itself, from ``AWS_*``.
"""

import logging
import os
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from bbws_products.logs import logging_settings
from bbws_products.settings.environment import flag, number, required
from bbws_products.settings.secrets import fill_environment
from products.changes import Effect
from tasks.queues import queue_urls, task_urls

if prefix := os.environ.get("SECRETS_SSM_PREFIX"):
    fill_environment(prefix)

ENVIRONMENT = required(
    "ENVIRONMENT", "One of dev, sit, prod: the names of all queues and tables contain it."
)

PRODUCTS_TABLE = os.environ.get("PRODUCTS_TABLE", f"bbws-products-{ENVIRONMENT}")
# Whether the table must be protected; dev's table may be deleted.
DELETION_PROTECTION = flag("DELETION_PROTECTION", True)
SEARCH_ALIAS = os.environ.get("SEARCH_ALIAS", f"bbws-products-{ENVIRONMENT}")
ENABLE_OPENSEARCH = flag("ENABLE_OPENSEARCH", True)
OPENSEARCH_URL = ""
if ENABLE_OPENSEARCH:
    OPENSEARCH_URL = required(
        "OPENSEARCH_URL", "e.g. https://host:443, or switch search off with ENABLE_OPENSEARCH=0."
    )
ENABLE_CLOUDFRONT = flag("ENABLE_CLOUDFRONT", True)
# No microcache: a function handles one request at a time.
HOT_ANSWER_SECONDS = 0.0
RELAY_AFTER = timedelta(seconds=number("RELAY_AFTER_SECONDS", 30))

SQS_QUEUE_URL_PREFIX = required(
    "SQS_QUEUE_URL_PREFIX", "e.g. https://sqs.eu-west-1.amazonaws.com/123456789012"
)
CELERY: dict[str, Any] = {}  # only the scheduler uses Celery
COMBINED_EFFECTS: frozenset[Effect] = frozenset()  # a function has the rights of one effect only
QUEUE_URLS = queue_urls(ENVIRONMENT, SQS_QUEUE_URL_PREFIX)
TASK_URLS = task_urls(ENVIRONMENT, SQS_QUEUE_URL_PREFIX)

LANGUAGE_CODE = "en-za"
LANGUAGES = [("en-za", "English (South Africa)")]  # the admin has more; see ``full``
FORMAT_MODULE_PATH = ["bbws_products.formats"]
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOG_FORMAT = os.environ.get("LOG_FORMAT", "json")
if LOG_FORMAT not in {"json", "line"}:
    raise ImproperlyConfigured(f"LOG_FORMAT must be json or line, not {LOG_FORMAT!r}.")
logging.captureWarnings(LOG_FORMAT == "json")  # makes Python's warnings JSON lines, too
LOG_SAMPLE_READS = number("LOG_SAMPLE_READS", 1)
LOGGING = logging_settings(
    LOG_FORMAT,
    os.environ.get("LOG_LEVEL", "INFO"),
    ENVIRONMENT if flag("ENABLE_METRICS", True) else None,
)
