"""The scripts with which a deployment ends, run as GitHub runs them: AWS's own command line, on the embedded engine."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy.local.engines import ROOT, Engines
from tests import plugin
from tests.support.aws_environment import (
    KEY,
    Environment,
    make_alarms,
    make_functions,
    serve_application,
)
from tests.support.processes import Deployment, until
from tests.support.tools import path_of
from tests.support.world import engine_client

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.django_db,
    pytest.mark.needs("aws", "jq"),
]

ACCOUNT, REGION = (
    "111111111111",
    "eu-west-1",
)  # ministack takes a key of twelve digits as its own account
KEYS = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "local"}
TERRAFORM_SAYS = """#!/bin/sh
shift # -chdir=…
[ "$2" = -raw ] && cat "$SAID/$3.txt" || cat "$SAID/$3.json"
"""


def script(
    name: str, *arguments: str, home: Path, cwd: Path = ROOT, **more: str
) -> subprocess.CompletedProcess[str]:
    """One of ``deploy/*.sh`` with these variables, and of ours only AWS's."""
    given = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    path = f"{home}:{Path(path_of('aws')).parent}:{os.environ['PATH']}"
    env = given | {"PATH": path, "HOME": str(home), "SAID": str(home), "AWS_PAGER": ""} | more
    command = [str(ROOT / "deploy" / name), *arguments]
    return subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=280, check=False
    )


def program(home: Path, name: str, text: str) -> None:
    path = home / name
    path.write_text(text)
    path.chmod(0o755)


# What was built


@pytest.fixture
def built(tmp_path: Path) -> tuple[Path, str]:
    """The folder that a build leaves, and its zip's digest."""
    folder = tmp_path / "build"
    folder.mkdir()
    (folder / "package.zip").write_bytes(b"a zip")
    (folder / "image.tar").write_bytes(b"an image")
    return folder, hashlib.sha256(b"a zip").hexdigest()


def publish(
    home: Path, *arguments: str, environment: str = "dev"
) -> subprocess.CompletedProcess[str]:
    where = {
        "ACCOUNT": ACCOUNT,
        "REGION": REGION,
        "ENVIRONMENT": environment,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
    }
    return script("publish.sh", *arguments, home=home, **where)


@pytest.fixture
def artefacts(engines: Engines) -> Any:
    """The bucket that deploy/bootstrap makes, empty."""
    client = boto3.client("s3", **KEYS)
    name = f"bbws-products-artefacts-{ACCOUNT}-{REGION}"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    bucket = boto3.resource("s3", **KEYS).Bucket(name)
    yield bucket
    bucket.objects.delete()
    bucket.delete()


def test_the_zip_is_uploaded_under_its_digest_and_once(
    artefacts: Any, built: tuple[Path, str], tmp_path: Path
) -> None:
    folder, digest = built
    done = publish(tmp_path, str(folder), digest, "sha256:0")
    key = f"products-lambda/{digest}.zip"
    assert (done.returncode, done.stdout) == (0, f"s3://{artefacts.name}/{key}\n"), done.stderr
    before = [(entry.key, entry.last_modified) for entry in artefacts.objects.all()]
    [uploaded] = artefacts.objects.all()
    assert (uploaded.key, uploaded.get()["Body"].read()) == (key, b"a zip")
    again = publish(tmp_path, str(folder), digest, "sha256:0")
    assert (again.returncode, again.stdout) == (0, "")
    assert [(entry.key, entry.last_modified) for entry in artefacts.objects.all()] == before


def test_a_zip_that_is_not_the_one_that_was_planned_is_not_uploaded(
    artefacts: Any, built: tuple[Path, str], tmp_path: Path
) -> None:
    done = publish(tmp_path, str(built[0]), "0" * 64, "sha256:0")
    assert done.returncode != 0
    assert "package.zip: FAILED" in done.stdout
    assert list(artefacts.objects.all()) == []


def test_a_zip_that_cannot_be_uploaded_ends_the_deployment(
    engines: Engines, built: tuple[Path, str], tmp_path: Path
) -> None:
    done = publish(tmp_path, str(built[0]), built[1], "sha256:0")
    assert done.returncode != 0
    assert "NoSuchBucket" in done.stderr


SKOPEO = """#!/bin/sh
echo "$@" >>"$SAID/skopeo.txt"
case "$1" in
login) cat >"$SAID/password" ;;
inspect) [ -e "$SAID/there" ] ;;
copy) touch "$SAID/there" ;;
esac
"""


def test_where_there_are_containers_the_image_is_pushed_as_it_is_and_once(
    artefacts: Any, built: tuple[Path, str], tmp_path: Path, whole_aws: Engines
) -> None:
    """Real but for the registry itself, whose name is AWS's."""
    program(tmp_path, "skopeo", SKOPEO)
    folder, digest = built
    registry, image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com", f"sha256:{'1' * 64}"
    for _ in range(2):
        where = {
            "ACCOUNT": ACCOUNT,
            "REGION": REGION,
            "ENVIRONMENT": "prod",
            "AWS_ACCESS_KEY_ID": ACCOUNT,
        }
        where |= {"AWS_ENDPOINT_URL_ECR": whole_aws.aws_url}
        done = script("publish.sh", str(folder), digest, image, home=tmp_path, **where)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == f"{registry}/bbws-products@{image}"
    assert (tmp_path / "password").read_text()
    name = f"docker://{registry}/bbws-products"
    login, look = (
        f"login --username AWS --password-stdin {registry}",
        f"inspect --raw {name}@{image}",
    )
    copy = f"copy --preserve-digests oci-archive:{folder}/image.tar {name}:{'1' * 64}"
    assert (tmp_path / "skopeo.txt").read_text().splitlines() == [login, look, copy, login, look]


# The database

NETWORK = {
    "awsvpcConfiguration": {
        "subnets": ["subnet-1"],
        "securityGroups": ["sg-1"],
        "assignPublicIp": "DISABLED",
    }
}
ENDED_BADLY = """#!/bin/sh
case "$2" in
describe-tasks) echo '{"tasks": [{"stoppedReason": "STOPPED_REASON", "containers": [CONTAINER]}]}' ;;
*) exec AWS "$@" ;;
esac
"""


@pytest.fixture
def cluster(whole_aws: Engines, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An ECS with the task definition that Terraform makes; and no container engine, so its tasks run until stopped."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", whole_aws.aws_url)
    client = engine_client("ecs", whole_aws.aws_url)
    client.create_cluster(clusterName="bbws-products-dev")
    containers = [
        {"name": "migrate", "image": "bbws-products", "command": ["migrate"], "essential": True}
    ]
    client.register_task_definition(
        family="migrate",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        containerDefinitions=containers,
    )
    yield client
    for arn in running(client):
        client.stop_task(cluster="bbws-products-dev", task=arn)


def running(client: Any) -> list[str]:
    return list(client.list_tasks(cluster="bbws-products-dev", desiredStatus="RUNNING")["taskArns"])


def migrate(home: Path, what: Mapping[str, Any] | None) -> subprocess.CompletedProcess[str]:
    program(home, "terraform", TERRAFORM_SAYS)
    (home / "migrate.json").write_text(json.dumps(what))
    return script("migrate.sh", "deploy/terraform", home=home)


WHAT = {
    "cluster": "bbws-products-dev",
    "task_definition": "migrate",
    "network_configuration": NETWORK,
}


def stopped_when_it_runs(client: Any) -> threading.Thread:
    """As the task would end by itself, with 0, when the database is up to date."""
    stopper = threading.Thread(
        target=lambda: client.stop_task(
            cluster="bbws-products-dev", task=until(lambda: running(client))[0]
        )
    )
    stopper.start()
    return stopper


def test_the_migration_is_started_as_terraform_says_and_waited_for(
    cluster: Any, tmp_path: Path
) -> None:
    stopper = stopped_when_it_runs(cluster)
    done = migrate(tmp_path, WHAT)
    stopper.join()
    assert done.returncode == 0, done.stdout + done.stderr
    [arn] = cluster.list_tasks(cluster="bbws-products-dev", desiredStatus="STOPPED")["taskArns"][
        -1:
    ]
    assert f"Migrating: {arn}" in done.stdout
    [task] = cluster.describe_tasks(cluster="bbws-products-dev", tasks=[arn])["tasks"]
    assert (task["launchType"], "/migrate:" in task["taskDefinitionArn"]) == ("FARGATE", True)


@pytest.mark.parametrize(
    ("container", "why", "sentence"),
    [
        (
            '{"exitCode": 1}',
            "Essential container exited",
            "ended with 1 (Essential container exited)",
        ),
        ("{}", "CannotPullContainerError", "ended with nothing (CannotPullContainerError)"),
    ],
)
def test_a_migration_that_fails_or_never_ran_ends_the_deployment(
    cluster: Any, tmp_path: Path, container: str, why: str, sentence: str
) -> None:
    """How it ended is all that the engine is not asked."""
    told = ENDED_BADLY.replace("STOPPED_REASON", why).replace("CONTAINER", container)
    program(tmp_path, "aws", told.replace("AWS", path_of("aws")))
    stopper = stopped_when_it_runs(cluster)
    done = migrate(tmp_path, WHAT)
    stopper.join()
    assert done.returncode == 1, done.stderr
    assert sentence in done.stdout


def test_a_migration_that_cannot_be_placed_ends_the_deployment(
    cluster: Any, tmp_path: Path
) -> None:
    refusal = '{"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time"}]}'
    program(tmp_path, "aws", f"#!/bin/sh\necho '{refusal}'\n")
    done = migrate(tmp_path, WHAT)
    assert done.returncode == 1
    assert "could not be started" in done.stdout
    assert "Capacity is unavailable" in done.stdout


def test_without_containers_there_is_nothing_to_migrate(tmp_path: Path) -> None:
    done = migrate(tmp_path, None)
    assert (done.returncode, "no database to migrate" in done.stdout) == (0, True)


# Is everything as it must be?


def validate(
    environment: Environment, address: str, home: Path
) -> subprocess.CompletedProcess[str]:
    where = {
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
    program(home, "terraform", TERRAFORM_SAYS)
    (home / "settings.json").write_text(json.dumps(where))
    (home / "api_url.txt").write_text(f"{address}/v1.0")
    return script(
        "validate.sh", "deploy/terraform", home=home, VENV=str(Path(sys.executable).parents[1])
    )


def test_a_deployment_ends_with_1_when_something_that_terraform_made_differs(
    environment: Environment, tmp_path: Path
) -> None:
    make_alarms(environment, with_lambda=True)
    make_functions(environment)
    for name in ("SECRET_KEY", "TOKEN_KEYS"):
        value = f"{KEY}{name}".replace(",", "")
        parameter: Any = {
            "Name": f"/bbws-products/{environment.name}/{name}",
            "Value": value,
            "Type": "SecureString",
        }
        boto3.client("ssm").put_parameter(**parameter)
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
            "cdn",
            "search",
            "alarms",
            "functions",
        }
        assert "endpoints" in areas
        off = {"PointInTimeRecoveryEnabled": False}
        boto3.client("dynamodb").update_continuous_backups(
            TableName=environment.table, PointInTimeRecoverySpecification=off
        )
        done = validate(environment, address, tmp_path)
    assert done.returncode == 1
    [differs] = [line for line in done.stdout.splitlines() if line.startswith("differs")]
    assert "point-in-time recovery" in differs
    assert "1 of " in done.stderr


# What follows it, and going back, as commands


def command(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, *arguments]
    return subprocess.run(
        run,
        cwd=ROOT,
        env=os.environ | more,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def test_the_smoke_test_ends_with_0_or_with_a_sentence_for_github(deployment: Deployment) -> None:
    deployment.start_worker()
    deployment.start_web()
    done = command("deploy/smoke.py", deployment.url("/v1.0/"), SMOKE_TOKEN=deployment.token())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "audited: 20" in done.stdout
    done = command("deploy/smoke.py", deployment.url("/v1.0"), SMOKE_TOKEN="none")
    assert done.returncode == 1
    assert done.stderr.startswith("::error::the product is created: 401 instead of 201 or 202")


def test_going_back_ends_with_what_is_live_or_with_a_sentence(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_functions(environment)
    done = command("-m", "deploy.rollback", environment.name)
    assert done.returncode == 1
    assert done.stderr.startswith("Nothing was changed. There is no earlier version: bbws-product-")
    client: Any = boto3.client("lambda")
    names = [entry["FunctionName"] for entry in client.list_functions()["Functions"]]
    ours = [name for name in names if name.endswith(f"-{environment.name}")]
    for name in ours:
        client.update_function_configuration(FunctionName=name, MemorySize=512)
        client.publish_version(FunctionName=name)
        client.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    done = command("-m", "deploy.rollback", environment.name)
    assert (done.returncode, set(json.loads(done.stdout).values())) == (0, {"1"})
    assert {
        client.get_alias(FunctionName=name, Name="live")["FunctionVersion"] for name in ours
    } == {"1"}
