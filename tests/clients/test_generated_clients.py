"""Programs of API users: a client generated from the contract, and axios in a browser."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.engines import ROOT
from tests.gameday.fault_proxy import PASS, RESET, Proxy
from tests.support.processes import Deployment
from tests.support.tools import path_of

PROGRAMS = ROOT / "tests/clients"
CONTRACT = ROOT / "products/api/openapi.yaml"
TIMEOUT_SECONDS = 60
pytestmark = pytest.mark.needs("node")

PORTAL = "https://portal.example.com"


@pytest.fixture(scope="module")
def node() -> str:
    return path_of("node")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Copy the programs into a new directory, in which types are generated and code is built."""
    directory = tmp_path / "clients"
    directory.mkdir()
    for program in (*PROGRAMS.glob("*.ts"), PROGRAMS / "package.json", PROGRAMS / "tsconfig.json"):
        shutil.copy(program, directory)
    (directory / "contract.ts").unlink(missing_ok=True)
    (directory / "node_modules").symlink_to(PROGRAMS / "node_modules")
    return directory


def run(*command: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | variables
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def compile_client(node: str, workspace: Path, contract: dict[str, Any]) -> str:
    """Generate the types of this contract and compile the program. Return the compiler's output."""
    (workspace / "contract.yaml").write_text(yaml.safe_dump(contract))
    modules = workspace / "node_modules"
    generator = str(modules / "openapi-typescript/bin/cli.js")
    generated = run(node, generator, "contract.yaml", "--output", "contract.ts", cwd=workspace)
    assert generated.returncode == 0, generated.stderr
    return run(node, str(modules / "typescript/bin/tsc"), cwd=workspace).stdout


def published_contract() -> dict[str, Any]:
    return dict(yaml.safe_load(CONTRACT.read_text()))


def test_a_generated_client_covers_a_products_whole_life(
    node: str, workspace: Path, deployment: Deployment
) -> None:
    assert compile_client(node, workspace, published_contract()) == ""
    deployment.create_owner()
    deployment.start_worker()
    deployment.start_web()
    deployment.await_worker()
    finished = run(
        node,
        "built/life.js",
        cwd=workspace,
        API_URL=deployment.url(""),
        API_TOKEN=deployment.token(),
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split()[-1] == "deactivate"


def without_a_field(contract: dict[str, Any]) -> None:
    del contract["components"]["schemas"]["Product"]["properties"]["price"]


def without_a_response(contract: dict[str, Any]) -> None:
    del contract["paths"]["/v1.0/products"]["get"]["responses"]["304"]


def without_a_header(contract: dict[str, Any]) -> None:
    del contract["paths"]["/v1.0/products"]["post"]["responses"]["202"]["headers"]["Location"]


def with_a_bare_success(contract: dict[str, Any]) -> None:
    del contract["paths"]["/v1.0/products/{product_id}/changes"]["get"]["responses"]["200"][
        "content"
    ]


@pytest.mark.parametrize(
    "damage",
    [without_a_field, without_a_response, without_a_header, with_a_bare_success],
    ids=lambda damage: damage.__name__,
)
def test_a_client_does_not_compile_against_a_wrong_contract(
    node: str, workspace: Path, damage: Callable[[dict[str, Any]], None]
) -> None:
    contract = published_contract()
    damage(contract)
    assert "error TS" in compile_client(node, workspace, contract)


def test_preflights_allow_only_the_portal(node: str, deployment: Deployment) -> None:
    deployment.start_web(CORS_ALLOWED_ORIGINS=PORTAL)
    finished = run(node, "preflights.mjs", cwd=PROGRAMS, API_URL=deployment.url(""), PORTAL=PORTAL)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split()[-1] == "refusesPathsOutsideTheApi"


def test_a_portal_page_reads_the_api_and_honours_retry_after(
    node: str, deployment: Deployment, aws: Proxy, tmp_path: Path
) -> None:
    outage = tmp_path / "dynamodb-outage"  # the program creates and removes it
    aws.fault = lambda request: RESET if outage.exists() else PASS
    deployment.start_worker()
    limits = {"THROTTLE_PUBLIC": "3", "THROTTLE_STAFF": "50"}
    deployment.start_web(CORS_ALLOWED_ORIGINS=PORTAL, AWS_ENDPOINT_URL_DYNAMODB=aws.url, **limits)
    variables = {
        "API_URL": deployment.url(""),
        "API_TOKEN": deployment.token(),
        "PORTAL": PORTAL,
        "OUTAGE": str(outage),
    }
    deployment.await_worker()
    finished = run(node, "portal.mjs", cwd=PROGRAMS, **variables)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split()[-1] == "refuseOtherOrigins"
