"""Loaded before Django's settings are: chooses ports for this run's own engines and sets the environment to them."""

import os
import tempfile
from pathlib import Path

from deploy.local.engines import Engines, app_environment

HOME = Path(tempfile.mkdtemp(prefix="bbws-test-"))
ENGINES = Engines(HOME)
os.environ.update(app_environment(ENGINES, env="test", home=HOME))
os.environ.update(
    {
        "SECRET_KEY": "insecure-key-of-the-tests-0123456789",
        "THROTTLE_PUBLIC": "0",
        "THROTTLE_STAFF": "0",
        "TOKEN_KEYS": "insecure-token-key-of-the-tests-0123456789",
        "CLOUDFRONT_DISTRIBUTION_ID": "made-by-each-test",
        "RELAY_AFTER_SECONDS": "1",
        "RELAY_EVERY_SECONDS": "1",
        "SQS_WAIT_SECONDS": "1",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",  # Playwright's sync API runs an event loop on the test's thread
    }
)
