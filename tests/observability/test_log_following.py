"""A search for one id follows a write through the logs of real processes, to its last effect."""

import json
from typing import Any

from tests.gameday.fault_proxy import PASS, Proxy
from tests.support.builders import fields
from tests.support.processes import Deployment, until

REQUEST = "followed-from-end-to-end"
TASKS = {"products.persist", "products.invalidate", "products.audit"}
"""The worker indexes with the record. It would audit with it too, but S3 is unavailable."""


def log_lines(deployment: Deployment) -> list[dict[str, Any]]:
    """Return all complete lines of the three processes by time; each line must be JSON."""
    lines: list[dict[str, Any]] = []
    for name in ("web", "worker", "scheduler"):
        complete = deployment.log(name).read_text().rpartition("\n")[0]
        lines += [json.loads(line) for line in complete.splitlines() if line]
    return sorted(lines, key=lambda line: str(line["time"]))


def found(deployment: Deployment, **fields: Any) -> list[dict[str, Any]]:
    return matching(log_lines(deployment), **fields)


def matching(log: list[dict[str, Any]], **fields: Any) -> list[dict[str, Any]]:
    """Return the lines with these fields."""
    return [line for line in log if fields.items() <= line.items()]


def tasks_done(deployment: Deployment, change_id: str) -> set[str]:
    """Return the tasks that reported success for the change."""
    return {line["task"] for line in found(deployment, change_id=change_id, event="task done")}


def test_one_search_follows_a_write_through_all_processes(
    deployment: Deployment, aws: Proxy
) -> None:
    """S3 is unavailable until the relay has run, so one task fails and SQS delivers it again."""
    aws.fault = lambda request: 503 if request.method == "PUT" and ".json" in request.path else PASS
    json_lines = {"LOG_FORMAT": "json", "ENABLE_METRICS": "1"}
    deployment.start_worker(AWS_ENDPOINT_URL_S3=aws.url, **json_lines)
    deployment.start_web(**json_lines)
    deployment.start_scheduler(**json_lines)
    body = fields(productId="p1")
    request_id: dict[str, Any] = {"X-Request-ID": REQUEST}
    status, answer, headers = deployment.call("POST", "/v1.0/products", body, **request_id)
    assert (status, headers["X-Request-ID"]) == (202, REQUEST)
    until(lambda: found(deployment, event="change requeued", request_id=REQUEST))
    until(lambda: found(deployment, event="task failed", task="products.audit", attempt=1))
    aws.fault = lambda request: PASS
    deployment.complete("p1")
    until(lambda: tasks_done(deployment, answer["changeId"]) >= TASKS)
    log = log_lines(deployment)  # read once: the relay may still write

    by_request = matching(log, request_id=REQUEST)
    events = [line["event"] for line in by_request]
    assert events[:3] == ["request received", "change accepted", "message sent"]
    assert events.index("effect stamped") > 2
    (accepted,) = matching(log, event="change accepted")
    expected = {"type": "CREATE", "actor": "ann", "source": "api", "AcceptedWrites": 1}
    assert expected.items() <= accepted.items()
    (answered,) = matching(log, event="request answered", request_id=REQUEST)
    expected = {
        "method": "POST",
        "endpoint": "POST /v1.0/products",
        "status": 202,
        "actor": "ann",
        "status_class": "2xx",
    }
    assert expected.items() <= answered.items()
    assert answered["duration_ms"] == answered["HttpLatency"] > 0

    # A search for the change's id finds the same lines, except those about the request.
    by_change = matching(log, change_id=answer["changeId"])
    about_request = {"request received", "request answered"}
    others = [event for event in events if event not in about_request]
    assert others == [line["event"] for line in by_change]
    assert {(line["product_id"], line["version"]) for line in by_change} == {("p1", 1)}
    stamped = {line["effect"]: line for line in by_change if line["event"] == "effect stamped"}
    assert set(stamped) == {"stored", "purged", "searchable", "audited"}
    assert all(line["EffectLatency"] == line["seconds"] > 0 for line in stamped.values())
    invalidation = [event for event in others if event.startswith("invalidation")]
    assert invalidation == ["invalidation begun", "invalidation confirmed"]

    # The failed attempt is logged with its stack.
    failed = [
        line
        for line in by_change
        if line["event"] == "task failed" and line["task"] == "products.audit"
    ]
    assert (failed[0]["attempt"], failed[0]["exception"]["type"]) == (1, "DependencyUnavailable")
    assert "products/pipeline.py" in failed[0]["exception"]["stack"]
    assert {line["effect"] for line in by_change if line["event"] == "effect failed"} == {"audited"}
    done = [line for line in by_change if line["event"] == "task done"]
    assert {line["task"] for line in done} == TASKS
    assert all("task_id" in line and line["duration_ms"] >= 0 for line in done)

    logs = "".join(deployment.log(name).read_text() for name in ("web", "worker", "scheduler"))
    assert "eyJ" not in logs  # the beginning of every token
    assert body["description"] not in logs
