"""The entry point of the image, and the agreement of image, compose file and settings.

``tests/deploy/image_checks.py`` runs the image itself.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from deploy.local.engines import ROOT, Engines, free_port
from tasks.heartbeat import STALE_SECONDS, silent_queues
from tasks.queues import dlq_name, queue_names
from tests.support.processes import Deployment, until

ENTRY = ROOT / "deploy/entrypoint.sh"
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
OWN_SERVICES = {
    name: service
    for name, service in COMPOSE["services"].items()
    if service["image"].startswith("bbws-products:")
}
BIN = Path(sys.executable).parent


@pytest.fixture
def container(tmp_path: Path) -> dict[str, str]:
    """Return variables in which ``celery`` only prints how it was started."""
    write_printing_program(tmp_path / "celery")
    return {"PATH": f"{tmp_path}:{BIN}:/usr/bin:/bin", "HOME": str(tmp_path), "ENVIRONMENT": "dev"}


def write_printing_program(program: Path) -> None:
    """Write a program that prints its process id, name, arguments and HOST."""
    program.write_text(f'#!/bin/sh\necho "$$ {program.name} $* at ${{HOST:-}}"\n')
    program.chmod(0o755)


def run_entry_point(env: dict[str, str], *arguments: str) -> tuple[int, str, int]:
    """Return exit code, output and process id of the entry point."""
    process = subprocess.Popen(
        [str(ENTRY), *arguments],
        env=env,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output, _ = process.communicate(timeout=280)
    return process.returncode, output, process.pid


@pytest.mark.parametrize(
    ("role", "program"),
    [
        ("web", "python -m bbws_products.server"),
        ("worker", "python -m tasks.worker"),
        ("scheduler", "celery --quiet"),
    ],
)
def test_role_replaces_the_shell_so_that_signals_reach_it(
    container: dict[str, str], role: str, program: str
) -> None:
    write_printing_program(Path(container["HOME"], "python"))
    code, output, pid = run_entry_point(container, role)
    assert code == 0
    assert output.startswith(f"{pid} {program}")


def test_entry_point_passes_the_address(container: dict[str, str]) -> None:
    write_printing_program(Path(container["HOME"], "python"))
    assert "at 0.0.0.0" in run_entry_point(container, "web")[1]


@pytest.mark.parametrize("arguments", [[], ["shell"], ["webb"], [""]])
def test_unknown_role_is_refused_with_the_known_ones(
    container: dict[str, str], arguments: list[str]
) -> None:
    code, output, _ = run_entry_point(container, *arguments)
    assert code == 64
    assert "is no role: web, worker, scheduler, migrate, manage COMMAND, health" in output


def test_missing_environment_is_reported(container: dict[str, str]) -> None:
    del container["ENVIRONMENT"]
    code, output, _ = run_entry_point(container, "worker")
    assert code != 0
    assert "ENVIRONMENT is not set" in output


def test_health_check_depends_on_the_role(container: dict[str, str], tmp_path: Path) -> None:
    heartbeats = tmp_path / "heartbeats"
    heartbeats.mkdir()
    env = container | {"HEARTBEAT_DIR": str(heartbeats), "QUEUES": "change"}
    env |= {"PORT": str(free_port())}
    assert run_entry_point(env, "health")[:2] == (1, "No role has been started.\n")
    run_entry_point(env, "worker")
    assert "not polled" in run_entry_point(env, "health")[1]
    heartbeat = heartbeats / "bbws-product-change-dev"
    heartbeat.touch()
    assert run_entry_point(env, "health")[0] == 0
    old = time.time() - STALE_SECONDS - 1
    os.utime(heartbeat, (old, old))
    assert run_entry_point(env, "health")[0] == 1
    run_entry_point(env, "scheduler")
    assert "not polled for 60 s: scheduler" in run_entry_point(env, "health")[1]
    (heartbeats / "scheduler").touch()
    assert run_entry_point(env, "health")[0] == 0
    run_entry_point(env, "web")
    assert run_entry_point(env, "health")[0] != 0


def test_scheduler_writes_heartbeats_and_sends_tasks(deployment: Deployment) -> None:
    deployment.start_scheduler()
    home = Path(deployment.variables["HEARTBEAT_DIR"])
    until(lambda: not silent_queues(home, ["scheduler"], time.time(), stale=5))
    until(lambda: deployment.world.depth(deployment.world.queue("products.persist")))


# The image


def test_image_has_one_pinned_base_and_the_requirements() -> None:
    texts = [
        DOCKERFILE,
        (ROOT / "deploy/local/Dockerfile").read_text(),
        (ROOT / ".github/workflows/ci.yml").read_text(),
    ]
    bases = {base for text in texts for base in re.findall(r"docker\.io/library/python:\S+", text)}
    assert len(bases) == 1
    assert re.search(r":3\.12\.\d+-slim-bookworm@sha256:[0-9a-f]{64}$", bases.pop())
    assert re.findall(r"^COPY (?!--from)(.*)", DOCKERFILE, re.MULTILINE) == [
        "requirements.txt /tmp/",
        ". .",
    ]
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)


def test_only_listed_files_get_into_the_image() -> None:
    text = (ROOT / ".dockerignore").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    listed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    folders = {"bbws_products", "products", "tasks", "templates"}
    assert listed == folders | {"manage.py", "requirements.txt", "deploy/entrypoint.sh"}


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_every_requirement_is_available_as_a_wheel() -> None:
    """The image has no compiler. The dry run downloads but installs nothing."""
    dry_run = ["install", "--dry-run", "--quiet", "--ignore-installed", "--no-deps"]
    wheels = ["--only-binary", ":all:", "-r", "requirements.txt"]
    command = [sys.executable, "-m", "pip", *dry_run, *wheels]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr


def test_static_files_can_be_collected_during_the_build(tmp_path: Path) -> None:
    instruction = re.search(
        r"^RUN (ENVIRONMENT=.*?) python manage.py (collectstatic[^\n]*?) \\?$",
        DOCKERFILE,
        re.S | re.M,
    )
    assert instruction
    variables = dict(pair.split("=", 1) for pair in instruction[1].replace("\\\n", " ").split())
    env = variables | {"PATH": "/usr/bin:/bin", "STATIC_ROOT": str(tmp_path / "static")}
    command = [sys.executable, "manage.py", *instruction[2].split(), "--dry-run"]
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr


# Compose


def test_compose_runs_each_role_without_privileges(container: dict[str, str]) -> None:
    commands = {name: service.get("command") for name, service in OWN_SERVICES.items()}
    del commands["resources"]
    assert commands == {role: [role] for role in ("web", "worker", "scheduler", "migrate")}
    for service in OWN_SERVICES.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["tmpfs"] == ["/tmp:mode=1777"]
        assert service["stop_grace_period"] == "60s"


def test_compose_listens_on_loopback_and_pins_its_engines() -> None:
    services = COMPOSE["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    engines = {
        name: service["image"]
        for name, service in services.items()
        if name not in OWN_SERVICES and "build" not in service
    }
    assert set(engines) == {"postgres", "dynamodb", "opensearch"}
    assert [image for image in engines.values() if not re.search(r":\d[\w.-]+$", image)] == []
    assert all("healthcheck" in service for service in map(services.get, engines))


def test_compose_sets_only_variables_that_the_code_reads() -> None:
    """A misspelled variable would have no effect."""
    sources = [
        path.read_text()
        for folder in ("bbws_products", "products", "tasks")
        for path in (ROOT / folder).rglob("*.py")
    ]
    read = set(re.findall(r'"([A-Z][A-Z0-9_]+)"', "\n".join(sources)))
    variables = {name for service in OWN_SERVICES.values() for name in service["environment"]}
    own = {name for name in variables if not name.startswith("AWS_")}
    assert len(own) >= 10
    assert own - read == set()
    read_by_boto3 = {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_EC2_METADATA_DISABLED",
    }
    endpoints = {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"}
    assert variables - own - read_by_boto3 == endpoints


def test_compose_waits_for_services_that_exist() -> None:
    services = COMPOSE["services"]
    addresses = re.findall(
        r"//(?:[^@/\s]*@)?([a-z]+)(?::\d+)?/?", json.dumps(COMPOSE["x-app"]["environment"])
    )
    assert {"postgres", "aws", "dynamodb", "opensearch"} == {
        name for name in addresses if name in services
    }
    for service in services.values():
        for name, dependency in service.get("depends_on", {}).items():
            condition = dependency["condition"]
            assert condition in ("service_healthy", "service_completed_successfully")
            if condition == "service_healthy":
                # The health check of the image in deploy/local is in its Dockerfile.
                has_own_image = services[name].get("build") == {"context": "local"}
                assert "healthcheck" in services[name] or has_own_image
    volumes = {
        mount.split(":")[0] for service in services.values() for mount in service.get("volumes", [])
    }
    assert {name for name in volumes if not name.startswith(".")} == set(COMPOSE["volumes"])


def load_settings(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process with these variables."""
    code = "from django.conf import settings; settings.DEBUG; print('started')"
    command = [sys.executable, "-c", code]
    env = {"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "bbws_products.settings.full"} | env
    env |= {"HEARTBEAT_DIR": "/tmp/heartbeats"}  # from the image
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280, check=False
    )


def test_settings_accept_the_keys_of_compose_only_in_dev() -> None:
    variables = {
        name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value)  # as compose does for unset variables
        for name, value in COMPOSE["x-app"]["environment"].items()
    }
    started = load_settings(variables)
    assert started.stdout.strip() == "started", started.stderr
    del variables["LOCAL"]
    assert "refuses to start" in load_settings(variables | {"ENVIRONMENT": "prod"}).stderr


def test_resources_are_created_for_the_environment(engines: Engines) -> None:
    env = os.environ | {"ENVIRONMENT": "compose", "AUDIT_BUCKET": "bbws-product-audit-logs-compose"}
    command = [sys.executable, "-m", "deploy.local.resources"]
    for _ in range(2):  # idempotent
        subprocess.run(command, cwd=ROOT, env=env, check=True, timeout=280)
    urls = boto3.client("sqs").list_queues(QueueNamePrefix="bbws-product-")["QueueUrls"]
    existing = {url.rsplit("/", 1)[1] for url in urls}
    for name in queue_names("compose").values():
        assert {name, dlq_name(name, "compose")} <= existing
    assert boto3.client("dynamodb").describe_table(TableName="bbws-products-compose")
    assert boto3.client("s3").head_bucket(Bucket="bbws-product-audit-logs-compose")
