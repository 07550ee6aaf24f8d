"""The main job with real processes: what is accepted comes about, whatever is killed or cut off meanwhile."""

import base64
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from deploy.local.engines import Engines
from products.documents import format_timestamp
from tests.gameday.fault_proxy import HANG, PASS, Proxy
from tests.support.builders import fields
from tests.support.processes import Deployment, until


@pytest.fixture
def search(engines: Engines) -> Iterator[Proxy]:
    proxy = Proxy(engines.search_url)
    yield proxy
    proxy.close()


def product(product_id: str = "p1") -> dict[str, Any]:
    return fields(productId=product_id, name=f"Hosting {product_id}")


def test_a_post_that_waits_is_answered_201_and_reaches_all_four(deployment: Deployment) -> None:
    deployment.start_worker()
    deployment.start_web()
    deployment.await_worker()
    status, body, headers = deployment.call("POST", "/v1.0/products", product(), Prefer="wait=10")
    assert (status, body["version"], headers["Preference-Applied"]) == (
        201,
        1,
        "wait=10, until=stored",
    )
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


IN_THE_MIDDLE = {
    "persist": lambda request: request.operation == "PutItem" and b"METADATA" in request.body,
    "audit": lambda request: request.method == "PUT" and ".json" in request.path,
    "invalidate": lambda request: "/invalidation" in request.path and request.method == "POST",
}


@pytest.mark.parametrize("task", [*IN_THE_MIDDLE, "index"])
def test_a_worker_killed_in_the_middle_of_a_task_loses_and_doubles_nothing(
    deployment: Deployment, aws: Proxy, search: Proxy, task: str
) -> None:
    hung, matches = (
        (search, lambda request: "_bulk" in request.path)
        if task == "index"
        else (aws, IN_THE_MIDDLE[task])
    )
    hung.fault = lambda request: HANG if matches(request) else PASS
    worker = deployment.start_worker(AWS_ENDPOINT_URL=aws.url, OPENSEARCH_URL=search.url)
    deployment.start_web()
    deployment.call("POST", "/v1.0/products", product())
    hung.wait_for(matches)
    deployment.kill(worker)
    hung.fault = lambda request: PASS
    deployment.start_worker()
    deployment.start_scheduler()
    deployment.complete("p1")
    deployment.assert_one_of_each("p1")
    assert len(deployment.world.invalidations()) == 1


def test_a_web_process_killed_between_the_append_and_the_doorbell_loses_nothing(
    deployment: Deployment, aws: Proxy
) -> None:
    aws.fault = lambda request: HANG if request.operation == "SendMessage" else PASS
    web = deployment.start_web(AWS_ENDPOINT_URL_SQS=aws.url)
    client = threading.Thread(target=_post_and_be_cut_off, args=(deployment,))
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


def _post_and_be_cut_off(deployment: Deployment) -> None:
    with pytest.raises(OSError, match=r"."):
        deployment.call("POST", "/v1.0/products", product())


def test_a_dead_sqs_neither_hangs_nor_refuses_a_write(deployment: Deployment, aws: Proxy) -> None:
    aws.refuse()
    deployment.start_web(AWS_ENDPOINT_URL_SQS=aws.url)
    deployment.start_worker(AWS_ENDPOINT_URL_SQS=aws.url)
    deployment.start_scheduler(AWS_ENDPOINT_URL_SQS=aws.url)
    status, body, _ = deployment.call("POST", "/v1.0/products", product(), timeout=10)
    assert (status, body["status"]) == (202, "accepted")
    aws.listen()
    deployment.complete("p1")
    deployment.assert_one_of_each("p1")


def test_engines_that_are_away_hold_up_no_write_and_catch_up(
    deployment: Deployment, aws: Proxy, search: Proxy
) -> None:
    """S3 and CloudFront answer 503 and OpenSearch refuses connections, for two writes; then all come back, and the
    drift check, which goes on all the while, comes to its end and finds nothing."""
    search.refuse()
    aws.fault = lambda request: 503
    there = {
        "AWS_ENDPOINT_URL_S3": aws.url,
        "AWS_ENDPOINT_URL_CLOUDFRONT": aws.url,
        "OPENSEARCH_URL": search.url,
    }
    deployment.start_web(**there)
    deployment.start_worker(**there)
    deployment.start_scheduler(VERIFY_EVERY_SECONDS="1")
    deployment.await_worker()
    for product_id in ("p1", "p2"):
        assert (
            deployment.call("POST", "/v1.0/products", product(product_id), Prefer="wait=10")[0]
            == 201
        )
    receipt = until(
        lambda: r if (r := deployment.receipt("p1"))["effects"]["audited"].get("attempts") else {}
    )
    assert (receipt["effects"]["audited"]["state"], receipt["status"]) == ("retrying", "stored")
    assert "S3 does not answer" in receipt["effects"]["audited"]["error"]
    assert (
        deployment.call("GET", "/v1.0/products?q=hosting")[1]["count"] == 2
    )  # from the table, meanwhile
    search.listen()
    aws.fault = lambda request: PASS
    for product_id in ("p1", "p2"):
        deployment.complete(product_id)
        deployment.assert_one_of_each(product_id)
    calm = format_timestamp(
        datetime.now(UTC)
    )  # a round that began before may have gone past what came later
    seen = until(
        lambda: round_ if (round_ := last_round(deployment)).get("beganAt", "") > calm else {}
    )
    assert seen["differences"] == 0
    assert (
        seen["checked"].items() >= {"active records": 2, "documents": 2, "audit records": 2}.items()
    )


def last_round(deployment: Deployment) -> dict[str, Any]:
    check = deployment.world.item("CHECK#drift", "LATEST") or {}
    return check.get("last") or {}


def test_a_poison_change_dies_after_three_receives_and_others_pass(deployment: Deployment) -> None:
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
    (dead,) = until(lambda: deployment.world.dead_letters("products.persist"))
    assert b"bad" in _payload(dead["Body"])
    receipt = deployment.receipt("bad")
    stored = receipt["effects"]["stored"]
    assert (receipt["status"], stored["state"], stored["attempts"]) == ("failed", "failed", 3)
    assert "was altered after it was accepted" in stored["error"]


def _payload(envelope: str) -> bytes:
    return base64.b64decode(json.loads(envelope)["body"])


def test_dynamodb_away_is_503_and_nothing_is_half_written(
    deployment: Deployment, aws: Proxy
) -> None:
    deployment.start_web(AWS_ENDPOINT_URL_DYNAMODB=aws.url)
    aws.refuse()
    status, body, headers = deployment.call("POST", "/v1.0/products", product())
    assert (status, body["error"], headers["Retry-After"]) == (503, "Service Unavailable", "5")
    assert deployment.call("GET", "/v1.0/products")[0] == 503
    status, body, _ = deployment.call("GET", "/readyz")
    assert (status, body["dependencies"]["dynamodb"]) == (503, "away")
    aws.listen()
    assert deployment.call("POST", "/v1.0/products", product())[0] == 202
