"""One search follows a write through everything: log lines of real processes, from the request to the last effect."""

import json
from typing import Any

from tests.gameday.fault_proxy import PASS, Proxy
from tests.support.builders import fields
from tests.support.processes import Deployment, until

REQUEST = "followed-from-end-to-end"
TASKS = {"products.persist", "products.invalidate", "products.index", "products.audit"}


def lines(deployment: Deployment) -> list[dict[str, Any]]:
    """All lines of the web server, the worker and the scheduler, by their time; each of them must be JSON."""
    whole = [
        deployment.log(name).read_text().rpartition("\n")[0]
        for name in ("web", "worker", "scheduler")
    ]
    return sorted(
        map(json.loads, filter(None, "\n".join(whole).splitlines())), key=lambda line: line["time"]
    )


def found(deployment: Deployment, **wanted: Any) -> list[dict[str, Any]]:
    return matching(lines(deployment), **wanted)


def matching(log: list[dict[str, Any]], **wanted: Any) -> list[dict[str, Any]]:
    return [line for line in log if wanted.items() <= line.items()]


def tasks_done(deployment: Deployment, change_id: str) -> set[str]:
    """Return the tasks that reported success for the change."""
    return {line["task"] for line in found(deployment, change_id=change_id, event="task done")}


def test_one_search_follows_a_write_through_all_processes(
    deployment: Deployment, aws: Proxy
) -> None:
    """S3 is away until the relay rings, so an attempt fails and SQS brings its message back."""
    aws.fault = lambda request: 503 if request.method == "PUT" and ".json" in request.path else PASS
    json_lines = {"LOG_FORMAT": "json", "ENABLE_METRICS": "1"}
    deployment.start_worker(AWS_ENDPOINT_URL_S3=aws.url, **json_lines)
    deployment.start_web(**json_lines)
    deployment.start_scheduler(**json_lines)
    body = fields(productId="p1")
    status, answer, headers = deployment.call(
        "POST", "/v1.0/products", body, **{"X-Request-ID": REQUEST}
    )
    assert (status, headers["X-Request-ID"]) == (202, REQUEST)
    until(lambda: found(deployment, event="change requeued", request_id=REQUEST))
    until(lambda: found(deployment, event="task failed", task="products.audit", attempt=1))
    aws.fault = lambda request: PASS
    deployment.complete("p1")
    until(lambda: tasks_done(deployment, answer["changeId"]) >= TASKS)
    log = lines(deployment)  # read once: the relay may still write

    by_request = matching(log, request_id=REQUEST)
    events = [line["event"] for line in by_request]
    first = ["request received", "change accepted", "message sent"]
    assert events[:3] == first
    assert events.index("task received") > 2
    (accepted,) = matching(log, event="change accepted")
    assert (
        accepted | {"type": "CREATE", "actor": "ann", "source": "api", "AcceptedWrites": 1}
        == accepted
    )
    (answered,) = matching(log, event="request answered", request_id=REQUEST)
    told = {
        "method": "POST",
        "endpoint": "POST /v1.0/products",
        "status": 202,
        "actor": "ann",
        "status_class": "2xx",
    }
    assert told.items() <= answered.items()
    assert answered["duration_ms"] == answered["HttpLatency"] > 0

    # The same by the change's id, once the request itself is over.
    by_change = matching(log, change_id=answer["changeId"])
    of_the_request = {"request received", "request answered"}
    assert [event for event in events if event not in of_the_request] == [
        line["event"] for line in by_change
    ]
    assert {(line["product_id"], line["version"]) for line in by_change} == {("p1", 1)}
    stamped = {line["effect"]: line for line in by_change if line["event"] == "effect stamped"}
    assert set(stamped) == {"stored", "purged", "searchable", "audited"}
    assert all(line["EffectLatency"] == line["seconds"] > 0 for line in stamped.values())
    assert [line["event"] for line in by_change if line["event"].startswith("invalidation")] == [
        "invalidation begun",
        "invalidation confirmed",
    ]

    # The attempt that failed says so with its stack, and the one that mended it follows.
    failed = [
        line
        for line in by_change
        if line["event"] == "task failed" and line["task"] == "products.audit"
    ]
    assert (failed[0]["attempt"], failed[0]["exception"]["type"]) == (1, "DependencyUnavailable")
    assert "products/pipeline.py" in failed[0]["exception"]["stack"]
    assert {line["effect"] for line in by_change if line["event"] == "effect failed"} == {"audited"}
    done = {line["task"] for line in by_change if line["event"] == "task done"}
    assert done == TASKS
    assert all(
        "task_id" in line and line["duration_ms"] >= 0
        for line in by_change
        if line["event"] == "task done"
    )

    everything = "".join(
        deployment.log(name).read_text() for name in ("web", "worker", "scheduler")
    )
    assert "eyJ" not in everything  # the beginning of every token
    assert body["description"] not in everything
