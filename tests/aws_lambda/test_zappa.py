"""The API through Zappa's handler, with the settings that deploy/zappa_settings.json describes."""

import base64
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from zappa.cli import ZappaCLI  # type: ignore[import-untyped] # zappa has no types

from deploy.local.engines import ROOT
from products.acceptance import Acceptance
from products.access import tokens
from products.changes import Origin
from products.pipeline import Pipeline
from tests.support.builders import fields
from tests.support.delivery import deliver
from tests.support.lambda_events import rest_api_event
from tests.support.processes import ANN, EVERYTHING
from tests.support.world import World

SETTINGS = ROOT / "deploy" / "zappa_settings.json"
ASK = """
import json, sys
from zappa.handler import lambda_handler
print("\\n" + json.dumps([lambda_handler(event, None) for event in json.load(sys.stdin)]))
"""


@pytest.fixture
def settings_folder(tmp_path: Path) -> Path:
    """The folder with the settings module that Zappa generates for its zip."""
    cli = ZappaCLI()
    cli.api_stage = "dev"
    cli.load_settings(str(SETTINGS))
    (tmp_path / "zappa_settings.py").write_text(cli.get_zappa_settings_string())
    return tmp_path


def ask_zappa(folder: Path, world: World, *events: dict[str, Any]) -> list[Any]:
    """Return the responses of Zappa's handler, from a process with the settings of the API."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "HEARTBEAT_DIR"}
    }
    variables |= {
        "PRODUCTS_TABLE": world.table,
        "SEARCH_ALIAS": world.alias,
        "PYTHONPATH": f"{folder}:{ROOT}",
        "DJANGO_SETTINGS_MODULE": "bbws_products.settings.api",
    }
    process = subprocess.run(
        [sys.executable, "-c", ASK],
        input=json.dumps(events),
        env=variables,
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
        timeout=280,
    )
    assert process.returncode == 0, process.stderr
    return list(json.loads(process.stdout.splitlines()[-1]))


@pytest.fixture
def bearer() -> str:
    token = tokens.sign(
        ANN, EVERYTHING, at=datetime.now(UTC), lifetime=timedelta(hours=1), token_id="t"
    )
    return f"Bearer {token}"


def test_a_product_is_created_and_read_through_zappa(
    settings_folder: Path,
    world: World,
    acceptance: Acceptance,
    pipeline: Pipeline,
    ann: Origin,
    bearer: str,
) -> None:
    acceptance.create("existing", fields(), ann)
    deliver(pipeline.store, "existing", 1)
    body = json.dumps(fields(productId="new", name="New hosting"))
    staff = {"Authorization": bearer, "Content-Type": "application/json"}
    created, read, refused, missing, ready, schema = ask_zappa(
        settings_folder,
        world,
        rest_api_event("POST", "/v1.0/products", body, stage="/dev", **staff),
        rest_api_event("GET", "/v1.0/products/existing", stage="/dev"),
        rest_api_event("DELETE", "/v1.0/products/existing", stage="/dev"),
        rest_api_event("GET", "/admin/", stage="/dev"),
        rest_api_event("GET", "/readyz", stage="/dev", Authorization=bearer),
        rest_api_event("GET", "/v1.0/schema", stage="/dev"),
    )
    assert created["statusCode"] == 202
    assert created["multiValueHeaders"]["Location"] == ["/dev/v1.0/products/new/changes/1"]
    assert world.change("new", 1)
    assert world.depth(world.queue("products.persist")) == 2
    assert json.loads(read["body"])["productId"] == "existing"
    assert (refused["statusCode"], missing["statusCode"]) == (401, 404)
    assert json.loads(ready["body"])["dependencies"] == {"dynamodb": "ok"}
    # Zappa encodes a YAML body, because it does not know the type as text.
    assert base64.b64decode(schema["body"]).startswith(b"openapi:")


def test_the_settings_are_stricter_than_zappas_defaults() -> None:
    """Zappa's own role may do nearly everything, and its error responses show tracebacks."""
    stages = json.loads(SETTINGS.read_text())
    common = stages.pop("common")
    wanted = {"manage_roles": False, "debug": False, "keep_warm": False, "slim_handler": False}
    assert {name: common[name] for name in wanted} == wanted
    assert common["django_settings"] == "bbws_products.settings.api"
    for stage in stages.values():
        variables = stage["aws_environment_variables"]
        assert stage["role_arn"].endswith(f"bbws-product-zappa-{variables['ENVIRONMENT']}")
        assert "SECRETS_SSM_PREFIX" in variables
        all_variables = {*variables, *common["environment_variables"]}
        assert not {"SECRET_KEY", "TOKEN_KEYS"} & all_variables
    # Zappa's own SQS events lose messages: see docs/decisions/0046-zappa.md.
    assert "events" not in json.dumps(stages)
