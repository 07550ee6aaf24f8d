"""What the workflows promise, beyond what their linters see: pins, permissions, gates, and the scripts in them."""

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


def parsed(name: str) -> dict[Any, Any]:
    return dict(yaml.safe_load((FOLDER / "workflows" / f"{name}.yml").read_text()))


def jobs(name: str) -> dict[str, dict[str, Any]]:
    return dict(parsed(name)["jobs"])


def triggers(name: str) -> dict[str, Any]:
    return dict(parsed(name)[True])  # YAML takes the word "on" for a truth value


def test_each_action_is_pinned_by_its_commit_and_to_one_commit_everywhere() -> None:
    used = re.findall(r"uses: (\S+)(.*)", "\n".join(path.read_text() for path in FILES))
    foreign = {(name, comment.strip()) for name, comment in used if not name.startswith("./")}
    assert len(foreign) >= 6
    assert [
        name for name, version in foreign if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)
    ] == []
    assert [
        name for name, version in foreign if not re.fullmatch(r"# v\d+\.\d+\.\d+", version)
    ] == []
    assert len({name.split("@")[0] for name, _ in foreign}) == len(foreign)
    assert all((ROOT / name).exists() for name, _ in used if name.startswith("./"))


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_job_may_do_what_it_needs_and_no_more(name: str) -> None:
    assert parsed(name)["permissions"] == {}
    for job, what in jobs(name).items():
        may = what["permissions"]
        takes_a_role = "role: ${{ vars." in yaml.safe_dump(what) or what.get("uses", "").endswith(
            "/deploy.yml"
        )
        allowed = {"contents": "read"} | ({"id-token": "write"} if takes_a_role else {})
        allowed |= {"issues": "write"} if name == "drift" else {}
        assert may in (allowed, {}), job
        assert "uses" in what or what["timeout-minutes"] <= 90, job


@pytest.mark.parametrize("name", sorted(NAMES - {"ci", "deploy", "drift"}))
def test_no_deployment_is_cut_off_or_runs_beside_another(name: str) -> None:
    concurrency = parsed(name)["concurrency"]
    assert concurrency["cancel-in-progress"] is False
    assert name in concurrency["group"]
    if name == "rollback":
        assert concurrency["group"].endswith(ENVIRONMENT)


def test_what_starts_a_deployment() -> None:
    assert triggers("deploy-dev") == {"push": {"branches": ["main"]}}
    assert (
        set(triggers("deploy-sit"))
        == set(triggers("deploy-prod"))
        == set(triggers("rollback"))
        == {"workflow_dispatch"}
    )
    assert set(triggers("deploy")) == {"workflow_call"}
    assert set(triggers("drift")) == {"schedule", "workflow_dispatch"}
    for env in ("dev", "sit", "prod"):
        assert jobs(f"deploy-{env}")["deploy"]["with"] == {"environment": env}
    assert jobs("deploy-prod")["deploy"]["needs"] == "confirm"


def test_what_is_applied_is_the_plan_that_was_approved_and_what_was_tested() -> None:
    plan, apply = jobs("deploy")["plan"], jobs("deploy")["apply"]
    assert (plan["needs"], apply["needs"]) == (["test", "build"], ["build", "plan"])
    assert (plan["environment"], apply["environment"]) == (f"{ENVIRONMENT}-plan", ENVIRONMENT)
    runs = [step.get("name", step.get("uses", "").split("@")[0]) for step in apply["steps"]]
    last = [
        "Put what was built",
        "Apply that very plan",
        "Bring the database",
        "Is everything as",
        "Write a product",
    ]
    assert [run for run in runs if any(map(run.startswith, last))] == [
        next(run for run in runs if run.startswith(start)) for start in last
    ]
    applying = next(
        step["run"] for step in apply["steps"] if step.get("name") == "Apply that very plan"
    )
    assert applying.endswith(" tfplan")
    assert "deploy/plan.sh deploy/terraform " in scripts()["workflows/deploy: Plan"]
    roles = {
        name: re.findall(r"vars\.(\w+)", yaml.safe_dump(job))
        for name, job in jobs("deploy").items()
    }
    assert roles == {
        "test": [],
        "build": [],
        "plan": ["AWS_PLAN_ROLE"],
        "apply": ["AWS_APPLY_ROLE"],
    }
    kept = next(step["with"] for step in plan["steps"] if "upload-artifact" in step.get("uses", ""))
    assert kept["retention-days"] <= 3


def test_nothing_from_outside_gets_into_a_script_but_through_its_environment() -> None:
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
def test_prod_wants_its_text_and_main(typed: str, ref: str, code: int) -> None:
    script = scripts()["workflows/deploy-prod: Compare what was typed"]
    env = {"PATH": os.environ["PATH"], "TYPED": typed, "GITHUB_REF": ref}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        env=env,
        capture_output=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == code
