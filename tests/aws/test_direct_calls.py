"""Direct calls return what boto3 returns, with the credentials of a container or of a function."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, HTTPClientError
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from products.adapters.aws import connection
from products.adapters.aws.clients import client
from products.adapters.aws.direct import DirectClient
from tests.gameday.fault_proxy import HANG, PASS, RESET, Proxy
from tests.support.aws_connections import Connect, RecordingServer
from tests.support.world import World

pytestmark = pytest.mark.engines

ITEM = {
    "PK": {"S": "a"},
    "SK": {"S": "b"},
    "n": {"N": "1.5"},
    "set": {"SS": ["x", "y"]},
    "no": {"NULL": True},
}
IS_NEW = "attribute_not_exists(PK)"


@pytest.fixture
def proxy(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    proxy = Proxy(world.dynamodb.meta.endpoint_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
    yield proxy
    proxy.close()


@pytest.fixture
def direct(proxy: Proxy, connect: Connect) -> DirectClient:
    boto3_client = client("dynamodb", attempts=1, connect=0.5, read=0.5)
    return DirectClient(boto3_client, partial(connect, boto3_client))


def put(world: World, **more: Any) -> dict[str, Any]:
    """Return the arguments that put ITEM."""
    return {"TableName": world.table, "Item": ITEM, **more}


def key(world: World) -> dict[str, Any]:
    """Return the arguments that name ITEM."""
    return {"TableName": world.table, "Key": {"PK": ITEM["PK"], "SK": ITEM["SK"]}}


def test_responses_are_those_of_boto3(world: World, direct: DirectClient) -> None:
    arguments = {**key(world), "ConsistentRead": True}
    direct.put_item(**put(world))
    expected = world.dynamodb.get_item(**arguments)["Item"]
    assert direct.get_item(**arguments)["Item"] == expected


PAGE = b"<html>The proxy says hello.</html>"


@pytest.mark.parametrize(
    ("answers", "calls"),
    [
        ([(200, b"")], 1),  # as SQS answers DeleteMessage
        ([(200, b"{}")], 1),
        ([(200, PAGE), (200, b"")], 2),
        ([(200, b"[]"), (200, b"")], 2),
        ([(400, PAGE), (200, b"")], 2),
        ([(400, b""), (200, b"")], 2),
        ([(502, PAGE), (200, b"")], 2),
    ],
)
def test_boto3_judges_every_answer_that_is_not_awss_json(
    server: RecordingServer,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[tuple[int, bytes]],
    calls: int,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{server.server_port}")
    boto3_client = client("sqs", attempts=1)
    direct = DirectClient(boto3_client, partial(connect, boto3_client))
    server.answers = list(answers)
    response = direct.delete_message(QueueUrl="http://127.0.0.1/0/queue", ReceiptHandle="handle")
    assert response.keys() <= {"ResponseMetadata"}
    assert len(server.requests) == calls


@pytest.mark.parametrize("operation", ["put_item", "transact_write_items"])
def test_a_failed_condition_raises_boto3s_error_after_one_call(
    world: World, direct: DirectClient, proxy: Proxy, operation: str
) -> None:
    direct.put_item(**put(world))
    refused = put(world, ConditionExpression=IS_NEW, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    arguments = refused if operation == "put_item" else {"TransactItems": [{"Put": refused}]}
    proxy.seen.clear()
    with pytest.raises(ClientError) as ours:
        getattr(direct, operation)(**arguments)
    assert len(proxy.seen) == 1
    with pytest.raises(ClientError) as theirs:
        getattr(world.dynamodb, operation)(**arguments)
    our_response, their_response = dict(ours.value.response), dict(theirs.value.response)
    for name in ("Error", "CancellationReasons", "Item"):
        assert our_response.get(name) == their_response.get(name)
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("fault", [500, 400, RESET])
def test_boto3_repeats_a_call_that_failed(
    world: World, direct: DirectClient, proxy: Proxy, fault: str | int
) -> None:
    proxy.seen.clear()
    proxy.fault = lambda request: fault if len(proxy.seen) == 1 else PASS
    direct.put_item(**put(world))
    assert [request.operation for request in proxy.seen] == ["PutItem", "PutItem"]


def test_a_repeated_transaction_has_the_same_token(
    world: World, direct: DirectClient, proxy: Proxy
) -> None:
    """The first response is lost after it took effect; a new token would be refused."""
    real_send = direct._send

    def send_and_lose_response(operation: str, body: bytes) -> tuple[int, bytes]:
        real_send(operation, body)
        return 500, b""

    direct._send = send_and_lose_response  # type: ignore[method-assign] # only way to lose it
    direct.transact_write_items(TransactItems=[{"Put": put(world, ConditionExpression=IS_NEW)}])
    bodies = [request.body for request in proxy.seen if request.operation == "TransactWriteItems"]
    assert len(bodies) == 2


@pytest.mark.parametrize("fault", [HANG, RESET])
def test_without_retry_a_call_fails_within_its_time_limit(
    world: World, direct: DirectClient, proxy: Proxy, fault: str
) -> None:
    proxy.fault = lambda request: fault
    without_retry = DirectClient(direct.client, direct._connections.connect, retry_timeouts=False)
    began = datetime.now(UTC)
    with pytest.raises(HTTPClientError):
        without_retry.put_item(**put(world))
    assert (datetime.now(UTC) - began).total_seconds() < 5
    assert len(proxy.seen) == 1


def test_each_thread_has_its_own_connection(world: World, direct: DirectClient) -> None:
    direct.put_item(**put(world))
    connections: list[Any] = []

    def read() -> None:
        assert "Item" in direct.get_item(**key(world))
        connections.append(direct._connections.current())

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(connection) for connection in connections}) == 3


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate of 127.0.0.1, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now, hour = datetime.now(UTC), timedelta(hours=1)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - hour, now + hour
    )
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = builder.add_extension(host, critical=False).sign(key, SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = tmp_path / "certificate.pem"
    path.write_bytes(signed.public_bytes(Encoding.PEM) + private)
    return path


@pytest.mark.parametrize("trusted", [True, False])
def test_an_untrusted_certificate_is_refused(
    server: RecordingServer,
    certificate: Path,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    trusted: bool,
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    # A client that refuses the certificate hangs up, which the server would print.
    monkeypatch.setattr(server, "handle_error", lambda *_: None)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"https://127.0.0.1:{server.server_port}")
    if trusted:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    connection._ssl_context.cache_clear()
    boto3_client = client("dynamodb", attempts=1)
    direct = DirectClient(boto3_client, partial(connect, boto3_client), retry_timeouts=False)
    with nullcontext() if trusted else pytest.raises(HTTPClientError, match=r"(?i)certificate"):
        assert direct.get_item(TableName="products") == {}
    assert len(server.requests) == trusted
    connection._ssl_context.cache_clear()
