"""Terraform's own checks on our files, checkov's on what would be made, and the state's lock."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy.local.engines import ROOT, Engines
from tests.support.terraform import (
    SOURCE,
    PlannedEnvironment,
    init_root,
    policy,
    run,
)
from tests.support.tools import STAND_IN, path_of

pytestmark = [pytest.mark.timeout(900), pytest.mark.needs("terraform", "terraform-offline")]

BOOTSTRAP = ROOT / "deploy" / "bootstrap"
SKIPS = SOURCE / "checkov.yaml"
TESTED = [
    ".",
    *sorted(str(path.parent.relative_to(SOURCE)) for path in SOURCE.glob("modules/*/tests")),
]


def test_files_are_formatted() -> None:
    assert (
        run("terraform", "fmt", "-check", "-recursive", "-diff", ROOT / "deploy", cwd=ROOT).stdout
        == ""
    )


@pytest.mark.parametrize("folder", TESTED)
def test_what_terraform_tests_holds(folder: str, tmp_path: Path) -> None:
    root = init_root(tmp_path / "root") if folder == "." else tmp_path / "root" / folder
    if folder != ".":
        shutil.copytree(SOURCE / folder, root)
        run(STAND_IN, "init", "-input=false", cwd=root)
    assert "valid" in run(STAND_IN, "validate", cwd=root).stdout
    told = run(STAND_IN, "test", "-no-color", cwd=root).stdout
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", told), told


def test_what_is_made_once_an_account_can_be_planned(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns(".terraform*", "local")
    )
    root = tmp_path / "deploy" / "bootstrap"
    shutil.copytree(
        SOURCE / "modules" / "bucket", root / "seen-by-the-stand-in"
    )  # it looks for types below the root
    run(STAND_IN, "init", "-input=false", cwd=root)
    chosen = {
        "environment": "prod",
        "region": "af-south-1",
        "account_id": "333333333333",
        "github_repository_id": "42",
    }
    run(
        "plan",
        "-input=false",
        "-out=plan",
        *(f"-var={n}={v}" for n, v in chosen.items()),
        cwd=root,
    )
    plan = json.loads(run(STAND_IN, "show", "-json", "plan", cwd=root).stdout)
    outputs = {
        name: output.get("value") for name, output in plan["planned_values"]["outputs"].items()
    }
    backend = (SOURCE / "environments" / "prod.tfbackend").read_text()
    assert f'"{outputs["state_bucket"]}"' in backend
    assert outputs["artefact_bucket"] == "bbws-products-artefacts-333333333333-af-south-1"


# checkov


def test_every_check_that_is_skipped_has_its_reason() -> None:
    skips = [line for line in SKIPS.read_text().splitlines() if line.strip().startswith("- CKV")]
    assert skips
    assert [line for line in skips if not re.fullmatch(r"  - CKV2?_AWS_\d+ +# .{8,}", line)] == []


@pytest.mark.needs("checkov")
@pytest.mark.parametrize("env", ["dev", "prod"])
def test_checkov_finds_nothing_without_a_reason(
    env: str, infrastructures: dict[str, PlannedEnvironment], tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(infrastructures[env].plan))
    done = run(
        path_of("checkov"),
        "--config-file",
        SKIPS,
        "-f",
        plan,
        "-o",
        "json",
        cwd=tmp_path,
        check=False,
    )
    told = json.loads(done.stdout)
    failed = {
        (c["check_id"], c["check_name"], c["resource"])
        for c in told.get("results", {}).get("failed_checks", [])
    }
    assert failed == set(), done.stderr[-2000:]
    assert told["summary"]["passed"] > 300


# The state


def test_two_cannot_change_the_same_state_at_once(engines: Engines, tmp_path: Path) -> None:
    """The real backend with the real settings of dev, on the embedded S3."""
    account = "111111111111"  # ministack takes a key of twelve digits as its own account
    keys = {
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": "eu-west-1",
    }
    bucket = f"bbws-products-state-{account}-eu-west-1"
    s3 = boto3.client("s3", aws_access_key_id=account, aws_secret_access_key="local")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    (tmp_path / "main.tf").write_text(
        'terraform {\n  backend "s3" {}\n}\nresource "terraform_data" "one" {}\n'
    )
    here = f'{{s3="{engines.aws_url}",sts="{engines.aws_url}"}}'
    config = [
        f"-backend-config={SOURCE}/environments/dev.tfbackend",
        f"-backend-config=endpoints={here}",
    ]
    config += [
        f"-backend-config={name}=true" for name in ("use_path_style", "skip_metadata_api_check")
    ]
    run("terraform", "init", "-input=false", *config, cwd=tmp_path, **keys)

    lock = "products/dev.tfstate.tflock"
    told = ("ID", "Operation", "Info", "Who", "Version", "Path")
    foreign = dict.fromkeys(told, "somebody else") | {"Created": "2026-11-25T00:00:00Z"}
    s3.put_object(Bucket=bucket, Key=lock, Body=json.dumps(foreign).encode())
    refused = run(
        "terraform", "apply", "-auto-approve", "-no-color", cwd=tmp_path, check=False, **keys
    )
    assert refused.returncode != 0
    assert "Error acquiring the state lock" in refused.stderr

    s3.delete_object(Bucket=bucket, Key=lock)
    run("terraform", "apply", "-auto-approve", "-no-color", cwd=tmp_path, **keys)
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [
        "products/dev.tfstate"
    ]


# Who may deploy


def test_github_deploys_by_repository_and_environment_only() -> None:
    names = {"provider_arn": "arn", "repository_id": "42", "github_environment": "prod"}
    text = (BOOTSTRAP / "policies" / "trust-github.json.tftpl").read_text()
    for name, value in names.items():
        text = text.replace(f"${{{name}}}", value)
    [statement] = json.loads(text)["Statement"]
    github = "token.actions.githubusercontent.com"
    asked: dict[str, Any] = statement["Condition"]
    assert asked == {
        "StringEquals": {
            f"{github}:aud": "sts.amazonaws.com",
            f"{github}:repository_id": "42",
            f"{github}:environment": "prod",
        }
    }
    assert policy("trust-service", {"service": "s", "account_id": "1"})["Statement"][0]["Condition"]
