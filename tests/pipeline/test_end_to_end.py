"""Accepted writes reach all effects in real processes, in spite of crashes and outages."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from deploy.local.engines import Engines
from products.documents import format_timestamp
from tests.gameday.fault_proxy import HANG, PASS, Proxy, Request
from tests.support.builders import fields
from tests.support.processes import Deployment, until


@pytest.fixture
def search(engines: Engines) -> Iterator[Proxy]:
    proxy = Proxy(engines.search_url)
    yield proxy
    proxy.close()


def product(product_id: str = "p1") -> dict[str, Any]:
    return fields(productId=product_id, name=f"Hosting {product_id}")


def test_a_post_that_waits_returns_201_and_reaches_every_effect(deployment: Deployment) -> None:
    deployment.start_worker()
    deployment.start_web()
    deployment.await_worker()
    status, body, headers = deployment.call("POST", "/v1.0/products", product(), Prefer="wait=10")
    assert (status, body["version"]) == (201, 1)
    assert headers["Preference-Applied"] == "wait=10, until=stored"
    assert deployment.world.record("p1")
    receipt = deployment.complete("p1")
    assert {effect["state"] for effect in receipt["effects"].values()} == {"done"}
    deployment.assert_one_of_each("p1")
    (record,) = deployment.world.audit_records().values()
    assert (record["before"], record["after"]["price"], record["user"]) == (None, "1500.00", "ann")
    assert len(deployment.world.invalidations()) == 1
    status, body, _ = deployment.call(
        "PATCH", "/v1.0/products/p1", {"price": "9.00"}, Prefer="wait=10, until=audited"
    )
    assert (status, body["price"]) == (200, "9.00")
    assert {record["version"] for record in deployment.world.audit_records().values()} == {1, 2}


def is_record_write(request: Request) -> bool:
    return request.operation == "PutItem" and b"METADATA" in request.body


def is_audit_write(request: Request) -> bool:
    return request.method == "PUT" and ".json" in request.path


def is_invalidation(request: Request) -> bool:
    return request.method == "POST" and "/invalidation" in request.path


def is_indexing(request: Request) -> bool:
    return "_bulk" in request.path


EFFECT_REQUESTS: dict[str, Callable[[Request], bool]] = {
    "persist": is_record_write,
    "audit": is_audit_write,
    "invalidate": is_invalidation,
    "index": is_indexing,
}
"""What recognises the request that causes a task's effect."""


@pytest.mark.parametrize("task", EFFECT_REQUESTS)
def test_a_worker_killed_during_a_task_loses_and_doubles_nothing(
    deployment: Deployment, aws: Proxy, search: Proxy, task: str
) -> None:
    proxy = search if task == "index" else aws
    is_effect = EFFECT_REQUESTS[task]
    proxy.fault = lambda request: HANG if is_effect(request) else PASS
    worker = deployment.start_worker(AWS_ENDPOINT_URL=aws.url, OPENSEARCH_URL=search.url)
    deployment.start_web()
    deployment.call("POST", "/v1.0/products", product())
    proxy.wait_for(is_effect)
    deployment.kill(worker)
    proxy.fault = lambda request: PASS
    deployment.start_worker()
    deployment.start_scheduler()
    deployment.complete("p1")
    deployment.assert_one_of_each("p1")
    assert len(deployment.world.invalidations()) == 1


def test_a_web_process_killed_before_it_sends_a_message_loses_nothing(
    deployment: Deployment, aws: Proxy
) -> None:
    aws.fault = lambda request: HANG if request.operation == "SendMessage" else PASS
    web = deployment.start_web(AWS_ENDPOINT_URL_SQS=aws.url)
    client = threading.Thread(target=_post_and_lose_connection, args=(deployment,))
    client.start()
    aws.wait_for(lambda request: request.operation == "SendMessage")
    deployment.kill(web)
    client.join()
    assert deployment.world.change("p1", 1)
    assert deployment.world.record("p1") is None
    deployment.start_web()
    deployment.start_worker()
    deployment.start_scheduler()
    deployment.complete("p1")
    deployment.assert_one_of_each("p1")


def _post_and_lose_connection(deployment: Deployment) -> None:
    with pytest.raises(OSError, match=r"."):
        deployment.call("POST", "/v1.0/products", product())


def test_a_write_succeeds_while_sqs_is_unavailable(deployment: Deployment, aws: Proxy) -> None:
    aws.refuse()
    deployment.start_web(AWS_ENDPOINT_URL_SQS=aws.url)
    deployment.start_worker(AWS_ENDPOINT_URL_SQS=aws.url)
    deployment.start_scheduler(AWS_ENDPOINT_URL_SQS=aws.url)
    status, body, _ = deployment.call("POST", "/v1.0/products", product(), timeout=10)
    assert (status, body["status"]) == (202, "accepted")
    aws.listen()
    deployment.complete("p1")
    deployment.assert_one_of_each("p1")


def test_writes_succeed_during_outages_and_effects_catch_up(
    deployment: Deployment, aws: Proxy, search: Proxy
) -> None:
    """S3 and CloudFront answer 503, and OpenSearch refuses connections, during two writes.

    After they are back, the drift scan, which ran throughout, finds no difference.
    """
    search.refuse()
    aws.fault = lambda request: 503
    endpoints = {
        "AWS_ENDPOINT_URL_S3": aws.url,
        "AWS_ENDPOINT_URL_CLOUDFRONT": aws.url,
        "OPENSEARCH_URL": search.url,
    }
    deployment.start_web(**endpoints)
    deployment.start_worker(**endpoints)
    deployment.start_scheduler(VERIFY_EVERY_SECONDS="1")
    deployment.await_worker()
    for product_id in ("p1", "p2"):
        body = product(product_id)
        status, _, _ = deployment.call("POST", "/v1.0/products", body, Prefer="wait=10")
        assert status == 201
    assert_audit_is_retried(deployment, "p1")
    # Searches read the table while there is no index.
    _, page, _ = deployment.call("GET", "/v1.0/products?q=hosting")
    assert page["count"] == 2
    search.listen()
    aws.fault = lambda request: PASS
    for product_id in ("p1", "p2"):
        deployment.complete(product_id)
        deployment.assert_one_of_each(product_id)
    # A scan that began earlier may have missed what was written behind its position.
    scan = await_scan_since(deployment, format_timestamp(datetime.now(UTC)))
    assert scan["differences"] == 0
    expected = {"active records": 2, "documents": 2, "audit records": 2}
    assert scan["checked"].items() >= expected.items()


def assert_audit_is_retried(deployment: Deployment, product_id: str) -> None:
    def receipt_of_attempt() -> dict[str, Any]:
        receipt = deployment.receipt(product_id)
        return receipt if receipt["effects"]["audited"].get("attempts") else {}

    receipt = until(receipt_of_attempt)
    audited = receipt["effects"]["audited"]
    assert (audited["state"], receipt["status"]) == ("retrying", "stored")
    assert "S3 does not answer" in audited["error"]


def await_scan_since(deployment: Deployment, timestamp: str) -> dict[str, Any]:
    """Wait for a complete drift scan that began after this time."""

    def completed_scan() -> dict[str, Any]:
        state = deployment.world.item("CHECK#drift", "LATEST") or {}
        scan: dict[str, Any] = state.get("last") or {}
        return scan if scan.get("beganAt", "") > timestamp else {}

    return until(completed_scan)


def test_a_corrupt_change_becomes_a_dead_letter_and_others_pass(deployment: Deployment) -> None:
    deployment.start_web()
    deployment.call("POST", "/v1.0/products", product("bad"))
    key = {"PK": {"S": "PRODUCT#bad"}, "SK": {"S": f"CHANGE#{1:012d}"}}
    deployment.world.dynamodb.update_item(
        TableName=deployment.world.table,
        Key=key,
        UpdateExpression="SET actor = :nobody",
        ExpressionAttributeValues={":nobody": {"S": "nobody"}},
    )
    deployment.start_worker()
    deployment.call("POST", "/v1.0/products", product("good"))
    deployment.complete("good")
    (letter,) = until(lambda: deployment.world.dead_letters("products.persist"))
    assert b"bad" in _payload(letter["Body"])
    receipt = deployment.receipt("bad")
    stored = receipt["effects"]["stored"]
    assert (receipt["status"], stored["state"], stored["attempts"]) == ("failed", "failed", 3)
    assert "was altered after it was accepted" in stored["error"]


def _payload(envelope: str) -> bytes:
    return base64.b64decode(json.loads(envelope)["body"])


def test_an_unavailable_dynamodb_is_503_and_writes_nothing(
    deployment: Deployment, aws: Proxy
) -> None:
    deployment.start_web(AWS_ENDPOINT_URL_DYNAMODB=aws.url)
    aws.refuse()
    status, body, headers = deployment.call("POST", "/v1.0/products", product())
    assert (status, body["error"], headers["Retry-After"]) == (503, "Service Unavailable", "5")
    assert deployment.call("GET", "/v1.0/products")[0] == 503
    status, body, _ = deployment.call("GET", "/readyz")
    assert (status, body["status"]) == (503, "not ready")
    aws.listen()
    assert deployment.call("POST", "/v1.0/products", product())[0] == 202
