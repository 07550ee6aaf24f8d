"""Choose the ports of this run's services and set the environment before Django loads."""

import os
import tempfile
from pathlib import Path

from deploy.local.engines import Engines, app_environment

HOME = Path(tempfile.mkdtemp(prefix="bbws-test-"))
ENGINES = Engines(HOME)
# `make test-engines` names the variables of services that it provides; these are kept.
GIVEN = {name: os.environ[name] for name in os.environ.get("SECOND_ENGINES", "").split()}
ENV = f"test-{os.getpid()}" if "AWS_ENDPOINT_URL_SQS" in GIVEN else "test"
"""The environment's name. Processes that share an SQS have queues of their own by it."""
os.environ.update(app_environment(ENGINES, env=ENV, home=HOME))
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
        # Playwright's synchronous API runs an event loop on the test's thread.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
    }
    | GIVEN
)
if "AWS_ENDPOINT_URL_SQS" in GIVEN:
    os.environ["SQS_QUEUE_URL_PREFIX"] = f"{GIVEN['AWS_ENDPOINT_URL_SQS']}/000000000000"


def address(service: str, engines: Engines = ENGINES) -> str:
    """Return the URL of an AWS service: the given one, or that of these embedded services."""
    return _given(f"AWS_ENDPOINT_URL_{service.upper()}", engines) or engines.aws_url


def search_address(engines: Engines = ENGINES) -> str:
    return _given("OPENSEARCH_URL", engines) or engines.search_url


def _given(name: str, engines: Engines) -> str | None:
    return GIVEN.get(name) if engines is ENGINES else None
