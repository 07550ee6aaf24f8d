"""DynamoDB and SQS over libcurl: the same answers and errors as boto3's, a right signature, and boto3 for the rest."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, HTTPClientError

from deploy.local.engines import free_port
from deploy.local.proxy import HANG, PASS, RESET, Proxy
from products.adapters.aws import client
from products.adapters.direct import DirectClient
from tests.worlds import World

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a/session+token=")
ITEM = {"PK": {"S": "a"}, "SK": {"S": "b"}, "n": {"N": "1.5"}, "set": {"SS": ["x", "y"]}, "no": {"NULL": True}}


@pytest.fixture
def proxy(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    made = Proxy(world.dynamodb.meta.endpoint_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", made.url)
    yield made
    made.close()


@pytest.fixture
def direct(proxy: Proxy) -> DirectClient:
    return DirectClient(client("dynamodb", attempts=1, connect=0.5, read=0.5))


def put(world: World, **more: Any) -> dict[str, Any]:
    return {"TableName": world.table, "Item": ITEM, **more}


def test_the_answers_are_boto3s(world: World, direct: DirectClient) -> None:
    key = {"TableName": world.table, "Key": {"PK": ITEM["PK"], "SK": ITEM["SK"]}, "ConsistentRead": True}
    direct.put_item(**put(world))
    plain = world.dynamodb.get_item(**key)["Item"]
    assert direct.get_item(**key)["Item"] == plain


@pytest.mark.parametrize("operation", ["put_item", "transact_write_items"])
def test_a_refusal_is_boto3s_and_is_not_asked_for_twice(
    world: World, direct: DirectClient, proxy: Proxy, operation: str
) -> None:
    direct.put_item(**put(world))
    refused = put(world, ConditionExpression="attribute_not_exists(PK)", ReturnValuesOnConditionCheckFailure="ALL_OLD")
    arguments = refused if operation == "put_item" else {"TransactItems": [{"Put": refused}]}
    proxy.seen.clear()
    with pytest.raises(ClientError) as ours:
        getattr(direct, operation)(**arguments)
    assert len(proxy.seen) == 1
    with pytest.raises(ClientError) as theirs:
        getattr(world.dynamodb, operation)(**arguments)
    told = [dict(error.value.response) for error in (ours, theirs)]
    for name in ("Error", "CancellationReasons", "Item"):
        assert told[0].get(name) == told[1].get(name)
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("fault", [500, 400, RESET])
def test_what_goes_wrong_is_asked_again_in_boto3s_way(
    world: World, direct: DirectClient, proxy: Proxy, fault: str | int
) -> None:
    proxy.seen.clear()
    proxy.fault = lambda request: fault if len(proxy.seen) == 1 else PASS
    direct.put_item(**put(world))
    assert [request.operation for request in proxy.seen] == ["PutItem", "PutItem"]


def test_a_transaction_asked_for_again_is_the_same_one(world: World, direct: DirectClient, proxy: Proxy) -> None:
    """Its answer is lost after it took effect: without one token for both tries, the second would be refused."""
    condition = {"ConditionExpression": "attribute_not_exists(PK)"}
    lost = direct._send

    def send(operation: str, body: bytes) -> tuple[int, bytes]:
        lost(operation, body)
        return 500, b""

    direct._send = send  # type: ignore[method-assign] # the only way to lose an answer that was given
    direct.transact_write_items(TransactItems=[{"Put": put(world, **condition)}])
    bodies = [request.body for request in proxy.seen if request.operation == "TransactWriteItems"]
    assert len(bodies) == 2


def test_an_engine_that_never_answers_is_left_in_time(world: World, direct: DirectClient, proxy: Proxy) -> None:
    proxy.fault = lambda request: HANG
    once = DirectClient(direct.client, again=False)
    began = datetime.now(UTC)
    with pytest.raises(HTTPClientError):
        once.put_item(**put(world))
    assert (datetime.now(UTC) - began).total_seconds() < 5
    assert len(proxy.seen) == 1


def test_each_thread_has_a_connection_of_its_own(world: World, direct: DirectClient) -> None:
    direct.put_item(**put(world))
    key = {"TableName": world.table, "Key": {"PK": ITEM["PK"], "SK": ITEM["SK"]}}
    handles: list[Any] = []

    def read() -> None:
        assert "Item" in direct.get_item(**key)
        handles.append(direct._handle())

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, handles))) == 3


def test_the_signature_is_the_one_botocore_makes() -> None:
    """The embedded engines look at none, so it is compared with botocore's own for the very same request."""
    heard: list[tuple[dict[str, str], bytes]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", free_port()), Listener)
    threading.Thread(target=server.handle_request, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    made = boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id=KEYS.access_key,
        aws_secret_access_key=KEYS.secret_key,
        aws_session_token=KEYS.token,
    )
    DirectClient(made).get_item(TableName="products", Key={"PK": {"S": "é"}})
    server.server_close()
    headers, body = heard[0]
    _, _, signed = headers["Authorization"].partition("SignedHeaders=")
    names, _, signature = signed.partition(", Signature=")
    assert {"host", "x-amz-date", "x-amz-security-token", "x-amz-target"} <= set(names.split(";"))
    kept = {name: value for name, value in headers.items() if name.lower() in names.split(";")}
    request = AWSRequest("POST", f"{url}/", data=body, headers=kept)
    request.context["timestamp"] = headers["X-Amz-Date"]
    signer = SigV4Auth(KEYS, "dynamodb", "eu-west-1")
    assert signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request) == signature
