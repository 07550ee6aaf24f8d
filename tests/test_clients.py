"""Clients as other teams write them: one generated from the contract, and axios as a browser runs it."""

import json
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.engines import ROOT, Engines
from tests.browser import refuse_to_skip
from tests.deployment import Deployment

HERE = ROOT / "tests" / "clients"
TOOLS = HERE / "node_modules" / ".bin"
PORTAL = "https://portal.example"


@pytest.fixture(scope="module")
def server(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    if shutil.which("node") is None or not TOOLS.exists():
        refuse_to_skip("There is no Node here, or its packages are not installed: make setup.")
    made = Deployment(engines, tmp_path_factory.mktemp("clients"), visibility=60)
    made.start_web(CORS_ALLOWED_ORIGINS=PORTAL, THROTTLE_PUBLIC="100", THROTTLE_STAFF="50")
    made.start_worker()
    yield made
    made.stop()


def run(*command: str | Path) -> str:
    done = subprocess.run(list(map(str, command)), cwd=HERE, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_a_client_generated_from_the_contract_leads_a_product_through_its_life(server: Deployment) -> None:
    built = HERE / "built"
    built.mkdir(exist_ok=True)
    run(TOOLS / "openapi-typescript", ROOT / "deploy" / "openapi.yaml", "--output", built / "api.d.ts")
    run(TOOLS / "tsc")
    for number in range(3):
        body = {"productId": f"other{number}", "name": f"Other {number}", "description": "Another one.", "price": "5"}
        assert server.call("POST", "/v1.0/products", body, Prefer="wait=10")[0] == 201
    assert run("node", built / "life.js", server.url(""), server.token()) == "a whole life\n"


def portal(server: Deployment, origin: str) -> dict[str, Any]:
    product_id = f"portal-{uuid.uuid4().hex[:8]}"
    seen = json.loads(run("node", HERE / "portal.mjs", server.url(""), server.token(), origin, product_id))
    return dict(seen)


def test_axios_in_a_browser_of_an_allowed_origin_reads_all_it_needs(server: Deployment) -> None:
    seen = portal(server, PORTAL)
    cookies = seen.pop("cookies")
    assert {name: answer.get("status") for name, answer in seen.items()} == {
        "list": 200,
        "create": 201,
        "patch": 202,
        "late": 412,
        "put": 400,
        "read": 200,
        "missing": 404,
        "anonymous": 401,
        "delete": 204,
    }
    assert isinstance(seen["list"]["data"]["products"], list)
    rate = {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"}
    for name, answer in seen.items():  # an error is as readable as a success; who is not let in is not counted
        assert {"x-request-id", *(rate if name != "anonymous" else ())} <= set(answer["headers"]), name
    created = seen["create"]["headers"]
    assert created["etag"] == '"v1"'
    assert created["location"].endswith("/changes/1")
    assert created["preference-applied"] == "wait=10, until=stored"
    assert created["x-request-id"].startswith("portal-portal-")
    assert seen["patch"]["headers"]["retry-after"] == "1"
    assert seen["late"]["data"]["version"] == 2
    assert seen["read"]["headers"]["etag"] == '"v2"'
    assert seen["anonymous"]["data"]["error"] == "Unauthorized"
    assert "blocked" in cookies  # a portal comes with a token; our staff's cookies are not for its scripts


def test_a_browser_of_another_origin_is_shown_nothing(server: Deployment) -> None:
    seen = portal(server, "https://evil.example")
    assert all("blocked" in answer for answer in seen.values()), seen


def test_a_preflight_names_each_method_and_header_a_portal_sends(server: Deployment) -> None:
    asked = "authorization,content-type,idempotency-key,if-match,if-none-match,prefer,x-request-id"
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        for path in ("/v1.0/products", "/v1.0/products/p1", "/v1.0/products:batch", "/v1.0/products/p1/changes/1"):
            wanted = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": asked}
            status, _, headers = server.call("OPTIONS", path, Origin=PORTAL, **wanted)
            assert (status, headers["Access-Control-Allow-Origin"]) == (200, PORTAL)
            assert method in headers["Access-Control-Allow-Methods"]
            allowed = headers["Access-Control-Allow-Headers"].lower().replace(" ", "").split(",")
            assert set(asked.split(",")) <= set(allowed)
            assert (headers["Access-Control-Max-Age"], headers["Access-Control-Allow-Credentials"]) == ("3600", None)
            _, _, foreign = server.call("OPTIONS", path, Origin="https://evil.example", **wanted)
            assert foreign["Access-Control-Allow-Origin"] is None
