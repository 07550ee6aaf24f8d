"""What the API's function loads at its start, in a process of its own: what requests need, and no more."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.local.engines import ROOT
from products.access import tokens
from products.catalogue import Catalogue
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
    "requests",
    "urllib3",
}
NEEDED = {
    "jwt",
    "products.adapters.sqs.doorbell_direct",
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
answers = [send_get(path, {}, {"Authorization": f"Bearer {token}"} if token else {}) for path, token in json.load(sys.stdin)]
print(json.dumps([loaded, gc.isenabled(), gc.get_freeze_count(), [answer["statusCode"] for answer in answers]]))
"""


@pytest.fixture
def lambdas(world: World, tmp_path: Path) -> dict[str, str]:
    """The environment of a function that reads, over this test's table."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "bbws_products.settings.api",
        "PRODUCTS_TABLE": world.table,
        "HOME": str(tmp_path),
        "LOG_LEVEL": "ERROR",
    }


def started(
    environment: dict[str, str], *asked: tuple[str, str]
) -> tuple[set[str], bool, int, list[int]]:
    """The modules that are there before the first request, whether the collector works then and on how many objects
    it does not look, and the answers' status."""
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env=environment,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded, collecting, frozen, statuses = json.loads(done.stdout.splitlines()[-1])
    return set(loaded), collecting, frozen, statuses


def test_what_a_request_needs_is_there_before_the_first(
    lambdas: dict[str, str], catalogue: Catalogue, ann: Origin
) -> None:
    catalogue.create("p1", fields(), ann)
    held = ["products.view_product"]
    user = SimpleNamespace(get_username=lambda: "ann")
    at, hour = datetime.now(UTC), timedelta(hours=1)
    ours = tokens.sign(user, held, at=at, lifetime=hour, token_id="id")
    with running_issuer() as issuer:
        asked = [
            ("/v1.0/products/p1", ""),
            *((RECEIPT, bearer) for bearer in ("", ours, issuer.token())),
        ]
    loaded, collecting, frozen, statuses = started(lambdas, *asked)
    assert statuses == [404, 401, 200, 401]
    assert loaded & NOT_NEEDED == set()
    assert loaded >= NEEDED
    assert collecting
    assert frozen > 10_000


def test_tokens_of_another_issuer_take_the_library_for_them(lambdas: dict[str, str]) -> None:
    with running_issuer() as issuer:
        its = {"JWKS_URL": issuer.url, "JWKS_ISSUER": ISSUER, "JWKS_AUDIENCE": AUDIENCE}
        loaded, _, _, statuses = started(
            lambdas | its, (RECEIPT, issuer.token()), (RECEIPT, "rubbish")
        )
    assert statuses == [404, 401]
    assert "cryptography" in loaded


def test_what_an_environment_leaves_open_takes_botocore(lambdas: dict[str, str]) -> None:
    loaded, _, _, statuses = started(
        lambdas | {"AWS_USE_DUALSTACK_ENDPOINT": "false"}, ("/v1.0/products/none", "")
    )
    assert "botocore.client" in loaded
    assert statuses == [404]
