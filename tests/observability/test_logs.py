"""What a log line holds, what is worth one, and what never stands in any."""

import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from celery.app.trace import trace_task
from django.contrib.auth.models import Group, User
from django.test import Client

from bbws_products.celery import app
from bbws_products.logs import JsonFormatter, LineFormatter
from products import bootstrap
from products.bulk.job import JobKind
from products.bulk.rows import planned_row
from products.catalogue import Catalogue
from products.changes import Effect, Origin
from products.errors import ChangeNotFound
from products.log_context import LogFieldsFilter, log_fields
from tests.support.api_client import Api
from tests.support.builders import fields
from tests.support.wiring import forget_wiring
from tests.support.world import World


class Log(logging.Handler):
    """Keeps what a deployment would write."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter("test"))
        self.addFilter(LogFieldsFilter())
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))

    def lines(self, **wanted: Any) -> list[dict[str, Any]]:
        return [line for line in map(json.loads, self.texts) if wanted.items() <= line.items()]

    def events(self, **wanted: Any) -> list[str]:
        return [line["event"] for line in self.lines(**wanted)]


@pytest.fixture
def log() -> Iterator[Log]:
    kept, root = Log(), logging.getLogger()
    root.addHandler(kept)
    yield kept
    root.removeHandler(kept)


def record(**facts: Any) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"name": "products", "levelname": "INFO", "msg": "an event", "created": 0.5, **facts}
    )


def test_an_event_is_one_line_of_json_with_what_is_particular_about_it() -> None:
    line = json.loads(
        JsonFormatter().format(
            record(msg="two\nlines", product_id="p1", at=datetime(2026, 1, 1, tzinfo=UTC))
        )
    )
    assert line == {
        "time": "1970-01-01T00:00:00.500Z",
        "level": "INFO",
        "logger": "products",
        "event": "two\nlines",
        "product_id": "p1",
        "at": "2026-01-01 00:00:00+00:00",
    }
    assert "\n" not in JsonFormatter().format(record(msg="two\nlines"))


def test_an_error_is_one_field_with_its_type_and_stack() -> None:
    try:
        raise ZeroDivisionError("by nought")
    except ZeroDivisionError:
        line = json.loads(JsonFormatter().format(record(exc_info=sys.exc_info())))
    assert line["exception"]["type"] == "ZeroDivisionError"
    assert line["exception"]["stack"].endswith("ZeroDivisionError: by nought")
    assert "exception" not in json.loads(
        JsonFormatter().format(record(exc_info=(None, None, None)))
    )


@pytest.mark.parametrize(
    "name",
    ["Authorization", "authorisation", "cookie", "api_token", "secret_key", "password", "body"],
)
@pytest.mark.parametrize("formatter", [JsonFormatter(), LineFormatter()])
def test_what_sounds_like_a_secret_is_hidden(formatter: logging.Formatter, name: str) -> None:
    assert "hush" not in formatter.format(record(**{name: "hush"}))
    assert "[hidden]" in formatter.format(record(**{name: "hush"}))


def test_what_is_bound_stands_on_every_line_and_ends_with_its_block(log: Log) -> None:
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


def test_a_write_is_told_of_when_it_comes_and_when_it_is_answered(api: Api, log: Log) -> None:
    assert (
        api("post", "/products", fields(productId="p1"), X_Request_ID="request-one").status_code
        == 202
    )
    assert log.events(request_id="request-one") == [
        "request received",
        "change accepted",
        "message sent",
        "request answered",
    ]
    assert (
        api("patch", "/products/p1", {"price": "-1"}, X_Request_ID="request-two").status_code == 400
    )
    (answered,) = log.lines(request_id="request-two", event="request answered")
    wanted = {
        "endpoint": "PATCH /v1.0/products/{product_id}",
        "product_id": "p1",
        "status": 400,
        "status_class": "4xx",
    }
    assert wanted.items() <= answered.items()


def test_reads_of_the_public_are_sampled_by_their_id_and_all_else_is_told(
    api: Api, public: Api, p1: str, log: Log, settings: Any
) -> None:
    def told(who: Api, path: str, request_id: str) -> bool:
        who("get", path, X_Request_ID=request_id)
        return bool(log.lines(event="request answered", request_id=request_id))

    settings.LOG_SAMPLE_READS = 0
    assert not told(public, "/products", "a-public-read")
    assert told(public, "/products/none", "a-missing-product")
    assert told(api, "/products", "a-read-of-staff")
    settings.LOG_SAMPLE_READS = 0.5
    sample = {
        request_id: told(public, "/products", request_id)
        for request_id in map("request-{}".format, range(40))
    }
    assert 5 < sum(sample.values()) < 35
    log.texts.clear()
    assert {request_id: told(public, "/products", request_id) for request_id in sample} == sample
    settings.LOG_SAMPLE_READS = 1
    assert told(public, "/products", "a-public-read")


def test_health_checks_are_never_told_of_unless_the_process_fails(
    world: World, db: None, log: Log, settings: Any
) -> None:
    for path in ("/healthz", "/readyz", "/static/none.css"):
        Client().get(path)
    assert log.events(status=200) == []
    settings.PRODUCTS_TABLE = "no-such-table"
    forget_wiring()
    assert Client().get("/readyz").status_code == 503
    assert log.lines(event="request answered")[-1]["status"] == 503


def test_who_asked_is_told_without_asking_for_it(world: World, db: None, log: Log) -> None:
    """To look at a session makes the answer vary by cookie, which no cache would keep then."""
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


def test_an_error_of_ours_has_the_same_request_id_in_log_and_answer(
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


def test_no_token_cookie_or_body_is_ever_written(api: Api, world: World, log: Log) -> None:
    logging.getLogger("django").setLevel(logging.DEBUG)
    api("post", "/products", fields(productId="p1", description="Words that only the body holds."))
    api("post", "/products", {"name": "Words that only the body holds."})
    client = Client()
    client.cookies["sessionid"] = "cookie-value-of-the-test"
    client.post("/admin/login/", {"username": "ann", "password": "password-of-the-test"})
    client.get("/v1.0/products", headers={"Authorization": "Bearer token-of-the-test"})
    everything = "\n".join(log.texts)
    assert "request answered" in everything
    assert [
        s
        for s in ("eyJ", "only the body", "cookie-value", "password-of", "token-of")
        if s in everything
    ] == []


# Tasks: through the tracer that the worker and the Lambda entry run them by


def traced(task: str, headers: dict[str, Any], **kwargs: Any) -> Any:
    request = {"id": "task-1", "is_eager": False, "args": [], "kwargs": kwargs, "headers": headers}
    return trace_task(app.tasks[task], "task-1", [], kwargs, request, app=app)


def test_a_task_tells_what_became_of_it_with_the_ids_of_its_message(
    catalogue: Catalogue, ann: Origin, log: Log
) -> None:
    change = catalogue.create("p1", fields(), ann).change
    assert change
    log.texts.clear()
    ids = {"request_id": "request-of-ann", "change_id": change.change_id}
    assert (
        traced("products.persist", {**ids, "attempt": 2}, product_id="p1", version=1).info is None
    )
    of_task = {
        "task": "products.persist",
        "task_id": "task-1",
        "attempt": 2,
        "product_id": "p1",
        "version": 1,
        **ids,
    }
    events = log.events(**of_task)
    assert (events[0], events[1], events[-1]) == ("task received", "effect stamped", "task done")
    assert log.lines(event="task done")[0]["duration_ms"] > 0
    assert {line["task"] for line in log.lines(event="message sent")} == {
        "products.invalidate",
        "products.index",
        "products.audit",
    }


def test_a_failed_task_tells_why_and_the_error_goes_on(
    world: World, log: Log, settings: Any
) -> None:
    failed = traced("products.persist", {}, product_id="none", version=1)
    assert isinstance(failed.info.retval, ChangeNotFound)
    (line,) = log.lines(event="task failed")
    assert (line["level"], line["exception"]["type"], line["TaskFailures"]) == (
        "ERROR",
        "ChangeNotFound",
        1,
    )
    settings.PRODUCTS_TABLE = "no-such-table"
    forget_wiring()
    traced("products.persist", {}, product_id="none", version=1)
    assert (
        log.lines(event="task failed")[-1]["level"] == "WARNING"
    )  # it passes, and the message comes back
    assert len(log.lines(level="ERROR")) == 1


def test_the_relay_tells_only_what_it_found(catalogue: Catalogue, ann: Origin, log: Log) -> None:
    assert traced("products.relay", {}).info is None
    catalogue.create("p1", fields(), ann)
    assert traced("products.relay", {}).info is None
    assert log.events(task="products.relay") == ["relay done", "relay done"]
    empty, busy = log.lines(event="relay done")
    assert empty["oldest_seconds"] == 0 < busy["OldestOpenChange"]


def test_a_job_tells_of_each_chunk_and_its_changes_are_found_by_it(
    catalogue: Catalogue, ann: Origin, log: Log
) -> None:
    catalogue.create("p1", fields(), ann)
    row = planned_row(1, catalogue.newest("p1"), {"price": "9.00"})
    job = bootstrap.jobs().plan(JobKind.BULK, "Cheaper", [row], actor="eve")
    bootstrap.jobs().start(job.job_id)
    assert traced("products.job", {"request_id": job.job_id}, job_id=job.job_id).info is None
    assert log.events(request_id=job.job_id) == [
        *("job state changed", "message sent", "task received"),
        *("change accepted", "message sent", "job chunk done", "task done"),
    ]
    (chunk,) = log.lines(event="job chunk done", job_id=job.job_id, task="products.job")
    assert (chunk["state"], chunk["counts"]["accepted"], chunk["rows"]) == ("done", 1, 1)


def test_what_an_operator_does_is_told(catalogue: Catalogue, ann: Origin, log: Log) -> None:
    catalogue.create("p1", fields(), ann)
    bootstrap.operations().retry("p1", 1, Effect.STORED, by="olga")
    (line,) = log.lines(event="operator action")
    assert (line["actor"], line["action"], line["changes"]) == ("olga", "retried stored", ["p1 v1"])
    bootstrap.operations().discard("p1", 1, Effect.SEARCHABLE, reason="No longer sold", by="olga")
    assert log.lines(event="operator action")[-1]["reason"] == "No longer sold"


def test_a_locked_login_is_counted_and_names_nobody(
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
