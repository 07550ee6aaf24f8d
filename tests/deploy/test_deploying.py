"""The smoke test of a deployment, and how functions are made live, rolled back and pruned."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from deploy.functions import full_name
from deploy.local.engines import Engines
from deploy.promote import NewVersionFailed, promote
from deploy.prune_versions import prune
from deploy.rollback import restore, rollback
from deploy.smoke import SmokeTestFailed, days_left, smoke
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


def package(number: int, result: str = "None") -> bytes:
    """Return a different zip for each number, because the same code creates no new version."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        code = f"# {number}\ndef handler(event, context):\n    return {result}\n"
        archive.writestr("handler.py", code)
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
    own = [full_name(name, "back") for name in ("list", "creator")]
    other = full_name("list", "dev")
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


# Promotion and old versions

ANSWERS = {"list": '{"statusCode": 200}', "creator": '{"batchItemFailures": []}'}


def publish(client: Any, name: str, number: int, result: str) -> None:
    client.update_function_code(FunctionName=name, ZipFile=package(number, result), Publish=True)


def test_new_versions_are_live_only_after_all_of_them_answer(client: Any) -> None:
    names = {short: full_name(short, "green") for short in ANSWERS}
    for name in names.values():
        create_function(client, name, 1)
    for short, name in names.items():
        publish(client, name, 2, ANSWERS[short] if short == "list" else "1 / 0")
    with pytest.raises(NewVersionFailed, match="bbws-product-creator-green, version 2"):
        promote(client, "green")
    assert {live_version(client, name) for name in names.values()} == {"1"}
    publish(client, names["creator"], 3, ANSWERS["creator"])
    before = promote(client, "green")
    assert before == {"list": "1", "creator": "1"}
    assert {short: live_version(client, name) for short, name in names.items()} == {
        "list": "2",
        "creator": "3",
    }
    assert promote(client, "green") == {"list": "2", "creator": "3"}  # nothing is new
    assert restore(client, "green", before) == before
    assert {live_version(client, name) for name in names.values()} == {"1"}


def test_consumer_that_fails_messages_is_not_made_live(client: Any) -> None:
    name = full_name("search-indexer", "wrong")
    create_function(client, name, 1)
    publish(client, name, 2, '{"statusCode": 200}')
    with pytest.raises(NewVersionFailed, match="version 2"):
        promote(client, "wrong")


def test_old_versions_are_deleted_but_not_the_live_one(client: Any) -> None:
    name = full_name("get", "old")
    create_function(client, name, 5)
    client.update_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert prune(client, "old", kept=2) == 2
    versions = client.list_versions_by_function(FunctionName=name)["Versions"]
    assert {entry["Version"] for entry in versions} == {"$LATEST", "1", "4", "5"}
    assert prune(client, "old", kept=2) == 0


@pytest.mark.parametrize(
    ("token", "days"),
    [("none", None), ("", None), ("a.b.c", None), ("a.eyJleHAiOiA4NjQwMDB9.c", 9)],
)
def test_smoke_test_knows_when_its_token_expires(token: str, days: float | None) -> None:
    assert days_left(token, now=86_400) == days
