"""Tasks in the ECS cluster, run with the AWS command line on the embedded engine."""

import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.local.engines import Engines
from tests.support.deploy_scripts import FAKE_TERRAFORM, script, write_program
from tests.support.processes import until
from tests.support.tools import path_of
from tests.support.world import engine_client

pytestmark = [pytest.mark.timeout(180), pytest.mark.django_db, pytest.mark.needs("aws", "jq")]


NETWORK = {
    "awsvpcConfiguration": {
        "subnets": ["subnet-1"],
        "securityGroups": ["sg-1"],
        "assignPublicIp": "DISABLED",
    }
}
FAKE_AWS = """#!/bin/sh
case "$2" in
describe-tasks) echo '{"tasks": [TASK]}' ;;
*) exec AWS "$@" ;;
esac
"""


@pytest.fixture
def cluster(whole_aws: Engines, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Yield a client of ECS, with the cluster and the task definition of Terraform.

    There is no container engine, so tasks run until they are stopped.
    """
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
    for arn in running_tasks(client):
        client.stop_task(cluster="bbws-products-dev", task=arn)


def running_tasks(client: Any) -> list[str]:
    return list(client.list_tasks(cluster="bbws-products-dev", desiredStatus="RUNNING")["taskArns"])


def migrate(
    home: Path, settings: Mapping[str, Any] | None, *command: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a task with these settings as Terraform's output."""
    write_program(home, "terraform", FAKE_TERRAFORM)
    (home / "migrate.json").write_text(json.dumps(settings))
    arguments = ("deploy/terraform", *(command or ("migrate",)))
    return script("run_task.sh", *arguments, home=home, variables=variables)


SETTINGS = {
    "cluster": "bbws-products-dev",
    "task_definition": "migrate",
    "network_configuration": NETWORK,
}


@contextmanager
def task_stopped_when_running(client: Any) -> Iterator[None]:
    """Stop the migration's task in a thread as soon as it runs; its exit code is 0."""

    def stop_task() -> None:
        [task, *_] = until(lambda: running_tasks(client))
        client.stop_task(cluster="bbws-products-dev", task=task)

    thread = threading.Thread(target=stop_task)
    thread.start()
    yield
    thread.join()


def test_migration_uses_terraforms_settings_and_waits(cluster: Any, tmp_path: Path) -> None:
    with task_stopped_when_running(cluster):
        done = migrate(tmp_path, SETTINGS)
    assert done.returncode == 0, done.stdout + done.stderr
    stopped = cluster.list_tasks(cluster="bbws-products-dev", desiredStatus="STOPPED")
    arn = stopped["taskArns"][-1]
    assert f"Running migrate: {arn}" in done.stdout
    [task] = cluster.describe_tasks(cluster="bbws-products-dev", tasks=[arn])["tasks"]
    assert (task["launchType"], "/migrate:" in task["taskDefinitionArn"]) == ("FARGATE", True)
    [override] = task["overrides"]["containerOverrides"]
    assert (override["name"], override["command"]) == ("migrate", ["migrate"])


def test_migration_runs_the_new_image_before_its_code(cluster: Any, tmp_path: Path) -> None:
    image, output = f"registry/bbws-products@sha256:{'2' * 64}", tmp_path / "output"
    output.touch()
    with task_stopped_when_running(cluster):
        done = migrate(tmp_path, SETTINGS, IMAGE=image, GITHUB_OUTPUT=str(output))
    assert done.returncode == 0, done.stdout + done.stderr
    assert output.read_text() == "ran=true\n"
    stopped = cluster.list_tasks(cluster="bbws-products-dev", desiredStatus="STOPPED")["taskArns"]
    [task] = cluster.describe_tasks(cluster="bbws-products-dev", tasks=[stopped[-1]])["tasks"]
    definition = cluster.describe_task_definition(taskDefinition=task["taskDefinitionArn"])
    [container] = definition["taskDefinition"]["containerDefinitions"]
    assert container["image"] == image


def test_command_keeps_its_options(cluster: Any, tmp_path: Path) -> None:
    command = ("manage", "create_user", "ann", "--email", "ann@bbws.example", "--superuser")
    with task_stopped_when_running(cluster):
        assert migrate(tmp_path, SETTINGS, *command).returncode == 0
    stopped = cluster.list_tasks(cluster="bbws-products-dev", desiredStatus="STOPPED")["taskArns"]
    [task] = cluster.describe_tasks(cluster="bbws-products-dev", tasks=[stopped[-1]])["tasks"]
    [override] = task["overrides"]["containerOverrides"]
    assert override["command"] == list(command)


@pytest.mark.parametrize(
    ("container", "reason", "sentence"),
    [
        ({"exitCode": 1}, "Container exited", "ended with 1 (Container exited)"),
        ({}, "CannotPullContainerError", "ended with nothing (CannotPullContainerError)"),
    ],
)
def test_failed_migration_ends_the_deployment(
    cluster: Any, tmp_path: Path, container: dict[str, int], reason: str, sentence: str
) -> None:
    """Only the description of the ended task is not from the engine."""
    task = json.dumps({"stoppedReason": reason, "containers": [container]})
    fake = FAKE_AWS.replace("AWS", path_of("aws")).replace("TASK", task)
    write_program(tmp_path, "aws", fake)
    with task_stopped_when_running(cluster):
        done = migrate(tmp_path, SETTINGS)
    assert done.returncode == 1, done.stderr
    assert sentence in done.stdout


def test_migration_that_can_not_be_placed_ends_the_deployment(cluster: Any, tmp_path: Path) -> None:
    refusal = '{"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time"}]}'
    write_program(tmp_path, "aws", f"#!/bin/sh\necho '{refusal}'\n")
    done = migrate(tmp_path, SETTINGS)
    assert done.returncode == 1
    assert "could not be started" in done.stdout
    assert "Capacity is unavailable" in done.stdout


def test_migration_does_nothing_without_containers(tmp_path: Path) -> None:
    done = migrate(tmp_path, None)
    assert (done.returncode, "nothing to run" in done.stdout) == (0, True)
