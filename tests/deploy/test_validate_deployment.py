"""``manage.py validate_deployment``: a complete environment passes, and each fault is reported."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from bbws_products.validation import findings
from deploy.local.engines import ROOT, free_port
from tests.deploy.broken_environments import (
    EXPECTED_FINDINGS,
    delete_search_index,
    disable_deletion_protection,
)
from tests.support.api_client import token_of
from tests.support.aws_environment import (
    Environment,
    allow,
    forbid,
    make_role,
    serve_application,
)
from tests.support.wiring import forget_wiring

pytestmark = pytest.mark.django_db
AREAS = {"settings", "sql", "table", "queues", "buckets", "search", "permissions"}
Row = dict[str, Any]


def validate(*arguments: str) -> tuple[list[Row], int]:
    """Run the command; return its findings and its exit status."""
    out = StringIO()
    try:
        call_command("validate_deployment", "--json", *arguments, stdout=out)
    except CommandError as error:
        return json.loads(out.getvalue()), error.returncode
    return json.loads(out.getvalue()), 0


def failed(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["state"] in ("differs", "missing")]


def test_complete_environment_passes(environment: Environment) -> None:
    rows, status = validate()
    assert (failed(rows), status) == ([], 0)
    assert {row["area"] for row in rows if row["state"] == "ok"} == AREAS
    assert all(row["sentence"].endswith(".") for row in rows)
    # On one machine, HTTPS is optional.
    assert {row["area"] for row in rows if row["state"] == "not checked"} == {"settings"}
    rows, _ = validate("--role", "worker")
    (not_checked,) = [
        row for row in rows if (row["area"], row["state"]) == ("permissions", "not checked")
    ]
    assert not_checked["sentence"].startswith("The root user may do everything")


def test_strict_mode_requires_hardening(environment: Environment, settings: Any) -> None:
    rows, status = validate("--strict")
    assert status == 1
    assert {row["area"] for row in rows if row["state"] != "ok"} == {"settings"}
    settings.SECURE_SSL_REDIRECT = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31_536_000, True
    arn = make_role(environment, "worker")
    rows, status = validate("--strict", "--role", "worker", "--principal", arn)
    assert [row for row in rows if row["state"] != "ok"] == []
    assert status == 0


@pytest.mark.parametrize("damage", EXPECTED_FINDINGS)
def test_exactly_the_faults_are_reported(
    environment: Environment, damage: Callable[[Environment], None]
) -> None:
    damage(environment)
    rows, status = validate("--strict")
    areas = {"table", "queues", "buckets", "search"}
    found = {
        (row["area"], row["what"]): row["sentence"] for row in failed(rows) if row["area"] in areas
    }
    expected = EXPECTED_FINDINGS[damage]
    assert set(found) == set(expected)
    assert [what for what, part in expected.items() if part not in found[what]] == []
    assert status == 1


def test_insecure_settings_are_reported(environment: Environment, settings: Any) -> None:
    settings.SECRET_KEY = "insecure-but-long-enough-for-anybody-to-remember"
    settings.TOKEN_KEYS = [settings.SECRET_KEY]
    settings.ALLOWED_HOSTS = ["*"]
    found = {(row["subject"], row["what"]) for row in failed(validate()[0])}
    assert found == {
        ("SECRET_KEY", "strength"),
        ("TOKEN_KEYS", "strength"),
        ("TOKEN_KEYS", "separation"),
        ("ALLOWED_HOSTS", "hosts"),
    }


def test_missing_migrations_are_reported_with_exit_code_1(
    environment: Environment, tmp_path: Path
) -> None:
    """The process uses the settings of the tests, whose table and queues do not exist here."""
    command = [sys.executable, "manage.py", "validate_deployment", "--json"]
    variables = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}"}
    ended = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=100, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.strip().endswith("checks failed.")
    (sql,) = [row for row in json.loads(ended.stdout) if row["area"] == "sql"]
    assert (sql["state"], sql["what"]) == ("differs", "migrations")
    assert "products.0004_operators" in sql["sentence"]


@pytest.mark.parametrize("role", ["web", "worker"])
def test_missing_and_excess_permissions_are_reported(environment: Environment, role: str) -> None:
    arn = make_role(environment, role)
    rows, status = validate("--role", role, "--principal", arn)
    assert (failed(rows), status) == ([], 0)
    forbid(environment, role, "dynamodb:UpdateItem")
    (found,) = failed(validate("--role", role, "--principal", arn)[0])
    assert (found["what"], found["sentence"]) == (
        f"dynamodb:UpdateItem on table/{environment.table}",
        "It is needed, but not allowed.",
    )
    allow(environment, role, "s3:*", "*")
    names = {
        row["what"].partition(" ")[0]
        for row in failed(validate("--role", role, "--principal", arn)[0])
    }
    assert names == {"dynamodb:UpdateItem", "s3:DeleteObject", "s3:PutBucketPolicy"}


def test_unavailable_service_is_reported_and_blocks_no_check(
    environment: Environment, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    settings.OPENSEARCH_URL = f"http://127.0.0.1:{free_port()}"
    forget_wiring()
    findings.aws_client.cache_clear()
    rows, status = validate("--url", f"http://127.0.0.1:{free_port()}")
    assert status == 1
    missing = {row["area"] for row in rows if row["state"] == "missing"}
    assert missing == (AREAS | {"endpoints"}) - {"settings", "sql"}
    assert {row["area"] for row in rows if row["state"] == "ok"} == {
        "settings",
        "sql",
        "permissions",
    }
    assert [
        row["subject"] for row in rows if (row["area"], row["state"]) == ("permissions", "ok")
    ] == ["sql"]
    findings.aws_client.cache_clear()


@pytest.fixture
def address() -> Iterator[str]:
    with serve_application() as url:
        yield url


def test_endpoints_are_checked_as_clients_see_them(
    environment: Environment, address: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://portal.example"]
    monkeypatch.setenv("SMOKE_TOKEN", token_of("smoke", "Product viewers"))
    rows, status = validate("--url", address)
    assert (failed(rows), status) == ([], 0)
    sentences = {row["what"]: row["sentence"] for row in rows if row["area"] == "endpoints"}
    assert sentences["a write without a token"] == "It is 401."
    assert sentences["CORS for https://portal.example"] == "It is https://portal.example."
    assert sentences["CORS for others"] == "They may not call."
    assert sentences["contract, version"] == "It is 1.0."
    assert sentences["/readyz, dynamodb"] == "It is ok."
    settings.CORS_ALLOW_ALL_ORIGINS, settings.SECURE_REFERRER_POLICY = True, "origin"
    settings.SECURE_CONTENT_TYPE_NOSNIFF = False
    settings.SPECTACULAR_SETTINGS = settings.SPECTACULAR_SETTINGS | {"VERSION": "0.9"}
    found = {row["what"] for row in failed(validate("--url", address)[0])}
    assert found >= {"CORS for others", "contract, version"}


def test_functions_contract_passes(environment: Environment, address: str, settings: Any) -> None:
    """The API functions have other URLs than the containers, and serve the contract as YAML."""
    settings.ROOT_URLCONF = "bbws_products.urls_api"
    rows, status = validate("--url", address)
    assert (failed(rows), status) == ([], 0)
    sentences = {row["what"]: row["sentence"] for row in rows if row["area"] == "endpoints"}
    assert sentences["contract, version"] == "It is 1.0."
    settings.SPECTACULAR_SETTINGS = settings.SPECTACULAR_SETTINGS | {"VERSION": "0.9"}
    assert {row["what"] for row in failed(validate("--url", address)[0])} == {"contract, version"}


def test_dev_needs_no_deletion_protection(environment: Environment, settings: Any) -> None:
    disable_deletion_protection(environment)
    found = failed(validate("--strict")[0])
    assert ("table", "deletion protection") in {(row["area"], row["what"]) for row in found}
    settings.DELETION_PROTECTION = False
    found = failed(validate("--strict")[0])
    assert ("table", "deletion protection") not in {(row["area"], row["what"]) for row in found}


def test_default_output_is_a_table_with_totals(environment: Environment) -> None:
    delete_search_index(environment)
    out = StringIO()
    with pytest.raises(CommandError, match=r"2 of \d+ checks failed"):
        call_command("validate_deployment", stdout=out)
    lines = out.getvalue().strip().splitlines()
    missing = [line.split()[:3] for line in lines if line.startswith("missing")]
    assert missing == [
        ["missing", "search", f"{environment.table}:"],
        ["missing", "permissions", "opensearch:"],
    ]
    assert "2 missing" in lines[-1]
