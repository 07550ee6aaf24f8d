"""What callers write works: a client generated from the contract, and a browser's axios from another origin."""

import os
import shutil
import subprocess
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
PATIENCE = 60
pytestmark = pytest.mark.needs("node")

PORTAL = "https://portal.example.com"


@pytest.fixture(scope="module")
def node() -> str:
    return path_of("node")


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """The programs in a directory of their own, where types are generated and code is built."""
    made = tmp_path / "clients"
    made.mkdir()
    for program in (*PROGRAMS.glob("*.ts"), PROGRAMS / "package.json", PROGRAMS / "tsconfig.json"):
        shutil.copy(program, made)
    (made / "contract.ts").unlink(missing_ok=True)
    (made / "node_modules").symlink_to(PROGRAMS / "node_modules")
    return made


def run(*command: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | variables
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def compiled(node: str, room: Path, contract: dict[str, Any]) -> str:
    """What the compiler has to say of the program against the types of this contract."""
    (room / "contract.yaml").write_text(yaml.safe_dump(contract))
    modules = room / "node_modules"
    generator = str(modules / "openapi-typescript/bin/cli.js")
    generated = run(node, generator, "contract.yaml", "--output", "contract.ts", cwd=room)
    assert generated.returncode == 0, generated.stderr
    return run(node, str(modules / "typescript/bin/tsc"), cwd=room).stdout


def as_published() -> dict[str, Any]:
    return dict(yaml.safe_load(CONTRACT.read_text()))


def test_a_client_generated_from_the_contract_lives_a_products_whole_life(
    node: str, room: Path, deployment: Deployment
) -> None:
    assert compiled(node, room, as_published()) == ""
    deployment.start_worker()
    deployment.start_web()
    deployment.await_worker()
    ended = run(
        node, "built/life.js", cwd=room, API_URL=deployment.url(""), API_TOKEN=deployment.token()
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split()[-1] == "isTakenAway"


def without_a_field(contract: dict[str, Any]) -> None:
    del contract["components"]["schemas"]["Product"]["properties"]["price"]


def without_an_answer(contract: dict[str, Any]) -> None:
    del contract["paths"]["/v1.0/products"]["get"]["responses"]["304"]


def without_a_header(contract: dict[str, Any]) -> None:
    del contract["paths"]["/v1.0/products"]["post"]["responses"]["202"]["headers"]["Location"]


def with_a_bare_success(contract: dict[str, Any]) -> None:
    del contract["paths"]["/v1.0/products/{product_id}/changes"]["get"]["responses"]["200"][
        "content"
    ]


@pytest.mark.parametrize(
    "spoil",
    [without_a_field, without_an_answer, without_a_header, with_a_bare_success],
    ids=lambda spoil: spoil.__name__,
)
def test_against_a_wrong_contract_the_program_does_not_compile(
    node: str, room: Path, spoil: Any
) -> None:
    contract = as_published()
    spoil(contract)
    assert "error TS" in compiled(node, room, contract)


def test_preflights_let_the_portal_in_and_nobody_else(node: str, deployment: Deployment) -> None:
    deployment.start_web(CORS_ALLOWED_ORIGINS=PORTAL)
    ended = run(node, "preflights.mjs", cwd=PROGRAMS, API_URL=deployment.url(""), PORTAL=PORTAL)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split()[-1] == "othersPlacesAreNobodys"


def test_a_page_of_the_portal_reads_all_it_needs_and_tries_again_when_told(
    node: str, deployment: Deployment, aws: Proxy, tmp_path: Path
) -> None:
    away = tmp_path / "dynamodb-is-away"  # the program makes it and takes it away
    aws.fault = lambda request: RESET if away.exists() else PASS
    deployment.start_worker()
    limits = {"THROTTLE_PUBLIC": "3", "THROTTLE_STAFF": "50"}
    deployment.start_web(CORS_ALLOWED_ORIGINS=PORTAL, AWS_ENDPOINT_URL_DYNAMODB=aws.url, **limits)
    there = {
        "API_URL": deployment.url(""),
        "API_TOKEN": deployment.token(),
        "PORTAL": PORTAL,
        "AWAY": str(away),
    }
    deployment.await_worker()
    ended = run(node, "portal.mjs", cwd=PROGRAMS, **there)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split()[-1] == "isRefusedElsewhere"
