"""The contents of log lines: which events are logged, and what is never logged."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from bbws_products.logs import (
    MAX_TEXT_LENGTH,
    JsonFormatter,
    LevelFilter,
    LineFormatter,
    RefusedRequestFilter,
    logging_settings,
)
from products import bootstrap
from products.acceptance import Acceptance
from products.adapters.sqs.task_messages import task_message
from products.bulk.job import JobKind
from products.bulk.rows import planned_row
from products.catalogue import Catalogue
from products.changes import Effect, Origin
from products.log_context import LogFieldsFilter, log_fields
from tasks.running import Delivery, read_deliveries, run_effects, run_other
from tests.support.api_client import Api
from tests.support.builders import fields, origin
from tests.support.wiring import forget_wiring
from tests.support.world import World

EVE, OLGA = origin("eve"), origin("olga")


class Log(logging.Handler):
    """A handler that keeps the JSON lines of a deployment."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter("test"))
        self.addFilter(LogFieldsFilter())
        self.addFilter(RefusedRequestFilter())
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))

    def lines(self, **fields: Any) -> list[dict[str, Any]]:
        """Return the lines with these fields."""
        return [line for line in map(json.loads, self.texts) if fields.items() <= line.items()]

    def events(self, **fields: Any) -> list[str]:
        return [line["event"] for line in self.lines(**fields)]


@pytest.fixture
def log() -> Iterator[Log]:
    handler, root = Log(), logging.getLogger()
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)


def record(**fields: Any) -> logging.LogRecord:
    defaults = {"name": "products", "levelname": "INFO", "msg": "an event", "created": 0.5}
    return logging.makeLogRecord(defaults | fields)


def test_event_is_one_json_line_with_its_fields() -> None:
    event = record(msg="two\nlines", product_id="p1", at=datetime(2026, 1, 1, tzinfo=UTC))
    line = json.loads(JsonFormatter().format(event))
    assert line == {
        "time": "1970-01-01T00:00:00.500Z",
        "level": "INFO",
        "logger": "products",
        "event": "two\nlines",
        "product_id": "p1",
        "at": "2026-01-01 00:00:00+00:00",
    }
    assert "\n" not in JsonFormatter().format(record(msg="two\nlines"))


def test_exception_is_one_field_with_type_and_stack() -> None:
    try:
        raise ZeroDivisionError("by zero")
    except ZeroDivisionError:
        line = json.loads(JsonFormatter().format(record(exc_info=sys.exc_info())))
    assert line["exception"]["type"] == "ZeroDivisionError"
    assert line["exception"]["stack"].endswith("ZeroDivisionError: by zero")
    without = JsonFormatter().format(record(exc_info=(None, None, None)))
    assert "exception" not in json.loads(without)


@pytest.mark.parametrize(
    "name",
    ["Authorization", "authorisation", "cookie", "api_token", "secret_key", "password", "body"],
)
@pytest.mark.parametrize("formatter", [JsonFormatter(), LineFormatter()])
def test_fields_named_like_secrets_are_hidden(formatter: logging.Formatter, name: str) -> None:
    assert "hush" not in formatter.format(record(**{name: "hush"}))
    assert "[hidden]" in formatter.format(record(**{name: "hush"}))


def test_bound_fields_are_on_every_line_of_their_block(log: Log) -> None:
    logger = logging.getLogger("some.library")
    with log_fields(request_id="r1", product_id="p1", actor=None):
        with log_fields(product_id="p2"):
            logger.warning("inner", extra={"request_id": "its own"})
        logger.warning("outer")
    logger.warning("after")
    inner, outer, after = log.lines()
    assert (inner["request_id"], inner["product_id"]) == ("its own", "p2")
    assert (outer["request_id"], outer["product_id"]) == ("r1", "p1")
    assert "actor" not in outer
    assert "request_id" not in after


# Requests


def test_write_is_logged_on_arrival_and_on_response(api: Api, log: Log) -> None:
    created = api("post", "/products", fields(productId="p1"), X_Request_ID="request-one")
    assert created.status_code == 202
    assert log.events(request_id="request-one") == [
        "request received",
        "change accepted",
        "message sent",
        "request answered",
    ]
    refused = api("patch", "/products/p1", {"price": "-1"}, X_Request_ID="request-two")
    assert refused.status_code == 400
    (answered,) = log.lines(request_id="request-two", event="request answered")
    expected = {
        "endpoint": "PATCH /v1.0/products/{product_id}",
        "product_id": "p1",
        "status": 400,
        "status_class": "4xx",
    }
    assert expected.items() <= answered.items()


def test_public_reads_are_sampled_by_request_id(
    api: Api, public: Api, p1: str, log: Log, settings: Any
) -> None:
    def is_logged(client: Api, path: str, request_id: str) -> bool:
        client("get", path, X_Request_ID=request_id)
        return bool(log.lines(event="request answered", request_id=request_id))

    settings.LOG_SAMPLE_READS = 0
    assert not is_logged(public, "/products", "a-public-read")
    assert is_logged(public, "/products/none", "a-missing-product")
    assert is_logged(api, "/products", "a-read-of-staff")
    settings.LOG_SAMPLE_READS = 0.5
    request_ids = [f"request-{number}" for number in range(40)]
    sample = [is_logged(public, "/products", request_id) for request_id in request_ids]
    assert 5 < sum(sample) < 35
    log.texts.clear()
    assert [is_logged(public, "/products", request_id) for request_id in request_ids] == sample
    settings.LOG_SAMPLE_READS = 1
    assert is_logged(public, "/products", "a-public-read")


def test_health_checks_are_logged_only_when_they_fail(
    world: World, db: None, log: Log, settings: Any
) -> None:
    for path in ("/healthz", "/readyz", "/static/none.css"):
        Client().get(path)
    assert log.events(status=200) == []
    settings.PRODUCTS_TABLE = "no-such-table"
    forget_wiring()
    assert Client().get("/readyz").status_code == 503
    assert log.lines(event="request answered")[-1]["status"] == 503


def test_logging_the_user_does_not_load_the_session(world: World, db: None, log: Log) -> None:
    """Loading it would make the response vary by cookie, so caches could not store it."""
    client = Client()
    assert "Cookie" not in client.get("/").get("Vary", "")
    assert log.lines(event="request answered")[-1]["actor"] == ""
    user = User.objects.create(username="ann", is_staff=True)
    user.groups.add(Group.objects.get(name="Product viewers"))
    client.force_login(user)
    client.get("/admin/products/product/")
    answered = log.lines(event="request answered")[-1]
    assert (answered["actor"], answered["endpoint"]) == ("ann", "GET /admin")
    client.get("/nowhere")
    client.generic("BREW", "/nowhere")
    assert [line["endpoint"] for line in log.lines(event="request answered")[-2:]] == [
        "GET unknown",
        "OTHER unknown",
    ]


def test_server_error_has_the_same_request_id_in_log_and_response(
    world: World, db: None, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("products.api.views.catalogue", None)
    answer = Client(raise_request_exception=False).get("/v1.0/products")
    assert answer.status_code == 500
    (error,) = log.lines(level="ERROR")
    assert error["request_id"] == answer.json()["requestId"] == answer["X-Request-ID"]
    assert error["exception"]["type"] == "TypeError"
    (answered,) = log.lines(event="request answered", level="WARNING")
    assert (answered["status"], answered["request_id"]) == (500, error["request_id"])


def test_tokens_cookies_and_bodies_are_never_logged(api: Api, world: World, log: Log) -> None:
    logging.getLogger("django").setLevel(logging.DEBUG)
    api("post", "/products", fields(productId="p1", description="Text that is only in the body."))
    api("post", "/products", {"name": "Text that is only in the body."})
    client = Client()
    client.cookies["sessionid"] = "cookie-value-of-the-test"
    client.post("/admin/login/", {"username": "ann", "password": "password-of-the-test"})
    client.get("/v1.0/products", headers={"Authorization": "Bearer token-of-the-test"})
    everything = "\n".join(log.texts)
    assert "request answered" in everything
    for secret in ("eyJ", "only in the body", "cookie-value", "password-of", "token-of"):
        assert secret not in everything


# Tasks, run as in the worker and on Lambda


def run_task(task: str, headers: dict[str, Any], *, attempt: int = 1, **kwargs: Any) -> bool:
    """Run a task; return whether its message is done."""
    body = task_message("task-1", task, kwargs, headers, queue="q")
    delivery = Delivery(
        message_id="m1", receipt_handle="h", body=body, receive_count=attempt, queue="q"
    )
    of_effects, others, invalid = read_deliveries([delivery])
    assert not invalid
    return not run_effects(of_effects) if of_effects else run_other(others[0])


def test_task_is_logged_with_the_ids_of_its_message(
    acceptance: Acceptance, ann: Origin, log: Log
) -> None:
    change = acceptance.create("p1", fields(), ann).change
    assert change
    log.texts.clear()
    ids = {"request_id": "request-of-ann", "change_id": change.change_id}
    assert run_task("products.persist", ids, attempt=2, product_id="p1", version=1)
    task_fields = {
        "task": "products.persist",
        "task_id": "task-1",
        "attempt": 2,
        "product_id": "p1",
        "version": 1,
        **ids,
    }
    events = log.events(**task_fields)
    assert events == [*["effect stamped"] * 3, "task done"]
    assert log.lines(event="task done")[0]["duration_ms"] > 0
    (sent,) = log.lines(event="message sent")
    assert sent["task"] == "products.invalidate"


def test_failed_task_is_logged(world: World, log: Log, settings: Any) -> None:
    assert not run_task("products.persist", {}, product_id="none", version=1)
    (line,) = log.lines(event="task failed")
    assert line["level"] == "ERROR"
    assert line["exception"]["type"] == "ChangeNotFound"
    assert line["TaskFailures"] == 1
    settings.PRODUCTS_TABLE = "no-such-table"
    forget_wiring()
    assert not run_task("products.persist", {}, product_id="none", version=1)
    # An unavailable dependency is a warning, because SQS delivers the message again.
    assert log.lines(event="task failed")[-1]["level"] == "WARNING"
    assert len(log.lines(level="ERROR")) == 1
    # After the last receive, the message is deleted, and the relay requeues the change.
    assert run_task("products.persist", {}, attempt=3, product_id="none", version=1)
    assert [line["left_to_relay"] for line in log.lines(event="task failed")] == [
        False,
        False,
        True,
    ]


def test_relay_logs_what_it_found(acceptance: Acceptance, ann: Origin, log: Log) -> None:
    assert run_task("products.relay", {})
    acceptance.create("p1", fields(), ann)
    assert run_task("products.relay", {})
    assert log.events(task="products.relay") == ["relay done", "relay done"]
    empty, busy = log.lines(event="relay done")
    assert empty["oldest_seconds"] == 0 < busy["OldestOpenChange"]


def test_job_id_finds_each_chunk_and_each_change(
    acceptance: Acceptance, catalogue: Catalogue, ann: Origin, log: Log
) -> None:
    acceptance.create("p1", fields(), ann)
    row = planned_row(1, catalogue.newest("p1"), {"price": "9.00"})
    job = bootstrap.jobs().plan(JobKind.BULK, "Cheaper", [row], EVE)
    bootstrap.jobs().start(job.job_id, EVE)
    assert run_task("products.job", {"request_id": job.job_id}, job_id=job.job_id)
    assert log.events(request_id=job.job_id) == [
        *("job state changed", "message sent"),
        *("change accepted", "effect stamped", "effect stamped", "effect stamped"),
        *("message sent", "job chunk done", "task done"),
    ]
    (chunk,) = log.lines(event="job chunk done", job_id=job.job_id, task="products.job")
    assert (chunk["state"], chunk["counts"]["accepted"], chunk["rows"]) == ("done", 1, 1)


def test_operator_actions_are_logged(acceptance: Acceptance, ann: Origin, log: Log) -> None:
    acceptance.create("p1", fields(), ann)
    bootstrap.operations().retry("p1", 1, Effect.STORED, OLGA)
    (line,) = log.lines(event="operator action")
    assert (line["actor"], line["action"], line["changes"]) == ("olga", "retried stored", ["p1 v1"])
    bootstrap.operations().discard("p1", 1, Effect.SEARCHABLE, OLGA, reason="No longer sold")
    assert log.lines(event="operator action")[-1]["reason"] == "No longer sold"


def test_lockout_is_counted_without_the_user_name(
    world: World, db: None, log: Log, settings: Any
) -> None:
    settings.AXES_FAILURE_LIMIT = 1
    for _ in range(2):
        Client().post(
            "/admin/login/", {"username": "somebody", "password": "wrong"}, REMOTE_ADDR="192.0.2.7"
        )
    line = log.lines(event="login locked")[-1]
    assert (line["LoginLocks"], line["retry_after_seconds"] > 0) == (1, True)
    assert "somebody" not in json.dumps(line)


@pytest.mark.parametrize(
    ("logger", "level", "event", "is_logged"),
    [
        ("tasks.products", "INFO", "relay done", True),
        ("products.acceptance", "INFO", "change accepted", True),
        ("tasks.running", "INFO", "task done", False),
        ("bbws_products.request_log", "INFO", "request answered", False),
        ("bbws_products.request_log", "ERROR", "request answered", True),
        ("django.server", "INFO", "anything", True),
    ],
)
def test_level_filter_keeps_what_alarms_need(
    logger: str, level: str, event: str, is_logged: bool
) -> None:
    """In prod the level is WARNING, but a missing metric of the relay starts an alarm."""
    number = logging.getLevelNamesMapping()[level]
    record = logging.LogRecord(logger, number, "", 0, event, None, None)
    assert LevelFilter("WARNING").filter(record) is is_logged


def test_higher_level_changes_only_the_filter() -> None:
    prod = logging_settings("json", "WARNING", "prod")
    assert prod["loggers"]["tasks"]["level"] == "INFO"
    assert prod["handlers"]["stderr"]["filters"] == ["bound", "refused", "level"]
    without_metrics = logging_settings("json", "WARNING", None)
    assert without_metrics["loggers"]["tasks"]["level"] == "WARNING"
    assert without_metrics["handlers"]["stderr"]["filters"] == ["bound", "refused"]


@pytest.mark.parametrize("make_formatter", [LineFormatter, JsonFormatter])
def test_text_that_a_client_chose_is_shortened(
    make_formatter: Callable[[], logging.Formatter],
) -> None:
    event = record(msg="Invalid HTTP_HOST header: " + "a" * 60_000, path="b" * 60_000)
    line = make_formatter().format(event)
    assert len(line) < 3 * MAX_TEXT_LENGTH
    assert "Invalid HTTP_HOST header" in line


@pytest.mark.parametrize("path", ["/v1.0/products", "/admin/"])
def test_request_that_django_refuses_is_one_warning(path: str, db: None, log: Log) -> None:
    assert Client(raise_request_exception=False).get(path, HTTP_HOST="evil").status_code == 400
    [refused] = [line for line in log.lines() if line["logger"].startswith("django.security")]
    assert refused["level"] == "WARNING"
    assert "exception" not in refused
    assert log.lines(level="ERROR") == []


@pytest.mark.parametrize("odd", ["\n", "\r", "\x1b[31m", "\x85", "\u2028", "\x00", "\x9b"])
def test_line_for_people_is_one_line_without_control_characters(odd: str) -> None:
    record = logging.LogRecord("bbws", logging.INFO, "f", 1, "request answered", None, None)
    record.path = f"/v1.0/{odd}ERROR forged"
    line = LineFormatter().format(record)
    assert len(line.splitlines()) == 1
    assert odd not in line
    assert "forged" in line
