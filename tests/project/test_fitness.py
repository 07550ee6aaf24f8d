"""What no linter sees: that the parts agree, and that the house keeps to its own measures."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from bbws_products.celery import app
from deploy.local.engines import ROOT
from products import bootstrap
from products.effects import TASKS
from tasks.products import EFFECT_TASKS, SINGLE_TASKS
from tasks.queues import SHARED_QUEUES, SHORT_NAMES, dlq_name, queue_names
from tests import plugin
from tests.support.startup import OWN_KEYS, start

SOURCES = [
    path
    for room in ("products", "tasks", "bbws_products", "deploy")
    for path in (ROOT / room).rglob("*.py")
]
TESTS = list((ROOT / "tests").rglob("*.py"))


def test_every_effect_has_a_task_and_every_task_a_queue() -> None:
    names = {f"products.{task}" for task in TASKS.values()}
    assert names == set(SHORT_NAMES.values()) == set(EFFECT_TASKS)
    assert set(SHARED_QUEUES) == set(SINGLE_TASKS)
    assert set(app.conf.task_routes) == names | set(SHARED_QUEUES)
    assert {queue.name for queue in app.conf.task_queues} == set(queue_names(plugin.ENV).values())
    assert set(app.conf.broker_transport_options["predefined_queues"]) == set(
        queue_names(plugin.ENV).values()
    )


def test_queues_are_named_as_designed() -> None:
    assert set(queue_names("prod").values()) == {
        f"bbws-product-{part}-prod" for part in ("change", "cache", "search", "audit")
    }
    assert dlq_name("bbws-product-change-prod", "prod") == "bbws-product-change-dlq-prod"


def test_no_publish_is_endless() -> None:
    client = bootstrap.sqs().client.meta.config
    assert client.retries["total_max_attempts"] == 1
    assert client.connect_timeout + client.read_timeout <= 5
    assert app.conf.task_publish_retry is False


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            docstring = len((ast.get_docstring(node) or "").splitlines())
            assert (node.end_lineno or 0) - node.lineno + 1 - docstring <= 30, node.name


def test_test_modules_stay_small() -> None:
    assert [path.name for path in TESTS if path.read_text().count("\n") > 400] == []


def test_tests_skip_before_they_start_anything() -> None:
    """A test declares its tools with ``needs``; a skip inside a test comes after its fixtures."""
    skipping = [
        f"{path.name}: {function.name}"
        for path in TESTS
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_")
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in {"skip", "pytest.skip"}
    ]
    assert skipping == []


def test_nothing_in_the_code_scans() -> None:
    judge = (
        ROOT / "tests" / "gameday" / "evidence.py"
    )  # finds what no access path leads to, in a table of its own
    texts = {path.name: path.read_text() for path in SOURCES if path != judge}
    assert [name for name, text in texts.items() if '"scan"' in text or ".scan(" in text] == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set. Any long random text"),
        ({"SQS_QUEUE_URL_PREFIX": ""}, "SQS_QUEUE_URL_PREFIX is not set. e.g."),
        ({"OPENSEARCH_URL": ""}, "or switch search off with ENABLE_OPENSEARCH=0"),
        ({"DEBUG": "maybe"}, "DEBUG must be 1 or 0, not 'maybe'"),
        ({"QUEUES": "change,serach"}, "QUEUES may name change, cache, search, audit, not 'serach'"),
        ({"RELAY_AFTER_SECONDS": "soon"}, "RELAY_AFTER_SECONDS must be a number, not 'soon'"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be json or line, not 'xml'"),
        ({"JWKS_URL": "https://issuer"}, "JWKS_ISSUER is not set."),
        ({"JWKS_URL": "https://issuer", "JWKS_ISSUER": "i"}, "JWKS_AUDIENCE is not set."),
        ({"ENVIRONMENT": "prod", "LOCAL": "0"}, "prod refuses to start"),
        (OWN_KEYS | {"DEBUG": "1"}, "prod refuses to start"),
        (OWN_KEYS | {"LOCAL": "1"}, "prod refuses to start"),
        (OWN_KEYS | {"TOKEN_KEYS": "x" * 40}, "prod refuses to start"),
    ],
)
def test_a_wrong_setting_says_how_to_set_it(changes: dict[str, str], sentence: str) -> None:
    refused = start(**changes)
    assert refused.returncode == 1
    assert sentence in refused.stderr


def test_production_starts_with_keys_of_its_own() -> None:
    started = start(**OWN_KEYS)
    assert started.stdout.strip() == "started", started.stderr


def test_the_benchmarks_can_be_started() -> None:
    """Only people start them, so nobody else would see that they can't be."""
    command = [sys.executable, "-m", "tests.bench", "--help"]
    helped = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert "growth" in helped.stdout, helped.stderr
