"""The image as a platform runs it, before the embedded engines: ``make image-test``.

Not part of ``make test``: building the image takes a minute, and all of it needs root and buildah. IMAGE names the
image, which `deploy/image_test.sh` builds.
"""

import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.engines import Engines
from tests.support.builders import fields
from tests.support.containers import Container, Image
from tests.support.processes import Deployment, until

pytestmark = pytest.mark.timeout(300)
NAME = os.environ.get("IMAGE", "localhost/bbws-products:test")
WANTED = (
    "AWS_",
    "TOKEN_KEYS",
    "SECRET_KEY",
    "THROTTLE_",
    "RELAY_",
    "SQS_",
    "OPENSEARCH_",
    "MEDIA_",
    "AUDIT_",
)
PLATFORM = {
    "LOCAL": "0",  # as on a platform: HTTPS ends at a load balancer, static files come from the manifest
    "ALLOWED_HOSTS": "products.example",
    "DATABASE_URL": os.environ.get("IMAGE_DATABASE_URL", "sqlite:////tmp/data/db.sqlite3"),
    "HEARTBEAT_DIR": "/tmp/heartbeats",
}


class Platform(Deployment):
    """Runs each role as a container of the image."""

    def __init__(self, engines: Engines, home: Path, image: Image) -> None:
        super().__init__(engines, home, visibility=60)
        self.image, self.data, self.containers = image, home / "data", list[Container]()
        self.data.mkdir(mode=0o777)
        self.data.chmod(0o777)
        names = (
            "ENVIRONMENT",
            "PRODUCTS_TABLE",
            "SEARCH_ALIAS",
            "CLOUDFRONT_DISTRIBUTION_ID",
            *WANTED,
        )
        given = {name: value for name, value in self.variables.items() if name.startswith(names)}
        self.given = given | PLATFORM | {"PORT": str(self.port)}

    def role(self, *arguments: str, **changes: str) -> Container:
        container = Container(
            self.image, [*arguments], self.given | changes, self.data, self.log(arguments[0])
        )
        self.containers.append(container)
        return container

    def call(
        self, method: str, path: str, body: Any = None, **headers: Any
    ) -> tuple[int, Any, Any]:
        """As the load balancer passes it on."""
        proxied = {"Host": "products.example", "X-Forwarded-Proto": "https"}
        return super().call(method, path, body, **proxied, **headers)

    def stop(self) -> None:
        for container in self.containers:
            container.stop()


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    if os.geteuid() or shutil.which("buildah") is None:
        pytest.skip("This needs root and buildah (Debian: apt-get install buildah).")
    made = Image(NAME)
    yield made
    made.close()


@pytest.fixture
def platform(engines: Engines, tmp_path: Path, image: Image) -> Iterator[Platform]:
    made = Platform(engines, tmp_path, image)
    yield made
    made.stop()


def answers(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except (urllib.error.URLError, ConnectionError) as away:
        return getattr(away, "code", 0), b""


def test_the_product_runs_from_the_image(platform: Platform) -> None:
    migration = platform.role("migrate")
    assert migration.process.wait(120) == 0, platform.log("migrate").read_text()
    roles = {name: platform.role(name) for name in ("web", "worker", "scheduler")}

    # Each becomes healthy by its image's own check, and asked by address it is ready, whatever ALLOWED_HOSTS says.
    for name, container in roles.items():
        assert until(container.healthy, seconds=90), platform.log(name).read_text()
    status, body = answers(platform.port, "/readyz")
    assert (status, b'"dynamodb": "ok"' in body, b'"sql": "ok"' in body) == (200, True, True)

    # A write reaches all effects, by two containers and four queues.
    product = fields(productId="p1", name="From the image")
    status, body, _ = platform.call("POST", "/v1.0/products", product, Prefer="wait=10")
    assert (status, body["version"]) == (201, 1)
    assert {effect["state"] for effect in platform.complete("p1")["effects"].values()} == {"done"}
    platform.assert_one_of_each("p1")

    # The pages' static files come from the image, under names made from what is in them.
    proxied = {"Host": "products.example", "X-Forwarded-Proto": "https"}
    status, page = answers(platform.port, "/admin/login/", **proxied)
    styles = re.findall(rb'href="(/static/[^"]+\.css)"', page)
    assert (status, bool(styles)) == (200, True)
    assert [
        css for css in styles if answers(platform.port, css.decode(), **proxied)[0] != 200
    ] == []

    for container in roles.values():
        assert container.status["Uid"].split() == ["10001"] * 4
        assert container.status["NSpid"].split()[-1] == "1"
        assert int(container.status["CapEff"], 16) == 0
        assert container.run("touch", "/app/x").returncode != 0
        assert container.run("touch", "/tmp/x").returncode == 0

    # They end in order when they are told to.
    assert {name: container.stop() for name, container in roles.items()} == dict.fromkeys(roles, 0)


def test_a_worker_takes_only_its_own_queues(platform: Platform) -> None:
    worker = platform.role("worker", QUEUES="change")
    assert until(worker.healthy, seconds=90), platform.log("worker").read_text()
    beats = worker.run("ls", "/tmp/heartbeats").stdout.split()
    assert beats == [f"bbws-product-change-{platform.env}"]


def test_what_the_image_holds(image: Image) -> None:
    there = {path.name for path in (image.root / "app").iterdir()} - {"__pycache__"}
    rooms = {"bbws_products", "products", "tasks", "templates", "static", "deploy"}
    assert there == rooms | {"manage.py", "requirements.txt"}
    assert [path.name for path in (image.root / "app/deploy").iterdir()] == ["entrypoint.sh"]
    assert image.config["User"] == "10001:10001"
    assert not [
        entry for entry in image.config["Env"] if re.search("SECRET|KEY|TOKEN|unused", entry)
    ]
    assert not list((image.root / "opt/venv").glob("lib/python*/site-packages/pip"))
    # Bytecode that is loaded without a look at its source: flags 1 in the second word of the file.
    compiled = list((image.root / "app").rglob("*.pyc"))
    assert compiled
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\1\0\0\0"}


@pytest.mark.parametrize("arguments", [["shell"], []])
def test_an_unknown_role_is_refused(image: Image, arguments: list[str]) -> None:
    command = ["chroot", str(image.root), *image.config["Entrypoint"], *arguments]
    refused = subprocess.run(
        command, env=image.variables, capture_output=True, text=True, timeout=280, check=False
    )
    assert refused.returncode == 64
    assert "is no role: web, worker" in refused.stderr
