"""The OpenAPI contract: the committed file matches the code, and a server conforms to it."""

import os
import re
import subprocess
import sys
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

from deploy.local.engines import ROOT
from products.api.contract import examples
from products.api.contract.bodies import COMPONENTS
from products.api.product_fields import API_NAMES
from products.identifiers import MAX_VERSION, is_version
from products.product import REQUIRED, RULES
from tests.support.api_client import Api
from tests.support.builders import fields
from tests.support.contract import differences
from tests.support.processes import Deployment

EXAMPLES = os.environ.get("CONTRACT_EXAMPLES", "5")
"""Examples per operation and phase. CI sets more, several thousand in all."""
EXCLUDED_CHECKS = "positive_data_acceptance,use_after_free"
"""Schemathesis cannot know these.

positive_data_acceptance: a valid request may be refused because of the product's state (412), the
history of its key (422), cursors that only we can create, and fields that must agree.
use_after_free: staff can still read a deactivated product and its history.
"""
AS_RETURNED = {"productId", "version", "createdAt", "updatedAt", "updatedBy"}


@pytest.mark.django_db
def test_the_committed_contract_matches_the_code() -> None:
    generated = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=generated)
    committed = (ROOT / "products/api/openapi.yaml").read_text()
    assert committed.strip() == generated.getvalue().strip(), "stale: run `make contract`"


def committed_contract() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "products/api/openapi.yaml").read_text()))


def test_constants_of_all_enums_differ() -> None:
    """A Go package has one scope for all constants. Currencies come with codes as they are."""
    schemas = committed_contract()["components"]["schemas"].values()
    enums = [schema for schema in schemas if "enum" in schema]
    names = [name for enum in enums for name in enum.get("x-enum-varnames", enum["enum"])]
    constants = Counter(re.sub("[^A-Z0-9]", "_", name.upper()) for name in names)
    assert [name for name, count in constants.items() if count > 1] == []


def test_no_schema_has_the_name_of_a_constructor() -> None:
    """Go's clients have a function NewPlan for a schema Plan."""
    assert [name for name in COMPONENTS if f"New{name}" in COMPONENTS] == []


def test_optional_lists_in_requests_may_be_null() -> None:
    """Java's clients send an empty list for a field that nobody set, unless it may be null."""
    found = 0
    for body in request_components():
        schema = COMPONENTS[body]
        for name, field in schema.get("properties", {}).items():
            if field.get("type") == "array" and name not in schema.get("required", []):
                assert field.get("nullable"), f"{body}.{name}"
                found += 1
    assert found >= 6


def request_components() -> set[str]:
    """Return the components that bodies of requests consist of."""
    contract = committed_contract()
    operations = [op for path in contract["paths"].values() for op in path.values()]
    waiting = [references(op["requestBody"]) for op in operations if "requestBody" in op]
    names: set[str] = set()
    while waiting:
        new = waiting.pop() - names
        names |= new
        waiting += [references(contract["components"]["schemas"][name]) for name in new]
    return names


def references(value: Any) -> set[str]:
    return set(re.findall(r"#/components/schemas/(\w+)", str(value)))


def test_a_client_with_one_type_for_success_reads_a_new_resource() -> None:
    """Many generators take the schema of the lowest successful status for all of them."""
    compared = 0
    for path in committed_contract()["paths"].values():
        for operation in path.values():
            answers = [schema_of(operation["responses"].get(code)) for code in ("200", "201")]
            if all(answers):
                lowest, created = (COMPONENTS[name] for name in answers)
                assert set(created["required"]) <= lowest["properties"].keys(), operation
                assert set(lowest["required"]) <= set(created["required"]), operation
                compared += 1
    assert compared >= 2


def schema_of(response: Any) -> str:
    """Return the name of the response's component, empty without one."""
    content = (response or {}).get("content", {}).get("application/json", {})
    return str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2]


def test_the_token_is_each_operations_first_choice() -> None:
    """Postman's converter takes the first choice, and staff read with a token too."""
    paths = committed_contract()["paths"].values()
    operations = [operation for path in paths for operation in path.values()]
    assert len(operations) >= 20
    assert [op["operationId"] for op in operations if op["security"][0] != {"bearer": []}] == []


@pytest.mark.django_db
def test_null_is_no_features(api: Api, p1: str) -> None:
    api("patch", p1, {"features": ["10 GB"]})
    assert api("patch", p1, {"features": None}).status_code == 202
    assert api("get", p1).json()["features"] == []
    assert (
        api("post", "/products", fields(productId="p2", name="Two", features=None)).status_code
        == 202
    )


def test_each_rule_of_the_core_has_a_field_that_clients_may_write() -> None:
    names = {API_NAMES[field] for field in RULES}
    for body, others in (("ProductCreation", {"productId"}), ("ProductEdits", AS_RETURNED)):
        assert COMPONENTS[body]["properties"].keys() == names | others, body
    required = set(COMPONENTS["ProductCreation"]["required"])
    assert {API_NAMES[field] for field in REQUIRED} == required


@pytest.mark.parametrize("version", [1, MAX_VERSION, 0, MAX_VERSION + 1])
def test_the_contract_has_the_versions_that_the_log_can_hold(version: int) -> None:
    body = {"error": "", "message": "", "errors": {}, "requestId": "", "version": version}
    assert (differences("Error", body) == []) is is_version(version)


def test_a_response_that_differs_from_the_contract_is_found() -> None:
    """Every response to ``tests.support.api_client.Api`` is compared in this way."""
    product = dict(examples.PRODUCT)
    assert differences("Product", product) == []
    for wrong in (
        product | {"colour": "red"},
        product | {"price": 1500},
        product | {"period": None},
        product | {"currency": "XXX"},
        {name: value for name, value in product.items() if name != "features"},
    ):
        assert differences("Product", wrong), wrong


@pytest.mark.django_db
def test_contract_and_docs_are_public_and_load_no_external_file() -> None:
    assert Client().get("/v1.0/schema").status_code == 200
    page = Client().get("/v1.0/docs").text
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert links
    assert [link for link in links if not link.startswith(("/static/", "/v1.0/"))] == []


@pytest.mark.generated
@pytest.mark.timeout(1800)
def test_a_running_server_conforms_to_the_contract(deployment: Deployment, tmp_path: Path) -> None:
    deployment.migrate()
    deployment.start_web()
    for number in range(3):
        body = fields(productId=f"p{number}", name=f"Hosting {number}")
        assert deployment.call("POST", "/v1.0/products", body)[0] == 202
    run = subprocess.run(
        [
            str(Path(sys.executable).parent / "schemathesis"),
            *("run", deployment.url("/v1.0/schema"), "--url", deployment.url("")),
            *("--header", f"Authorization: Bearer {deployment.token()}", "--seed", "1"),
            *("--max-examples", EXAMPLES, "--exclude-checks", EXCLUDED_CHECKS, "--no-color"),
            "--continue-on-failure",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=1780,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:]
