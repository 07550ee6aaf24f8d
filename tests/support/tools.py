"""Find the external tools that some tests need.

A test declares them with ``@pytest.mark.needs("jq", "aws")``. ``tests/conftest.py`` skips it
before any fixture runs, so a skipped test has started nothing.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.local.engines import ROOT
from deploy.local.java_engines import missing_dynamodb_local, missing_java_engines

STAND_IN = Path(
    os.environ.get("TERRAFORM_OFFLINE", ROOT.parent / "shared/terraform-offline/terraform-offline")
)
"""The Terraform wrapper whose AWS provider works offline."""

MIN_NODE = 18
NODE_MODULES = ROOT / "tests/clients/node_modules/ready"
FOLDERS = (ROOT / ".venv-lint/bin", ROOT / ".venv-infra/bin")
"""Where ``make lint-deploy`` and ``make infra`` install command-line tools."""

INSTALLED = {"aws", "checkov"}
"""Tools that are only taken from these folders: another version may behave differently."""

REASONS = {
    "aws": "The AWS command line is missing; `make lint-deploy` installs it.",
    "checkov": "checkov is missing; `make infra` installs it.",
    "dynamodb-local": "DynamoDB Local is missing; `make .dynamodb-local/ready` installs it.",
    "chromium": "Chromium is missing (Debian: apt-get install chromium).",
    "git": "git is missing (Debian: apt-get install git).",
    "jq": "jq is missing (Debian: apt-get install jq).",
    "node": f"Node {MIN_NODE} or newer, or tests/clients/node_modules, is missing.",
    "postgres": "PostgreSQL is missing (Debian: apt-get install postgresql).",
    "opensearch": "OpenSearch is not installed; `make .java-engines/ready` installs it.",
    "shellcheck": "shellcheck is missing; `make lint-deploy` installs it.",
    "terraform": "Terraform is missing.",
    "terraform-offline": "The offline Terraform provider is missing (TERRAFORM_OFFLINE names one).",
}


def find(tool: str) -> str | None:
    """Return the path of a tool, or None when it is missing or too old."""
    if tool == "terraform-offline":
        return str(STAND_IN) if STAND_IN.exists() else None
    if tool == "postgres":
        return next(map(str, Path("/usr/lib/postgresql").glob("*/bin")), shutil.which("pg_isready"))
    if tool == "opensearch":
        return None if missing_java_engines() else "java"
    if tool == "dynamodb-local":
        return None if missing_dynamodb_local() else "java"
    names = ("chromium", "chromium-browser", "google-chrome") if tool == "chromium" else (tool,)
    path = os.pathsep.join(map(str, FOLDERS))
    if tool not in INSTALLED:
        path += os.pathsep + os.environ["PATH"]
    found = next(filter(None, (shutil.which(name, path=path) for name in names)), None)
    if tool == "node" and found and not _node_is_ready(found):
        return None
    return found


def path_of(tool: str) -> str:
    """Return the path of a tool that the test's ``needs`` marker has checked."""
    found = find(tool)
    assert found, REASONS[tool]
    return found


def reason_to_skip(tools: tuple[str, ...]) -> str | None:
    """Return why a test can't run on this machine, or None when every tool is there."""
    return next((REASONS[tool] for tool in tools if find(tool) is None), None)


def skip(reason: str) -> None:
    """Skip the test, or fail it where CI_REFUSES_SKIPS says that everything must be there."""
    if os.environ.get("CI_REFUSES_SKIPS"):
        pytest.fail(reason)
    pytest.skip(reason)


def _node_is_ready(node: str) -> bool:
    version = subprocess.run(
        [node, "--print", "process.versions.node"],
        capture_output=True,
        text=True,
        timeout=280,
        check=True,
    ).stdout
    return int(version.partition(".")[0]) >= MIN_NODE and NODE_MODULES.exists()
