"""The smoke test at the end of a deployment, and the rollback of functions."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from deploy.local.engines import Engines
from deploy.rollback import rollback
from deploy.smoke import SmokeTestFailed, smoke
from tests.support.processes import Deployment


@pytest.mark.timeout(180)
def test_smoke_test_follows_a_write_and_deletes_its_product(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.start_worker()
    deployment.start_web()
    smoke(deployment.url("/v1.0"), deployment.token(), "smoke-1")
    output = capsys.readouterr().out
    for effect in ("stored", "purged", "searchable", "audited"):
        assert f"{effect}: 20" in output  # the year of its stamp
    assert deployment.call("GET", "/v1.0/products")[1]["count"] == 0
    deployment.assert_one_of_each("smoke-1")


@pytest.mark.timeout(180)
def test_smoke_test_fails_without_token_effects_or_response(deployment: Deployment) -> None:
    deployment.start_web()  # without a worker
    with pytest.raises(SmokeTestFailed, match="the product is created: 401 instead of 201 or 202"):
        smoke(deployment.url("/v1.0"), "no-token", "smoke-0")
    with pytest.raises(SmokeTestFailed, match=r"not complete after 0 s: .*stored"):
        smoke(deployment.url("/v1.0"), deployment.token(), "smoke-2", timeout_seconds=0)
    deployment.stop()
    with pytest.raises(SmokeTestFailed, match="got no response"):
        smoke(deployment.url("/v1.0"), deployment.token(), "smoke-3")


# Rollback


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Yield a client of an engine with Lambda, which the shared engine does not run."""
    engine = Engines(tmp_path_factory.mktemp("lambda"), services="lambda,iam,sts")
    engine.start_aws()
    yield boto3.client("lambda", endpoint_url=engine.aws_url)
    engine.stop()


def package(number: int) -> bytes:
    """Return a different zip for each number, because the same code creates no new version."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", f"def handler(event, context):\n    return {number}\n")
    return content.getvalue()


def create_function(client: Any, name: str, versions: int) -> None:
    role = "arn:aws:iam::000000000000:role/r"
    client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="handler.handler",
        Role=role,
        Code={"ZipFile": package(1)},
    )
    client.publish_version(FunctionName=name)
    for number in range(2, versions + 1):
        client.update_function_code(FunctionName=name, ZipFile=package(number), Publish=True)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion=str(versions))


def live_version(client: Any, name: str) -> str:
    return str(client.get_alias(FunctionName=name, Name="live")["FunctionVersion"])


def test_rollback_moves_each_function_of_one_environment(client: Any) -> None:
    own = [f"bbws-product-{name}-back" for name in ("list", "creator")]
    other = "bbws-product-list-dev"
    create_function(client, own[0], 3)
    create_function(client, own[1], 2)
    create_function(client, other, 2)
    assert rollback(client, "back") == {"list": "2", "creator": "1"}
    assert [live_version(client, name) for name in (*own, other)] == ["2", "1", "2"]
    # The second function has no earlier version, so neither is changed.
    with pytest.raises(LookupError, match="no earlier version: bbws-product-creator-back"):
        rollback(client, "back")
    assert [live_version(client, name) for name in own] == ["2", "1"]


def test_rollback_without_functions_fails(client: Any) -> None:
    with pytest.raises(LookupError, match="no function of sit"):
        rollback(client, "sit")
