"""The modules that the API's function loads at its start: those a request needs, and no more."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.local.engines import ROOT
from products.acceptance import Acceptance
from products.access import tokens
from products.changes import Origin
from tests.support.builders import fields
from tests.support.token_issuer import AUDIENCE, ISSUER, running_issuer
from tests.support.world import World

NOT_NEEDED = {
    "boto3",
    "botocore.client",
    "botocore.session",
    "celery",
    "cryptography",
    "products.api.imports",
    "products.api.jobs",
    "products.api.plans",
    "products.plans.plans",
    "requests",
    "urllib3",
}
NEEDED = {
    "jwt",
    "products.adapters.sqs.task_messages",
    "products.adapters.aws.sigv4",
    "products.api.views",
    "products.access.tokens",
    "uuid6",
}
RECEIPT = "/v1.0/products/p1/changes/1"
ASK = """
import gc, json, sys
from bbws_products.aws_lambda import send_get
loaded = sorted(sys.modules)
statuses = []
for path, token in json.load(sys.stdin):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    statuses.append(send_get(path, {}, headers)["statusCode"])
print(json.dumps([loaded, gc.isenabled(), gc.get_freeze_count(), statuses]))
"""


@dataclass(frozen=True)
class Start:
    """A started function: the state before its first request, and its responses' statuses."""

    modules: set[str]
    gc_is_enabled: bool
    frozen_objects: int
    statuses: list[int]


@pytest.fixture
def environment(world: World, tmp_path: Path) -> dict[str, str]:
    """The environment of a function that reads this test's table."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "bbws_products.settings.api",
        "PRODUCTS_TABLE": world.table,
        "HOME": str(tmp_path),
        "LOG_LEVEL": "ERROR",
    }


def start(environment: dict[str, str], *requests: tuple[str, str]) -> Start:
    """Start the function in a process of its own, and send it requests: paths with tokens."""
    process = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env=environment,
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    modules, gc_is_enabled, frozen_objects, statuses = json.loads(process.stdout.splitlines()[-1])
    return Start(set(modules), gc_is_enabled, frozen_objects, statuses)


def test_everything_a_request_needs_is_loaded_at_the_start(
    environment: dict[str, str], acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.create("p1", fields(), ann)
    user = SimpleNamespace(get_username=lambda: "ann")
    own_token = tokens.sign(
        user,
        ["products.view_product"],
        at=datetime.now(UTC),
        lifetime=timedelta(hours=1),
        token_id="id",
    )
    with running_issuer() as issuer:
        requests = [
            ("/v1.0/products/p1", ""),
            (RECEIPT, ""),
            (RECEIPT, own_token),
            (RECEIPT, issuer.token()),
            ("/v1.0/jobs/none", own_token),
        ]
    started = start(environment, *requests)
    assert started.statuses == [404, 401, 200, 401, 404]
    assert started.modules & NOT_NEEDED == set()
    assert started.modules >= NEEDED
    assert started.gc_is_enabled
    assert started.frozen_objects > 10_000


def test_tokens_of_another_issuer_load_cryptography(environment: dict[str, str]) -> None:
    with running_issuer() as issuer:
        variables = {"JWKS_URL": issuer.url, "JWKS_ISSUER": ISSUER, "JWKS_AUDIENCE": AUDIENCE}
        requests = [(RECEIPT, issuer.token()), (RECEIPT, "rubbish")]
        started = start(environment | variables, *requests)
    assert started.statuses == [404, 401]
    assert "cryptography" in started.modules


def test_an_unusual_environment_loads_what_it_needs(environment: dict[str, str]) -> None:
    variables = {"AWS_USE_DUALSTACK_ENDPOINT": "false", "PRIME": "tokens,bulk"}
    started = start(environment | variables, ("/v1.0/products/none", ""))
    assert started.modules >= {"botocore.client", "products.api.jobs", "products.api.plans"}
    assert started.statuses == [404]


def test_a_consumer_starts_without_celery(environment: dict[str, str], world: World) -> None:
    variables = {
        "DJANGO_SETTINGS_MODULE": "bbws_products.settings.worker",
        "AUDIT_BUCKET": world.bucket,
        "CLOUDFRONT_DISTRIBUTION_ID": world.distribution,
    }
    code = "import json, sys, tasks.aws_lambda; print(json.dumps(sorted(sys.modules)))"
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    modules = set(json.loads(process.stdout))
    assert modules & {"boto3", "celery", "kombu", "rest_framework"} == set()
    assert modules >= {"tasks.messages", "products.adapters.opensearch.index", "botocore.client"}
