"""The scripts that plan a deployment and find drift, run with the offline provider."""

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
from tests.support.terraform import VARIABLES, PlannedEnvironment
from tests.support.tools import STAND_IN

# The first of these tests to run plans all environments.
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.needs("jq", "terraform", "terraform-offline"),
]

ZIP = "5e" * 32
IMAGE = f"registry.example/bbws-products@sha256:{'1' * 64}"


def script(name: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one of ``deploy/*.sh`` with the offline provider."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    program = bin_folder / "terraform"
    program.write_text(f'#!/bin/sh\nPATH="{os.environ["PATH"]}" exec "{STAND_IN}" "$@"\n')
    program.chmod(0o755)
    env = (
        os.environ
        | VARIABLES
        | {
            "PATH": f"{bin_folder}:{os.environ['PATH']}",
            "GITHUB_OUTPUT": str(folder / "output"),
        }
    )
    command = [str(ROOT / "deploy" / name), *arguments]
    return subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.fixture
def applied(infrastructures: dict[str, PlannedEnvironment], tmp_path: Path) -> dict[str, Path]:
    """Return copies of the Terraform folders in which dev and prod are applied."""
    return {
        env: shutil.copytree(infrastructures[env].home, tmp_path / env, symlinks=True)
        for env in ("dev", "prod")
    }


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_plan_contains_the_build(env: str, applied: dict[str, Path]) -> None:
    done = script("plan.sh", str(applied[env]), env, ZIP, IMAGE, folder=applied[env])
    assert done.returncode == 0, done.stderr
    show = [str(STAND_IN), "show", "-json", "tfplan"]
    shown = subprocess.run(
        show, cwd=applied[env], capture_output=True, text=True, timeout=280, check=True
    )
    plan: dict[str, Any] = json.loads(shown.stdout)
    variables = {name: variable["value"] for name, variable in plan["variables"].items()}
    assert variables["package_key"] == f"products-lambda/{ZIP}.zip"
    assert base64.b64decode(variables["package_hash"]).hex() == ZIP
    changed = {
        change["address"]
        for change in plan["resource_changes"]
        if change["change"]["actions"] != ["no-op"]
    }
    assert {address for address in changed if "aws_lambda_function" in address}
    if env == "dev":
        assert variables.get("containers") is None
    else:
        assert variables["containers"]["image"] == IMAGE
        assert variables["containers"]["domain_name"] == "products-admin.example.com"
        assert IMAGE in json.dumps(plan["planned_values"])


def test_failed_plan_ends_the_deployment(applied: dict[str, Path]) -> None:
    folder = applied["dev"]
    (folder / "tfplan").unlink(missing_ok=True)  # of another test
    done = script("plan.sh", str(folder), "dev", "no-digest", IMAGE, folder=folder)
    assert done.returncode != 0
    assert not (folder / "tfplan").exists()


def test_drift_script_finds_no_drift_after_an_apply(applied: dict[str, Path]) -> None:
    folder = applied["dev"]
    done = script("drift.sh", str(folder), "dev", str(folder / "drift.txt"), folder=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "output").read_text() == "found=false\n"
    assert done.stdout.strip().endswith("Nothing has drifted.")
    assert "No changes" in (folder / "drift.txt").read_text()


def test_each_output_that_scripts_read_exists(
    infrastructures: dict[str, PlannedEnvironment],
) -> None:
    dev, prod = infrastructures["dev"], infrastructures["prod"]
    existing = set(prod.plan["configuration"]["root_module"]["outputs"])
    paths = [*(ROOT / "deploy").glob("*.sh"), *(ROOT / ".github").rglob("*.yml")]
    texts = "\n".join(path.read_text() for path in paths)
    read = set(re.findall(r"terraform \S+ output -(?:raw|json) (\w+)", texts))
    assert read >= {"settings", "migrate", "api_url"}
    assert read <= existing
    migrate = prod.state["values"]["outputs"]["migrate"]["value"]
    assert set(migrate) == {"cluster", "task_definition", "network_configuration"}
    assert dev.state["values"]["outputs"].get("migrate", {}).get("value") is None
    for found in infrastructures.values():
        expected = found.state["values"]["outputs"]["settings"]["value"]["DELETION_PROTECTION"]
        [table] = found.of_type("aws_dynamodb_table").values()
        assert table["deletion_protection_enabled"] is (expected == "1")
    settings = dev.state["values"]["outputs"]["settings"]["value"]
    names = {"ENVIRONMENT", "SQS_QUEUE_URL_PREFIX", "AUDIT_BUCKET", "SECRETS_SSM_PREFIX"}
    assert names <= set(settings)
