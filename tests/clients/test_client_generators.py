"""Clients of common generators: each is generated, compiled, and lives a product's whole life.

The generators run with their default options, as other teams run them. `make test-slow` installs
them. The programs are in ``tests/clients/generated``, by language.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.engines import ROOT, Engines
from tests.support.processes import Deployment
from tests.support.tools import CLIENT_GENERATORS, path_of

PROGRAMS = ROOT / "tests/clients/generated"
CONTRACT = ROOT / "products/api/openapi.yaml"
VENV = ROOT / ".venv-clients"
NODE_MODULES = CLIENT_GENERATORS / "node_modules"
TIMEOUT_SECONDS = 280  # the first compilation of the Go libraries takes a minute
pytestmark = pytest.mark.needs("node", "javac", "client-generators")


@pytest.fixture(scope="module")
def server(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Start the API once for all clients. Each writes a product of its own."""
    deployment = Deployment(engines, tmp_path_factory.mktemp("api"))
    deployment.create_owner()
    deployment.start_worker()
    deployment.start_web()
    deployment.await_worker()
    yield deployment
    deployment.stop()


type Command = list[str | Path]


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """Run a command that must succeed, and return what it printed."""
    finished = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    printed = finished.stdout + finished.stderr
    assert finished.returncode == 0, printed
    return printed


def live(server: Deployment, *command: str | Path, cwd: Path, **variables: str) -> None:
    """Run a program against the API. It prints one word after its last step."""
    caller = {"API_URL": server.url(""), "API_TOKEN": server.token()}
    assert run(*command, cwd=cwd, **caller, **variables).split()[-1] == "complete"


def node() -> Path:
    """Return the Node among the generators, which is new enough for Orval 8."""
    return next(NODE_MODULES.glob("node-*/bin/node"), Path(path_of("node")))


def openapi_generator(language: str, output: Path, *options: str) -> None:
    jar = next(VENV.glob("lib/*/site-packages/openapi_generator_cli/*.jar"))
    command: Command = [
        "java",
        "-jar",
        jar,
        "generate",
        "-i",
        CONTRACT,
        "-g",
        language,
        "-o",
        output,
    ]
    run(*command, *options, cwd=output.parent)


def node_workspace(directory: Path, program: str) -> Path:
    """Return a new directory with the program, in which a client is generated."""
    directory.mkdir(exist_ok=True)
    for file in ("package.json", "tsconfig.json", program):
        shutil.copy(PROGRAMS / file, directory)
    (directory / "node_modules").symlink_to(NODE_MODULES)
    return directory


def compile_typescript(workspace: Path) -> None:
    run(node(), NODE_MODULES / "typescript/bin/tsc", cwd=workspace)


def test_a_python_client_of_openapi_generator(server: Deployment, tmp_path: Path) -> None:
    openapi_generator("python", tmp_path / "client")
    program = PROGRAMS / "python/openapi_generator_life.py"
    live(server, VENV / "bin/python", program, cwd=tmp_path, PYTHONPATH=str(tmp_path / "client"))


def test_a_java_client_of_openapi_generator(server: Deployment, tmp_path: Path) -> None:
    openapi_generator("java", tmp_path / "client", "--library", "native")
    libraries = CLIENT_GENERATORS / "java/*"
    sources: Command = [
        *(tmp_path / "client/src/main").rglob("*.java"),
        PROGRAMS / "java/Life.java",
    ]
    run("javac", "-nowarn", "-d", "built", "-cp", libraries, *sources, cwd=tmp_path)
    live(server, "java", "-cp", f"built{os.pathsep}{libraries}", "Life", cwd=tmp_path)


def test_a_typescript_client_of_openapi_generator(server: Deployment, tmp_path: Path) -> None:
    workspace = node_workspace(tmp_path, "typescript/fetch_life.ts")
    # Node resolves imports only with the ending, which bundlers do not need.
    ending = "--additional-properties=importFileExtension=.js"
    openapi_generator("typescript-fetch", workspace / "client", ending)
    compile_typescript(workspace)
    live(server, node(), "built/fetch_life.js", cwd=workspace)


@pytest.mark.parametrize("program", ["orval-7/dist/bin/orval.js", "orval-8/dist/bin/orval.mjs"])
def test_a_client_of_orval(server: Deployment, tmp_path: Path, program: str) -> None:
    workspace = node_workspace(tmp_path, "typescript/orval_life.ts")
    options: Command = ["--input", CONTRACT, "--output", "client.ts", "--client", "fetch"]
    run(node(), NODE_MODULES / program, *options, cwd=workspace)
    compile_typescript(workspace)
    product_id = program.partition("/")[0]
    live(server, node(), "built/orval_life.js", cwd=workspace, PRODUCT_ID=product_id)


def test_a_client_of_openapi_python_client(server: Deployment, tmp_path: Path) -> None:
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
    where: Command = ["--path", CONTRACT, "--output-path", tmp_path / "client"]
    command: Command = [VENV / "bin/openapi-python-client", "generate", *where, "--fail-on-warning"]
    run(*command, cwd=tmp_path, PATH=path)
    program = shutil.copy(PROGRAMS / "python/openapi_python_client_life.py", tmp_path / "client")
    libraries: Command = ["--python-executable", VENV / "bin/python"]
    run(Path(sys.executable).with_name("mypy"), *libraries, ".", cwd=tmp_path / "client")
    live(server, VENV / "bin/python", program, cwd=tmp_path / "client")


def test_a_converted_postman_collection(server: Deployment, tmp_path: Path) -> None:
    workspace = node_workspace(tmp_path, "postman/life.mjs")
    converter = NODE_MODULES / "openapi-to-postmanv2/bin/openapi2postmanv2.js"
    run(node(), converter, "-s", CONTRACT, "-o", "collection.json", cwd=workspace)
    live(server, node(), "life.mjs", "collection.json", cwd=workspace)


def go_workspace(directory: Path) -> Path:
    return Path(shutil.copytree(PROGRAMS / "go", directory / "go"))


def live_in_go(server: Deployment, workspace: Path, client: str) -> None:
    offline = {"GOTOOLCHAIN": "local", "GOPROXY": "off"}
    run(VENV / "bin/go", "build", "-o", "life", f"./lives/{client}", cwd=workspace, **offline)
    live(server, workspace / "life", cwd=workspace)


def test_a_go_client_of_openapi_generator(server: Deployment, tmp_path: Path) -> None:
    workspace = go_workspace(tmp_path)
    client = workspace / "openapi"
    openapi_generator("go", client, "--additional-properties=packageName=openapi")
    for part in ("go.mod", "go.sum"):  # the client is a package of the program's module
        (client / part).unlink()
    live_in_go(server, workspace, "openapi")


def test_a_go_client_of_oapi_codegen(server: Deployment, tmp_path: Path) -> None:
    workspace = go_workspace(tmp_path)
    (workspace / "oapi").mkdir()
    options: Command = ["-package", "oapi", "-generate", "types,client", "-o", "oapi/client.go"]
    run(CLIENT_GENERATORS / "go/oapi-codegen", *options, CONTRACT, cwd=workspace)
    live_in_go(server, workspace, "oapi")


def test_a_go_client_of_ogen(server: Deployment, tmp_path: Path) -> None:
    workspace = go_workspace(tmp_path)
    options: Command = ["--target", "ogen", "--package", "ogen", CONTRACT]
    printed = run(CLIENT_GENERATORS / "go/ogen", *options, cwd=workspace)
    assert "skip" not in printed.lower()
    live_in_go(server, workspace, "ogen")
