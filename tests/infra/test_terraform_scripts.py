"""The scripts that plan a deployment and look for drift, with real Terraform on what the stand-in has made."""

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.local.engines import ROOT
from tests.support.terraform import PlannedEnvironment
from tests.support.tools import STAND_IN

# The first test to come plans all environments.
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.needs("jq", "terraform", "terraform-offline"),
]

ZIP = "5e" * 32
IMAGE = f"registry.example/bbws-products@sha256:{'1' * 64}"


def script(name: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """One of ``deploy/*.sh``, for which ``terraform`` is the stand-in."""
    beside = folder / "bin"
    beside.mkdir()
    program = beside / "terraform"
    program.write_text(f'#!/bin/sh\nPATH="{os.environ["PATH"]}" exec "{STAND_IN}" "$@"\n')
    program.chmod(0o755)
    env = os.environ | {
        "PATH": f"{beside}:{os.environ['PATH']}",
        "GITHUB_OUTPUT": str(folder / "output"),
    }
    command = [str(ROOT / "deploy" / name), *arguments]
    return subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.fixture
def made(infrastructures: dict[str, PlannedEnvironment], tmp_path: Path) -> dict[str, Path]:
    """Folders of Terraform's of their own, in which an environment stands already."""
    return {
        env: shutil.copytree(infrastructures[env].home, tmp_path / env, symlinks=True)
        for env in ("dev", "prod")
    }


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_what_was_built_is_what_is_planned(env: str, made: dict[str, Path]) -> None:
    done = script("plan.sh", str(made[env]), env, ZIP, IMAGE, folder=made[env])
    assert done.returncode == 0, done.stderr
    show = [str(STAND_IN), "show", "-json", "tfplan"]
    shown = subprocess.run(
        show, cwd=made[env], capture_output=True, text=True, timeout=280, check=True
    )
    plan: dict[str, Any] = json.loads(shown.stdout)
    given = {name: variable["value"] for name, variable in plan["variables"].items()}
    assert given["package_key"] == f"products-lambda/{ZIP}.zip"
    assert base64.b64decode(given["package_hash"]).hex() == ZIP
    changed = {
        change["address"]
        for change in plan["resource_changes"]
        if change["change"]["actions"] != ["no-op"]
    }
    assert {address for address in changed if "aws_lambda_function" in address}
    if env == "dev":
        assert given.get("containers") is None
    else:
        assert given["containers"]["image"] == IMAGE
        assert given["containers"]["domain_name"] == "products-admin.example.com"
        assert IMAGE in json.dumps(plan["planned_values"])


def test_what_cannot_be_planned_ends_the_deployment(made: dict[str, Path]) -> None:
    done = script("plan.sh", str(made["dev"]), "dev", "no-digest", IMAGE, folder=made["dev"])
    assert done.returncode != 0
    assert not (made["dev"] / "tfplan").exists()


def test_nothing_has_drifted_where_nobody_has_changed_anything(made: dict[str, Path]) -> None:
    folder = made["dev"]
    done = script("drift.sh", str(folder), "dev", str(folder / "drift.txt"), folder=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "output").read_text() == "found=false\n"
    assert done.stdout.strip().endswith("Nothing has drifted.")
    assert "No changes" in (folder / "drift.txt").read_text()


def test_each_output_that_is_asked_for_is_there(
    infrastructures: dict[str, PlannedEnvironment],
) -> None:
    there = set(infrastructures["prod"].plan["configuration"]["root_module"]["outputs"])
    texts = [
        path.read_text()
        for path in [*(ROOT / "deploy").glob("*.sh"), *(ROOT / ".github").rglob("*.yml")]
    ]
    asked = {
        name
        for text in texts
        for name in re.findall(r"terraform \S+ output -(?:raw|json) (\w+)", text)
    }
    assert asked >= {"settings", "migrate", "api_url"}
    assert asked <= there
    migrate = infrastructures["prod"].state["values"]["outputs"]["migrate"]["value"]
    assert set(migrate) == {"cluster", "task_definition", "network_configuration"}
    assert infrastructures["dev"].state["values"]["outputs"].get("migrate", {}).get("value") is None
    settings = infrastructures["dev"].state["values"]["outputs"]["settings"]["value"]
    assert {"ENVIRONMENT", "SQS_QUEUE_URL_PREFIX", "AUDIT_BUCKET", "SECRETS_SSM_PREFIX"} <= set(
        settings
    )
