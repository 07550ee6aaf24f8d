"""The image's entry point, and that image, compose and settings agree. ``tests/deploy/image_checks.py`` runs the image itself."""

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
OURS = {
    name: service
    for name, service in COMPOSE["services"].items()
    if service["image"].startswith("bbws-products:")
}
BIN = Path(sys.executable).parent


@pytest.fixture
def container(tmp_path: Path) -> dict[str, str]:
    """An environment in which the servers only say how they were started."""
    only_says(tmp_path / "celery")
    return {"PATH": f"{tmp_path}:{BIN}:/usr/bin:/bin", "HOME": str(tmp_path), "ENVIRONMENT": "dev"}


def only_says(program: Path) -> None:
    program.write_text(f'#!/bin/sh\necho "$$ {program.name} $* at ${{HOST:-}}"\n')
    program.chmod(0o755)


def enter(env: dict[str, str], *arguments: str) -> tuple[int, str, int]:
    """Exit code, what it said, and its process id."""
    entered = subprocess.Popen(
        [str(ENTRY), *arguments],
        env=env,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said, _ = entered.communicate(timeout=280)
    return entered.returncode, said, entered.pid


@pytest.mark.parametrize(
    ("role", "program"),
    [
        ("web", "python -m bbws_products.server"),
        ("worker", "celery --quiet"),
        ("scheduler", "celery --quiet"),
    ],
)
def test_a_role_becomes_its_server_so_that_signals_reach_it(
    container: dict[str, str], role: str, program: str
) -> None:
    only_says(Path(container["HOME"], "python"))
    code, said, pid = enter(container, role)
    assert code == 0
    assert said.startswith(f"{pid} {program}")


def test_a_worker_serves_all_queues_or_those_it_is_given(container: dict[str, str]) -> None:
    def queues(env: dict[str, str]) -> list[str]:
        found = re.search(r"--queues (\S+)", enter(env, "worker")[1])
        assert found
        return found[1].split(",")

    assert queues(container) == list(queue_names("dev").values())
    assert queues(container | {"QUEUES": "search,audit"}) == [
        "bbws-product-search-dev",
        "bbws-product-audit-dev",
    ]


def test_a_container_serves_every_address_and_a_worker_as_many_tasks_as_it_is_told(
    container: dict[str, str],
) -> None:
    only_says(Path(container["HOME"], "python"))
    assert "at 0.0.0.0" in enter(container, "web")[1]
    assert "--concurrency 7" in enter(container | {"WORKER_CONCURRENCY": "7"}, "worker")[1]


@pytest.mark.parametrize("arguments", [[], ["shell"], ["webb"], [""]])
def test_an_unknown_role_is_refused_with_the_known_ones(
    container: dict[str, str], arguments: list[str]
) -> None:
    code, said, _ = enter(container, *arguments)
    assert code == 64
    assert "is no role: web, worker, scheduler, migrate, manage COMMAND, health" in said


def test_a_container_without_an_environment_says_so(container: dict[str, str]) -> None:
    del container["ENVIRONMENT"]
    code, said, _ = enter(container, "worker")
    assert code != 0
    assert "ENVIRONMENT: is not set" in said


def test_health_is_that_of_the_role(container: dict[str, str], tmp_path: Path) -> None:
    beats = tmp_path / "beats"
    beats.mkdir()
    env = container | {"HEARTBEAT_DIR": str(beats), "QUEUES": "change", "PORT": str(free_port())}
    assert enter(env, "health")[:2] == (1, "Nothing runs here yet that could be healthy.\n")
    enter(env, "worker")
    assert "not polled" in enter(env, "health")[1]
    beat = beats / "bbws-product-change-dev"
    beat.touch()
    assert enter(env, "health")[0] == 0
    old = time.time() - STALE_SECONDS - 1
    os.utime(beat, (old, old))
    assert enter(env, "health")[0] == 1
    enter(env, "scheduler")
    assert "not polled for 60 s: scheduler" in enter(env, "health")[1]
    (beats / "scheduler").touch()
    assert enter(env, "health")[0] == 0
    enter(env, "web")
    assert enter(env, "health")[0] != 0


def test_a_scheduler_gives_a_sign_of_life(deployment: Deployment) -> None:
    deployment.start_scheduler()
    home = Path(deployment.variables["HEARTBEAT_DIR"])
    until(lambda: not silent_queues(home, ["scheduler"], time.time(), stale=5))
    until(
        lambda: deployment.world.depth(deployment.world.queue("products.persist"))
    )  # and it does ring


# The image


def test_the_image_is_built_from_one_pinned_base_and_the_applications_requirements() -> None:
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
    assert "psycopg[binary]==" in (ROOT / "requirements.txt").read_text()
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)


def test_nothing_gets_into_the_image_that_is_not_named() -> None:
    lines = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if not line.startswith("#")
    ]
    assert lines[0] == "*"
    named = {line.removeprefix("!") for line in lines if line.startswith("!")}
    rooms = {"bbws_products", "products", "tasks", "templates"}
    assert named == rooms | {"manage.py", "requirements.txt", "deploy/entrypoint.sh"}


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_all_that_gets_into_the_image_is_there_as_a_wheel() -> None:
    """Nothing can be compiled there, nor need it be on a newcomer's machine. This pip only looks."""
    look = [
        "install",
        "--dry-run",
        "--quiet",
        "--ignore-installed",
        "--no-deps",
        "--only-binary",
        ":all:",
    ]
    command = [sys.executable, "-m", "pip", *look, "-r", "requirements.txt"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr


def test_static_files_can_be_collected_with_what_the_build_sets(tmp_path: Path) -> None:
    given = re.search(
        r"^RUN (ENVIRONMENT=.*?) python manage.py (collectstatic[^\n]*?) \\?$",
        DOCKERFILE,
        re.S | re.M,
    )
    assert given
    variables = dict(pair.split("=", 1) for pair in given[1].replace("\\\n", " ").split())
    env = variables | {"PATH": "/usr/bin:/bin", "STATIC_ROOT": str(tmp_path / "static")}
    command = [sys.executable, "manage.py", *given[2].split(), "--dry-run"]
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr


# Compose


def test_compose_runs_each_role_as_the_image_means_it(container: dict[str, str]) -> None:
    roles = {name: service.get("command") for name, service in OURS.items() if name != "resources"}
    assert roles == {role: [role] for role in ("web", "worker", "scheduler", "migrate")}
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["tmpfs"] == ["/tmp:mode=1777"]
        assert service["stop_grace_period"] == "60s"


def test_compose_listens_on_this_machine_only_and_pins_its_engines() -> None:
    services = COMPOSE["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    engines = {
        name: service["image"]
        for name, service in services.items()
        if name not in OURS and "build" not in service
    }
    assert set(engines) == {"postgres", "dynamodb", "opensearch"}
    assert [image for image in engines.values() if not re.search(r":\d[\w.-]+$", image)] == []
    assert all("healthcheck" in service for service in map(services.get, engines))


def test_compose_sets_nothing_that_nobody_reads() -> None:
    """A misspelt variable would simply have no effect."""
    sources = [
        path
        for room in ("bbws_products", "products", "tasks")
        for path in (ROOT / room).rglob("*.py")
    ]
    read = {
        name for path in sources for name in re.findall(r'"([A-Z][A-Z0-9_]+)"', path.read_text())
    }
    given = {name for service in OURS.values() for name in service["environment"]}
    own = {name for name in given if not name.startswith("AWS_")}
    assert len(own) >= 10
    assert own - read == set()
    boto3s = {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_EC2_METADATA_DISABLED",
    }
    assert given - own - boto3s == {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"}


def test_compose_waits_for_what_there_is() -> None:
    services = COMPOSE["services"]
    addresses = re.findall(
        r"//(?:[^@/\s]*@)?([a-z]+)(?::\d+)?/?", json.dumps(COMPOSE["x-app"]["environment"])
    )
    assert {"postgres", "aws", "dynamodb", "opensearch"} == {
        name for name in addresses if name in services
    }
    for service in services.values():
        for name, wanted in service.get("depends_on", {}).items():
            condition = wanted["condition"]
            assert condition in ("service_healthy", "service_completed_successfully")
            if condition == "service_healthy":
                assert "healthcheck" in services[name] or services[name]["build"] == {
                    "context": "local"
                }
    volumes = {
        mount.split(":")[0] for service in services.values() for mount in service.get("volumes", [])
    }
    assert {name for name in volumes if not name.startswith(".")} == set(COMPOSE["volumes"])


def settings_start(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "from django.conf import settings; settings.DEBUG; print('started')",
    ]
    env = {"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "bbws_products.settings.full"} | env
    env |= {"HEARTBEAT_DIR": "/tmp/heartbeats"}  # from the image
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280, check=False
    )


def test_the_application_starts_with_composes_variables_and_no_other_environment_takes_its_keys() -> (
    None
):
    started = settings_start(COMPOSE["x-app"]["environment"])
    assert started.stdout.strip() == "started", started.stderr
    variables = {
        name: value for name, value in COMPOSE["x-app"]["environment"].items() if name != "LOCAL"
    }
    assert "refuses to start" in settings_start(variables | {"ENVIRONMENT": "prod"}).stderr


def test_resources_are_made_for_the_environment_that_is_described(engines: Engines) -> None:
    env = os.environ | {"ENVIRONMENT": "compose", "AUDIT_BUCKET": "bbws-product-audit-compose"}
    command = [sys.executable, "-m", "deploy.local.resources"]
    for _ in range(2):  # they may be there already
        subprocess.run(command, cwd=ROOT, env=env, check=True, timeout=280)
    made = boto3.client("sqs").list_queues(QueueNamePrefix="bbws-product-")["QueueUrls"]
    for name in queue_names("compose").values():
        assert {name, dlq_name(name, "compose")} <= {url.rsplit("/", 1)[1] for url in made}
    assert boto3.client("dynamodb").describe_table(TableName="bbws-products-compose")
    assert boto3.client("s3").head_bucket(Bucket="bbws-product-audit-compose")
