"""What a deployment ends with - a product written through - and how it is taken back."""

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
def test_smoke_writes_a_product_through_and_leaves_nothing_to_be_seen(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.start_worker()
    deployment.start_web()
    smoke(deployment.url("/v1.0"), deployment.token(), "smoke-1")
    said = capsys.readouterr().out
    assert all(f"{effect}: 20" in said for effect in ("stored", "purged", "searchable", "audited"))
    assert deployment.call("GET", "/v1.0/products")[1]["count"] == 0
    deployment.assert_one_of_each("smoke-1")


@pytest.mark.timeout(180)
def test_smoke_fails_when_an_effect_does_not_come_about_or_the_token_is_none(
    deployment: Deployment,
) -> None:
    deployment.start_web()
    with pytest.raises(SmokeTestFailed, match="the product is created: 401 instead of 201 or 202"):
        smoke(deployment.url("/v1.0"), "no-token", "smoke-0")
    with pytest.raises(
        SmokeTestFailed, match=r"not complete after 0 s: .*stored"
    ):  # there is no worker
        smoke(deployment.url("/v1.0"), deployment.token(), "smoke-2", timeout_seconds=0)
    deployment.stop()
    with pytest.raises(SmokeTestFailed, match="was not answered"):
        smoke(deployment.url("/v1.0"), deployment.token(), "smoke-3")


# Going back


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Lambda, which the other tests' engine has switched off."""
    own = Engines(tmp_path_factory.mktemp("lambda"), services="lambda,iam,sts")
    own.start_aws()
    yield boto3.client("lambda", endpoint_url=own.aws_url)
    own.stop()


def code(number: int) -> bytes:
    """A zip that differs from the others, since the same code makes no new version."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", f"def handler(event, context):\n    return {number}\n")
    return packed.getvalue()


def function(client: Any, name: str, versions: int) -> None:
    role = "arn:aws:iam::000000000000:role/r"
    client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="handler.handler",
        Role=role,
        Code={"ZipFile": code(1)},
    )
    client.publish_version(FunctionName=name)
    for number in range(2, versions + 1):
        client.update_function_code(FunctionName=name, ZipFile=code(number), Publish=True)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion=str(versions))


def live(client: Any, name: str) -> str:
    return str(client.get_alias(FunctionName=name, Name="live")["FunctionVersion"])


def test_each_function_goes_back_one_version_and_others_stay(client: Any) -> None:
    ours, other = (
        [f"bbws-product-{name}-back" for name in ("list", "creator")],
        "bbws-product-list-dev",
    )
    function(client, ours[0], 3)
    function(client, ours[1], 2)
    function(client, other, 2)
    assert rollback(client, "back") == {"list": "2", "creator": "1"}
    assert [live(client, name) for name in (*ours, other)] == ["2", "1", "2"]
    # A version further is not there for one of them, so both stay where they are.
    with pytest.raises(LookupError, match="before the first one: bbws-product-creator-back"):
        rollback(client, "back")
    assert [live(client, name) for name in ours] == ["2", "1"]


def test_an_environment_without_functions_has_nothing_to_go_back_to(client: Any) -> None:
    with pytest.raises(LookupError, match="no function of sit"):
        rollback(client, "sit")
