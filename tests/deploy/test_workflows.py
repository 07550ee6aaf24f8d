"""Rules of the workflows that linters do not check: pins, permissions, approvals and order."""

import os
import re
import subprocess
from typing import Any

import pytest
import yaml

from deploy.local.engines import ROOT
from tests.support.workflows import FILES, FOLDER, scripts

NAMES = {path.stem for path in FOLDER.glob("workflows/*.yml")}
ENVIRONMENT = "${{ inputs.environment }}"
APPROVAL = "${{ inputs.environment == 'prod' && 'prod-approval' || inputs.environment }}"
"""The GitHub environment that asks reviewers; the one of prod has the original plan's name."""


def parsed(name: str) -> dict[Any, Any]:
    return dict(yaml.safe_load((FOLDER / "workflows" / f"{name}.yml").read_text()))


def jobs(name: str) -> dict[str, dict[str, Any]]:
    return dict(parsed(name)["jobs"])


def triggers(name: str) -> dict[str, Any]:
    return dict(parsed(name)[True])  # YAML reads the key "on" as true


def test_each_action_is_pinned_to_one_commit() -> None:
    used = re.findall(r"uses: (\S+)(.*)", "\n".join(path.read_text() for path in FILES))
    foreign = {(name, comment.strip()) for name, comment in used if not name.startswith("./")}
    assert len(foreign) >= 6
    for name, version in foreign:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)
        assert re.fullmatch(r"# v\d+\.\d+\.\d+", version)
    assert len({name.split("@")[0] for name, _ in foreign}) == len(foreign)
    assert all((ROOT / name).exists() for name, _ in used if name.startswith("./"))


@pytest.mark.parametrize("name", sorted(NAMES))
def test_jobs_have_only_the_permissions_they_need(name: str) -> None:
    assert parsed(name)["permissions"] == {}
    for job_name, job in jobs(name).items():
        deploys = job.get("uses", "").endswith("/deploy.yml")
        assumes_role = deploys or "role: ${{ vars." in yaml.safe_dump(job)
        allowed = {"contents": "read"}
        if assumes_role:
            allowed["id-token"] = "write"
        if name == "drift":
            allowed["issues"] = "write"
        assert job["permissions"] in (allowed, {}), job_name
        assert "uses" in job or job["timeout-minutes"] <= 120, job_name


@pytest.mark.parametrize("name", sorted(NAMES - {"ci", "deploy", "drift"}))
def test_deployments_are_not_interrupted_and_run_one_at_a_time(name: str) -> None:
    concurrency = parsed(name)["concurrency"]
    assert concurrency["cancel-in-progress"] is False
    assert name in concurrency["group"]
    if name == "rollback":
        assert concurrency["group"].endswith(ENVIRONMENT)


def test_only_dev_is_deployed_automatically() -> None:
    assert triggers("deploy-dev") == {"push": {"branches": ["main"]}}
    for name in ("deploy-sit", "deploy-prod", "rollback"):
        assert set(triggers(name)) == {"workflow_dispatch"}
    assert set(triggers("deploy")) == {"workflow_call"}
    assert set(triggers("drift")) == {"schedule", "workflow_dispatch"}
    for env in ("dev", "sit", "prod"):
        assert jobs(f"deploy-{env}")["deploy"]["with"] == {"environment": env}
    assert jobs("deploy-prod")["deploy"]["needs"] == "confirm"


def test_exactly_the_tested_and_approved_plan_is_applied() -> None:
    plan, apply = jobs("deploy")["plan"], jobs("deploy")["apply"]
    assert (plan["needs"], apply["needs"]) == (["test", "build"], ["build", "plan"])
    assert (plan["environment"], apply["environment"]) == (f"{ENVIRONMENT}-plan", APPROVAL)
    assert jobs("rollback")["rollback"]["environment"] == APPROVAL
    names = [step["name"] for step in apply["steps"] if "name" in step]
    assert names == [
        "Install",
        "Upload the build to S3 and ECR",
        "Migrate the database with the new image",
        "Apply exactly that plan",
        "Migrate the database of a first deployment",
        "Wait for the services",
        "Fill an empty search index",
        "Call the new functions, then make them live",
        "Validate the deployment",
        "Follow a write to its last effect",
        "Return to the versions before",
        "Delete old versions of the functions",
        "Show the live versions, for a rollback",
    ]
    assert scripts()["workflows/deploy: Apply exactly that plan"].strip().endswith(" tfplan")
    assert "deploy/plan.sh deploy/terraform " in scripts()["workflows/deploy: Plan"]
    roles = {
        name: re.findall(r"vars\.(\w+)", yaml.safe_dump(job))
        for name, job in jobs("deploy").items()
    }
    assert roles == {
        "test": [],
        "build": [],
        "plan": ["ALERT_EMAILS", "AWS_PLAN_ROLE"],
        "apply": ["AWS_APPLY_ROLE"],
    }


def test_plan_stays_in_the_account() -> None:
    """It contains the state, which everybody who may read the repository could download."""
    uses = [step.get("uses", "") for step in jobs("deploy")["plan"]["steps"]]
    assert [action for action in uses if "upload-artifact" in action] == []
    keep = scripts()["workflows/deploy: Keep the plan for the approval"]
    assert "aws s3 cp" in keep
    assert "/plans/$ENVIRONMENT/" in keep
    names = [step.get("name") for step in jobs("deploy")["plan"]["steps"]]
    assert names.index("Check what the account must have") < names.index("Plan")


def test_applies_have_time_and_credentials_for_two_hours() -> None:
    action = (FOLDER / "actions/terraform/action.yml").read_text()
    assert "role-duration-seconds: 7200" in action
    assert jobs("deploy")["apply"]["timeout-minutes"] == 120


def test_failed_validation_returns_to_the_versions_before() -> None:
    steps = {step.get("name"): step for step in jobs("deploy")["apply"]["steps"]}
    condition = steps["Return to the versions before"]["if"]
    assert condition == "failure() && steps.promote.outcome == 'success'"
    assert steps["Call the new functions, then make them live"]["id"] == "promote"
    assert "before.json" in steps["Return to the versions before"]["run"]


def test_scripts_get_inputs_only_through_environment_variables() -> None:
    assert len(scripts()) > 15
    assert [name for name, script in scripts().items() if "${{" in script] == []


@pytest.mark.parametrize(
    ("typed", "ref", "code"),
    [
        ("DEPLOY-TO-PROD", "refs/heads/main", 0),
        ("DEPLOY-TO-PROD", "refs/tags/v1", 0),
        ("DEPLOY-TO-PROD", "refs/heads/mine", 1),
        ("deploy-to-prod", "refs/heads/main", 1),
        ("", "refs/heads/main", 1),
        ('" == x || true #', "refs/heads/main", 1),
        ("*", "refs/heads/main", 1),
    ],
)
def test_prod_requires_the_confirmation_and_main_or_a_tag(typed: str, ref: str, code: int) -> None:
    script = scripts()["workflows/deploy-prod: Check the confirmation and the branch"]
    env = {"PATH": os.environ["PATH"], "TYPED": typed, "GITHUB_REF": ref}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        env=env,
        capture_output=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == code
