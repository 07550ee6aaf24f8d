"""The second path to Lambda: Zappa's own handler, with the settings it makes of deploy/zappa_settings.json."""

import base64
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from zappa.cli import ZappaCLI

from deploy.local.engines import ROOT
from products.access import tokens
from products.catalogue import Catalogue
from products.changes import Origin
from products.pipeline import Pipeline
from tests.support.builders import fields
from tests.support.lambda_events import rest
from tests.support.processes import ANN, EVERYTHING
from tests.support.world import World

SETTINGS = ROOT / "deploy" / "zappa_settings.json"
ASK = """
import json, sys
from zappa.handler import lambda_handler
print("\\n" + json.dumps([lambda_handler(event, None) for event in json.load(sys.stdin)]))
"""


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    """The folder with the module of settings that Zappa puts into its zip."""
    cli = ZappaCLI()
    cli.api_stage = "dev"
    cli.load_settings(str(SETTINGS))
    (tmp_path / "zappa_settings.py").write_text(cli.get_zappa_settings_string())
    return tmp_path


def asked(folder: Path, world: World, *events: dict[str, Any]) -> list[Any]:
    """What Zappa's handler answers, in a process with nothing of the whole product's settings."""
    own = {
        "PRODUCTS_TABLE": world.table,
        "SEARCH_ALIAS": world.alias,
        "PYTHONPATH": f"{folder}:{ROOT}",
    }
    variables = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "HEARTBEAT_DIR"}
    }
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        input=json.dumps(events),
        env={**variables, **own, "DJANGO_SETTINGS_MODULE": "bbws_products.settings.api"},
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.splitlines()[-1]))


def test_a_product_is_created_and_read_through_zappa(
    generated: Path,
    world: World,
    catalogue: Catalogue,
    pipeline: Pipeline,
    ann: Origin,
    bearer: str,
) -> None:
    catalogue.create("standing", fields(), ann)
    pipeline.store("standing", 1)
    body = json.dumps(fields(productId="new", name="New hosting"))
    staff = {"Authorization": bearer, "Content-Type": "application/json"}
    created, read, refused, missing, ready, schema = asked(
        generated,
        world,
        rest("POST", "/v1.0/products", body, stage="/dev", **staff),
        rest("GET", "/v1.0/products/standing", stage="/dev"),
        rest("DELETE", "/v1.0/products/standing", stage="/dev"),
        rest("GET", "/admin/", stage="/dev"),
        rest("GET", "/readyz", stage="/dev"),
        rest("GET", "/v1.0/schema", stage="/dev"),
    )
    assert created["statusCode"] == 202
    assert created["multiValueHeaders"]["Location"] == ["/dev/v1.0/products/new/changes/1"]
    assert world.change("new", 1)
    assert world.depth(world.queue("products.persist")) == 2
    assert json.loads(read["body"])["productId"] == "standing"
    assert (refused["statusCode"], missing["statusCode"]) == (401, 404)
    assert json.loads(ready["body"])["dependencies"] == {"dynamodb": "ok"}
    assert base64.b64decode(schema["body"]).startswith(
        b"openapi:"
    )  # Zappa knows no such type of text


@pytest.fixture
def bearer() -> str:
    token = tokens.sign(
        ANN, EVERYTHING, at=datetime.now(UTC), lifetime=timedelta(hours=1), token_id="t"
    )
    return f"Bearer {token}"


def test_its_settings_give_nothing_away() -> None:
    """What Zappa would do by itself: a role that may do nearly everything, and tracebacks for callers."""
    stages = json.loads(SETTINGS.read_text())
    common = stages.pop("common")
    wanted = {"manage_roles": False, "debug": False, "keep_warm": False, "slim_handler": False}
    assert {name: common[name] for name in wanted} == wanted
    assert common["django_settings"] == "bbws_products.settings.api"
    for stage in stages.values():
        assert stage["role_arn"].endswith(
            f"bbws-product-zappa-{stage['aws_environment_variables']['ENVIRONMENT']}"
        )
        assert "SECRETS_SSM_PREFIX" in stage["aws_environment_variables"]
        assert not {"SECRET_KEY", "TOKEN_KEYS"} & {
            *stage["aws_environment_variables"],
            *common["environment_variables"],
        }
    assert "events" not in json.dumps(
        stages
    )  # its way with SQS loses messages; see ARCHITECTURE.md
