"""The scripts at the end of a deployment, run with the AWS command line on the embedded engine."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy.local.engines import ROOT, Engines
from tests import plugin
from tests.support.aws_environment import (
    KEY,
    Environment,
    make_functions,
    serve_application,
)
from tests.support.deploy_scripts import FAKE_TERRAFORM, script, write_program
from tests.support.processes import Deployment

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.django_db,
    pytest.mark.needs("aws", "jq"),
]

ACCOUNT = "111111111111"  # ministack treats an access key of twelve digits as the account
REGION = "eu-west-1"
# Publishing a build


@pytest.fixture
def build(tmp_path: Path) -> tuple[Path, str]:
    """Return the folder of a build, and its zip's digest."""
    folder = tmp_path / "build"
    folder.mkdir()
    (folder / "package.zip").write_bytes(b"a zip")
    (folder / "image.tar").write_bytes(b"an image")
    return folder, hashlib.sha256(b"a zip").hexdigest()


def publish(
    home: Path, *arguments: str, environment: str = "dev", **variables: str
) -> subprocess.CompletedProcess[str]:
    settings = {
        "ACCOUNT": ACCOUNT,
        "REGION": REGION,
        "ENVIRONMENT": environment,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
    }
    return script("publish.sh", *arguments, home=home, variables=settings | variables)


@pytest.fixture
def artefacts(engines: Engines) -> Iterator[Any]:
    """Yield the bucket of deploy/bootstrap, empty."""
    session: Any = boto3.session.Session(ACCOUNT, "local")
    name = f"bbws-products-artefacts-{ACCOUNT}-{REGION}"
    bucket = session.resource("s3").Bucket(name)
    bucket.create(CreateBucketConfiguration={"LocationConstraint": REGION})
    yield bucket
    bucket.objects.delete()
    bucket.delete()


def test_zip_is_uploaded_once_under_its_digest(
    artefacts: Any, build: tuple[Path, str], tmp_path: Path
) -> None:
    folder, digest = build
    done = publish(tmp_path, str(folder), digest, "sha256:0")
    key = f"products-lambda/{digest}.zip"
    assert (done.returncode, done.stdout) == (0, f"s3://{artefacts.name}/{key}\n"), done.stderr
    before = [(entry.key, entry.last_modified) for entry in artefacts.objects.all()]
    [uploaded] = artefacts.objects.all()
    assert (uploaded.key, uploaded.get()["Body"].read()) == (key, b"a zip")
    again = publish(tmp_path, str(folder), digest, "sha256:0")
    assert (again.returncode, again.stdout) == (0, "")
    assert [(entry.key, entry.last_modified) for entry in artefacts.objects.all()] == before


def test_zip_with_another_digest_is_not_uploaded(
    artefacts: Any, build: tuple[Path, str], tmp_path: Path
) -> None:
    done = publish(tmp_path, str(build[0]), "0" * 64, "sha256:0")
    assert done.returncode != 0
    assert "package.zip: FAILED" in done.stdout
    assert list(artefacts.objects.all()) == []


def test_failed_upload_ends_the_deployment(
    engines: Engines, build: tuple[Path, str], tmp_path: Path
) -> None:
    done = publish(tmp_path, str(build[0]), build[1], "sha256:0")
    assert done.returncode != 0
    assert "NoSuchBucket" in done.stderr


FAKE_SKOPEO = """#!/bin/sh
echo "$@" >>"$ANSWERS/skopeo.txt"
case "$1" in
login) cat >"$ANSWERS/password" ;;
inspect) [ -e "$ANSWERS/pushed" ] ;;
copy) touch "$ANSWERS/pushed" ;;
esac
"""


def test_image_is_pushed_once_where_there_are_containers(
    artefacts: Any, build: tuple[Path, str], tmp_path: Path, whole_aws: Engines
) -> None:
    """Only the registry is not real, because its name is fixed by AWS."""
    write_program(tmp_path, "skopeo", FAKE_SKOPEO)
    folder, digest = build
    registry, image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com", f"sha256:{'1' * 64}"
    for _ in range(2):
        done = publish(
            tmp_path,
            str(folder),
            digest,
            image,
            environment="prod",
            AWS_ENDPOINT_URL_ECR=whole_aws.aws_url,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == f"{registry}/bbws-products@{image}"
    assert (tmp_path / "password").read_text()
    name = f"docker://{registry}/bbws-products"
    login = f"login --username AWS --password-stdin {registry}"
    inspect = f"inspect --raw {name}@{image}"
    copy = f"copy --preserve-digests oci-archive:{folder}/image.tar {name}:{'1' * 64}"
    calls = (tmp_path / "skopeo.txt").read_text().splitlines()
    assert calls == [login, inspect, copy, login, inspect]


# Validating the deployment


def validate(
    environment: Environment, address: str, home: Path
) -> subprocess.CompletedProcess[str]:
    """Run the script with this environment's settings as Terraform's output."""
    settings = {
        "ENVIRONMENT": environment.name,
        "SQS_QUEUE_URL_PREFIX": environment.url_prefix,
        "OPENSEARCH_URL": plugin.ENGINES.search_url,
        "AUDIT_BUCKET": environment.audit,
        "MEDIA_BUCKET": f"bbws-product-media-{environment.name}",
        "MEDIA_URL": "https://media.example/",
        "CORS_ALLOWED_ORIGINS": "",
        "CLOUDFRONT_DISTRIBUTION_ID": environment.distribution,
        "SECRETS_SSM_PREFIX": f"/bbws-products/{environment.name}/",
    }
    write_program(home, "terraform", FAKE_TERRAFORM)
    (home / "settings.json").write_text(json.dumps(settings))
    (home / "api_url.txt").write_text(f"{address}/v1.0")
    variables = {"VENV": str(Path(sys.executable).parents[1])}
    return script("validate.sh", "deploy/terraform", home=home, variables=variables)


def test_validation_fails_when_a_resource_differs(environment: Environment, tmp_path: Path) -> None:
    for name in ("SECRET_KEY", "TOKEN_KEYS"):
        value = f"{KEY}{name}".replace(",", "")
        path = f"/bbws-products/{environment.name}/{name}"
        boto3.client("ssm").put_parameter(Name=path, Value=value, Type="SecureString")
    with serve_application() as address:
        done = validate(environment, address, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        areas = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("ok ")}
        assert areas >= {
            "settings",
            "sql",
            "table",
            "queues",
            "buckets",
            "search",
            "endpoints",
        }
        boto3.client("dynamodb").update_continuous_backups(
            TableName=environment.table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False},
        )
        done = validate(environment, address, tmp_path)
    assert done.returncode == 1
    [differs] = [line for line in done.stdout.splitlines() if line.startswith("differs")]
    assert "point-in-time recovery" in differs
    assert "1 of " in done.stderr


# The smoke test and the rollback


def run_python(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def test_smoke_test_reports_failures_to_github(deployment: Deployment) -> None:
    deployment.start_worker()
    deployment.start_web()
    done = run_python("deploy/smoke.py", deployment.url("/v1.0/"), SMOKE_TOKEN=deployment.token())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "audited: 20" in done.stdout
    done = run_python("deploy/smoke.py", deployment.url("/v1.0"), SMOKE_TOKEN="none")
    assert done.returncode == 1
    assert done.stderr.startswith("::error::the product is created: 401 instead of 201 or 202")


def test_rollback_prints_the_live_versions_or_an_error(
    environment: Environment, tmp_path: Path
) -> None:
    make_functions(environment)
    done = run_python("-m", "deploy.rollback", environment.name)
    assert done.returncode == 1
    assert done.stderr.startswith("Nothing was changed. There is no earlier version: bbws-")
    client: Any = boto3.client("lambda")
    names = [entry["FunctionName"] for entry in client.list_functions()["Functions"]]
    own = [name for name in names if name.endswith(f"-{environment.name}")]
    for name in own:
        client.update_function_configuration(FunctionName=name, MemorySize=512)
        client.publish_version(FunctionName=name)
        client.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    done = run_python("-m", "deploy.rollback", environment.name)
    assert (done.returncode, set(json.loads(done.stdout).values())) == (0, {"1"})
    for name in own:
        assert client.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "1"
    saved = tmp_path / "before.json"
    saved.write_text('{"list": "2", "creator": "2"}')
    done = run_python("-m", "deploy.rollback", environment.name, str(saved))
    assert done.returncode == 0, done.stderr
    live = {
        name: client.get_alias(FunctionName=name, Name="live")["FunctionVersion"] for name in own
    }
    assert [name for name, version in live.items() if version == "2"] == [
        name for name in own if "list-products" in name or "product-creator" in name
    ]
