"""Terraform's checks and tests of our files, checkov's checks of the plan, and the state lock."""

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

BOOTSTRAP, BACKUPS = ROOT / "deploy" / "bootstrap", ROOT / "deploy" / "backups"
SKIPS = SOURCE / "checkov.yaml"
TESTED = [
    ".",
    *sorted(str(path.parent.relative_to(SOURCE)) for path in SOURCE.glob("modules/*/tests")),
]


def test_files_are_formatted() -> None:
    done = run("terraform", "fmt", "-check", "-recursive", "-diff", ROOT / "deploy", cwd=ROOT)
    assert done.stdout == ""


@pytest.mark.parametrize("folder", TESTED)
def test_terraforms_own_tests_pass(folder: str, tmp_path: Path) -> None:
    root = init_root(tmp_path / "root") if folder == "." else tmp_path / "root" / folder
    if folder != ".":
        shutil.copytree(SOURCE / folder, root)
        run(STAND_IN, "init", "-input=false", cwd=root)
    assert "valid" in run(STAND_IN, "validate", cwd=root).stdout
    output = run(STAND_IN, "test", "-no-color", cwd=root).stdout
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", output), output


def arguments(variables: dict[str, str]) -> list[str]:
    return [f"-var={name}={value}" for name, value in variables.items()]


def copied_root(folder: Path, name: str) -> Path:
    """Copy deploy/, since root modules share files, and return one of them."""
    ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*", "local")
    shutil.copytree(ROOT / "deploy", folder / "deploy", ignore=ignored)
    return folder / "deploy" / name


def planned(root: Path, variables: dict[str, str]) -> dict[str, Any]:
    """Return the plan of a root module that people apply by hand."""
    run(STAND_IN, "init", "-input=false", cwd=root)
    assert "valid" in run(STAND_IN, "validate", cwd=root).stdout
    run(STAND_IN, "plan", "-input=false", "-out=plan", *arguments(variables), cwd=root)
    return dict(json.loads(run(STAND_IN, "show", "-json", "plan", cwd=root).stdout))


def test_bootstrap_can_be_planned(tmp_path: Path) -> None:
    root = copied_root(tmp_path, "bootstrap")
    # The offline provider looks for resource types only in the root folder and below.
    shutil.copytree(SOURCE / "modules" / "bucket", root / "copy-of-bucket")
    variables = {
        "environment": "prod",
        "region": "af-south-1",
        "account_id": "333333333333",
        "github_repository": "owner/name",
        "github_owner_id": "7",
        "github_repository_id": "42",
    }
    plan = planned(root, variables)
    outputs = {
        name: output.get("value") for name, output in plan["planned_values"]["outputs"].items()
    }
    roles = {
        change["change"]["after"]["name"]: change["change"]["after"]
        for change in plan["resource_changes"]
        if change["type"] == "aws_iam_role" and "github" in change["address"]
    }
    role = roles["bbws-products-apply-prod"]
    [statement] = json.loads(role["assume_role_policy"])["Statement"]
    assert statement["Condition"] == trust()
    assert role["max_session_duration"] == 7200
    backend = (SOURCE / "environments" / "prod.tfbackend").read_text()
    assert f'"{outputs["state_bucket"]}"' in backend
    assert outputs["artefact_bucket"] == "bbws-products-artefacts-333333333333-af-south-1"


BACKUPS_OF_PROD = {
    "environment": "prod",
    "region": "eu-west-1",
    "account_id": "444444444444",
    "source_account_id": "333333333333",
}


def test_vault_of_backups_can_be_planned(
    tmp_path: Path, infrastructures: dict[str, PlannedEnvironment]
) -> None:
    root = copied_root(tmp_path, "backups")
    plan = planned(root, BACKUPS_OF_PROD | {"lock_grace_days": "3"})
    found = {
        resource["type"]: resource["values"]
        for resource in plan["planned_values"]["root_module"]["resources"]
    }
    prod = infrastructures["prod"]
    assert prod.variable("backup_vault_arn") == (
        f"arn:aws:backup:eu-west-1:444444444444:backup-vault:{found['aws_backup_vault']['name']}"
    )
    lock = found["aws_backup_vault_lock_configuration"]
    assert lock["min_retention_days"] <= prod.variable("backup_days") <= lock["max_retention_days"]
    assert lock["changeable_for_days"] == 3
    _, reads, _ = json.loads(found["aws_kms_key"]["policy"])["Statement"]
    assert "arn:aws:iam::333333333333:root" in reads["Principal"]["AWS"]
    too_short = arguments(BACKUPS_OF_PROD | {"lock_grace_days": "2"})
    refused = run(STAND_IN, "plan", "-input=false", *too_short, cwd=root, check=False)
    assert "AWS accepts 3 days or more" in refused.stderr


def test_vault_of_backups_takes_copies_and_gives_none_up() -> None:
    text = (BACKUPS / "policies" / "vault.json.tftpl").read_text()
    for name, value in {"source_account_id": "333333333333", "vault_arn": "vault"}.items():
        text = text.replace(f"${{{name}}}", value)
    accepts, refuses = json.loads(text)["Statement"]
    assert accepts["Principal"] == {"AWS": "arn:aws:iam::333333333333:root"}
    assert (accepts["Effect"], accepts["Action"]) == ("Allow", ["backup:CopyIntoBackupVault"])
    assert (refuses["Effect"], refuses["Principal"]) == ("Deny", {"AWS": "*"})
    assert "backup:DeleteRecoveryPoint" in refuses["Action"]


# checkov


def test_each_skipped_check_has_a_reason() -> None:
    skips = [line for line in SKIPS.read_text().splitlines() if line.strip().startswith("- CKV")]
    assert skips
    assert [line for line in skips if not re.fullmatch(r"  - CKV2?_AWS_\d+ +# .{8,}", line)] == []


@pytest.mark.needs("checkov")
@pytest.mark.parametrize("env", ["dev", "prod"])
def test_checkov_accepts_the_plan(
    env: str, infrastructures: dict[str, PlannedEnvironment], tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(infrastructures[env].plan))
    options: list[str | Path] = ["--config-file", SKIPS, "--file", plan, "--output", "json"]
    done = run(path_of("checkov"), *options, cwd=tmp_path, check=False)
    report = json.loads(done.stdout)
    failed = {
        (check["check_id"], check["check_name"], check["resource"])
        for check in report.get("results", {}).get("failed_checks", [])
    }
    assert failed == set(), done.stderr[-2000:]
    assert report["summary"]["passed"] > 300


# The state


def test_state_is_locked_during_an_apply(engines: Engines, tmp_path: Path) -> None:
    """Use the real backend with the settings of dev, on the embedded S3."""
    account = "536580886816"  # ministack treats an access key of twelve digits as the account
    keys = {
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": "eu-west-1",
    }
    bucket = "bbws-terraform-state-dev"
    s3 = boto3.client("s3", aws_access_key_id=account, aws_secret_access_key="local")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    (tmp_path / "main.tf").write_text(
        'terraform {\n  backend "s3" {}\n}\nresource "terraform_data" "one" {}\n'
    )
    config = [
        f"{SOURCE}/environments/dev.tfbackend",
        f'endpoints={{s3="{engines.aws_url}",sts="{engines.aws_url}"}}',
        "use_path_style=true",
        "skip_metadata_api_check=true",
    ]
    backend = [f"-backend-config={setting}" for setting in config]
    run("terraform", "init", "-input=false", *backend, cwd=tmp_path, variables=keys)

    lock = "products/dev.tfstate.tflock"
    names = ("ID", "Operation", "Info", "Who", "Version", "Path")
    content = dict.fromkeys(names, "somebody else") | {"Created": "2026-11-25T00:00:00Z"}
    s3.put_object(Bucket=bucket, Key=lock, Body=json.dumps(content).encode())
    apply = ["terraform", "apply", "-auto-approve", "-no-color"]
    refused = run(*apply, cwd=tmp_path, check=False, variables=keys)
    assert refused.returncode != 0
    assert "Error acquiring the state lock" in refused.stderr

    s3.delete_object(Bucket=bucket, Key=lock)
    run(*apply, cwd=tmp_path, variables=keys)
    objects = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [entry["Key"] for entry in objects] == ["products/dev.tfstate"]


# Who may deploy


def trust(github_environment: str = "prod-approval") -> dict[str, Any]:
    """Return the condition under which GitHub's runs may assume a role."""
    subject = f"environment:{github_environment}"
    subjects = [f"repo:owner/name:{subject}", f"repo:owner@7/name@42:{subject}"]
    values = {
        "provider_arn": "arn",
        "repository_id": "42",
        "github_environment": github_environment,
        "subjects": json.dumps(subjects),
        "refs": json.dumps(["refs/heads/main", "refs/tags/*"]),
    }
    text = (BOOTSTRAP / "policies" / "trust-github.json.tftpl").read_text()
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    [statement] = json.loads(text)["Statement"]
    return dict(statement["Condition"])


def test_only_one_repository_environment_and_branch_may_deploy() -> None:
    """IAM demands a condition on the subject, which GitHub writes in one of two forms."""
    github = "token.actions.githubusercontent.com"
    assert trust() == {
        "StringEquals": {
            f"{github}:aud": "sts.amazonaws.com",
            f"{github}:sub": [
                "repo:owner/name:environment:prod-approval",
                "repo:owner@7/name@42:environment:prod-approval",
            ],
            f"{github}:repository_id": "42",
            f"{github}:environment": "prod-approval",
        },
        "StringLike": {f"{github}:ref": ["refs/heads/main", "refs/tags/*"]},
    }
    assert policy("trust-service", {"service": "s", "account_id": "1"})["Statement"][0]["Condition"]
