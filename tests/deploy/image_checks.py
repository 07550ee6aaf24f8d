"""Run the product from its image, as a container platform does: ``make image-test``.

Not part of ``make test``, because building the image takes a minute and needs root and buildah.
IMAGE is the name of the image, which ``deploy/image_test.sh`` builds.
"""

import json
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
PASSED_ON = (
    "ENVIRONMENT",
    "PRODUCTS_TABLE",
    "SEARCH_ALIAS",
    "CLOUDFRONT_DISTRIBUTION_ID",
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
"""The beginnings of the variables that the containers get from the test."""
PLATFORM = {
    # HTTPS ends at a load balancer, and static files have hashed names.
    "LOCAL": "0",
    "ALLOWED_HOSTS": "products.example",
    "DATABASE_URL": os.environ.get("IMAGE_DATABASE_URL", "sqlite:////tmp/data/db.sqlite3"),
    "HEARTBEAT_DIR": "/tmp/heartbeats",
}


class Platform(Deployment):
    """A deployment that runs each role in a container of the image."""

    def __init__(self, engines: Engines, home: Path, image: Image) -> None:
        super().__init__(engines, home, visibility=60)
        self.image, self.data, self.containers = image, home / "data", list[Container]()
        self.data.mkdir(mode=0o777)
        self.data.chmod(0o777)
        passed_on = {
            name: value for name, value in self.variables.items() if name.startswith(PASSED_ON)
        }
        self.container_variables = passed_on | PLATFORM | {"PORT": str(self.port)}

    def start_role(self, *arguments: str, **changes: str) -> Container:
        variables = self.container_variables | changes
        log = self.log(arguments[0])
        container = Container(self.image, [*arguments], variables, self.data, log)
        self.containers.append(container)
        return container

    def call(
        self, method: str, path: str, body: Any = None, **headers: Any
    ) -> tuple[int, Any, Any]:
        """Send a request with the headers that a load balancer adds."""
        proxied = {"Host": "products.example", "X-Forwarded-Proto": "https"}
        return super().call(method, path, body, **(proxied | headers))

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


def get(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    """Return status and body; the status is 0 when there is no response."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except (urllib.error.URLError, ConnectionError) as fault:
        return getattr(fault, "code", 0), b""


def test_product_runs_from_the_image(platform: Platform) -> None:
    migration = platform.start_role("migrate")
    assert migration.process.wait(120) == 0, platform.log("migrate").read_text()
    roles = {name: platform.start_role(name) for name in ("web", "worker", "scheduler")}

    # The health checks of the image pass. /readyz works by IP address, which ALLOWED_HOSTS lacks.
    for name, container in roles.items():
        assert until(container.is_healthy, seconds=90), platform.log(name).read_text()
    status, body = get(platform.port, "/readyz")
    assert (status, json.loads(body)) == (200, {"status": "ready"})

    # A write passes through two containers and four queues to its last effect.
    product = fields(productId="p1", name="From the image")
    status, body, _ = platform.call("POST", "/v1.0/products", product, Prefer="wait=10")
    assert (status, body["version"]) == (201, 1)
    assert {effect["state"] for effect in platform.complete("p1")["effects"].values()} == {"done"}
    platform.assert_one_of_each("p1")

    # The static files come from the image.
    proxied = {"Host": "products.example", "X-Forwarded-Proto": "https"}
    status, page = get(platform.port, "/admin/login/", **proxied, **{"Accept-Language": "af"})
    assert "Jou wagwoord vergeet?" in page.decode()  # so do the catalogues of translations
    styles = re.findall(rb'href="(/static/[^"]+\.css)"', page)
    assert (status, bool(styles)) == (200, True)
    for style in styles:
        assert get(platform.port, style.decode(), **proxied)[0] == 200

    for container in roles.values():
        assert container.status["Uid"].split() == ["10001"] * 4
        assert container.status["NSpid"].split()[-1] == "1"
        assert int(container.status["CapEff"], 16) == 0
        assert container.run("touch", "/app/x").returncode != 0
        assert container.run("touch", "/tmp/x").returncode == 0

    # All end with exit code 0 on SIGTERM.
    exit_codes = {name: container.stop() for name, container in roles.items()}
    assert exit_codes == dict.fromkeys(roles, 0)


def test_worker_consumes_only_the_queues_it_is_given(platform: Platform) -> None:
    worker = platform.start_role("worker", QUEUES="change")
    assert until(worker.is_healthy, seconds=90), platform.log("worker").read_text()
    heartbeats = worker.run("ls", "/tmp/heartbeats").stdout.split()
    assert heartbeats == [f"bbws-product-change-{platform.env}"]


def test_image_contains_only_what_it_needs(image: Image) -> None:
    names = {path.name for path in (image.root / "app").iterdir()} - {"__pycache__"}
    folders = {"bbws_products", "products", "tasks", "templates", "static", "deploy"}
    assert names == folders | {"manage.py", "requirements.txt"}
    assert [path.name for path in (image.root / "app/deploy").iterdir()] == ["entrypoint.sh"]
    assert image.config["User"] == "10001:10001"
    assert not re.search("SECRET|KEY|TOKEN|unused", "\n".join(image.config["Env"]))
    assert not list((image.root / "opt/venv").glob("lib/python*/site-packages/pip"))
    # Flags 1 in the second word of the file: Python does not compare it with its source.
    compiled = list((image.root / "app").rglob("*.pyc"))
    assert compiled
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\1\0\0\0"}


@pytest.mark.parametrize("arguments", [["shell"], []])
def test_unknown_role_is_refused(image: Image, arguments: list[str]) -> None:
    command = ["chroot", str(image.root), *image.config["Entrypoint"], *arguments]
    refused = subprocess.run(
        command, env=image.variables, capture_output=True, text=True, timeout=280, check=False
    )
    assert refused.returncode == 64
    assert "is no role: web, worker" in refused.stderr
