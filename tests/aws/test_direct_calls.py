"""Calls without boto3, over libcurl and over Python's own HTTP client: the same answers and errors as boto3's, a right
signature, and boto3 for the rest."""

import os
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, HTTPClientError
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from deploy.local.engines import free_port
from products.adapters.aws import sigv4
from products.adapters.aws.clients import client
from products.adapters.aws.curl import CurlConnection
from products.adapters.aws.direct import NOT_OPERATIONS, Connection, DirectClient, operation_name
from products.adapters.aws.sigv4 import PROTOCOLS, SignedConnection, endpoint_from
from tests.gameday.fault_proxy import HANG, PASS, RESET, Proxy
from tests.support.world import World

pytestmark = pytest.mark.engines

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a/session+token=")
ITEM = {
    "PK": {"S": "a"},
    "SK": {"S": "b"},
    "n": {"N": "1.5"},
    "set": {"SS": ["x", "y"]},
    "no": {"NULL": True},
}


@pytest.fixture
def proxy(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    made = Proxy(world.dynamodb.meta.endpoint_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", made.url)
    yield made
    made.close()


def over_libcurl(boto3_client: Any) -> Connection:
    return CurlConnection(boto3_client)


def over_http(boto3_client: Any) -> Connection:
    place = endpoint_from(boto3_client.meta.service_model.service_name, plain_environment())
    assert place
    return SignedConnection(replace(place, connect=0.5, read=0.5))


def plain_environment(**more: str) -> dict[str, str]:
    """What this process shares with a function on Lambda."""
    return (
        {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        | {"HOME": "/nobody"}
        | more
    )


@pytest.fixture(params=[over_libcurl, over_http])
def connection(request: pytest.FixtureRequest) -> Callable[[Any], Connection]:
    made: Callable[[Any], Connection] = request.param
    return made


@pytest.fixture
def direct(proxy: Proxy, connection: Callable[[Any], Connection]) -> DirectClient:
    made = client("dynamodb", attempts=1, connect=0.5, read=0.5)
    return DirectClient(made, partial(connection, made))


def put(world: World, **more: Any) -> dict[str, Any]:
    return {"TableName": world.table, "Item": ITEM, **more}


def test_the_answers_are_boto3s(world: World, direct: DirectClient) -> None:
    key = {
        "TableName": world.table,
        "Key": {"PK": ITEM["PK"], "SK": ITEM["SK"]},
        "ConsistentRead": True,
    }
    direct.put_item(**put(world))
    plain = world.dynamodb.get_item(**key)["Item"]
    assert direct.get_item(**key)["Item"] == plain


@pytest.mark.parametrize("operation", ["put_item", "transact_write_items"])
def test_a_refusal_is_boto3s_and_is_not_asked_for_twice(
    world: World, direct: DirectClient, proxy: Proxy, operation: str
) -> None:
    direct.put_item(**put(world))
    refused = put(
        world,
        ConditionExpression="attribute_not_exists(PK)",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
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


def test_a_transaction_asked_for_again_is_the_same_one(
    world: World, direct: DirectClient, proxy: Proxy
) -> None:
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


@pytest.mark.parametrize("fault", [HANG, RESET])
def test_an_engine_that_does_not_answer_is_asked_once_and_left_in_time(
    world: World, direct: DirectClient, proxy: Proxy, fault: str
) -> None:
    proxy.fault = lambda request: fault
    once = DirectClient(direct.client, direct._connect, retry_timeouts=False)
    with pytest.raises(HTTPClientError):  # the call has a time limit of its own
        once.put_item(**put(world))
    assert len(proxy.seen) == 1


def test_each_thread_has_a_connection_of_its_own(world: World, direct: DirectClient) -> None:
    direct.put_item(**put(world))
    key = {"TableName": world.table, "Key": {"PK": ITEM["PK"], "SK": ITEM["SK"]}}
    handles: list[Any] = []

    def read() -> None:
        assert "Item" in direct.get_item(**key)
        handles.append(direct._connection())

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, handles))) == 3


class Listener(BaseHTTPRequestHandler):
    """Answers with nothing, keeps what it heard, and closes the connection without having said that it would."""

    protocol_version = "HTTP/1.1"
    handle = BaseHTTPRequestHandler.handle_one_request
    heard: list[tuple[dict[str, str], bytes]]

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.heard.append((headers, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def listener() -> Iterator[HTTPServer]:
    Listener.heard = []
    server = HTTPServer(("127.0.0.1", free_port()), Listener)
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    ).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of 127.0.0.1, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now, hour = datetime.now(UTC), timedelta(hours=1)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - hour, now + hour
    )
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = made.add_extension(host, critical=False).sign(key, SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "certificate.pem").write_bytes(signed.public_bytes(Encoding.PEM) + private)
    return tmp_path / "certificate.pem"


@pytest.mark.parametrize("trusted", [True, False])
def test_only_a_certificate_that_is_trusted_is_spoken_to(
    listener: HTTPServer,
    certificate: Path,
    connection: Callable[[Any], Connection],
    monkeypatch: pytest.MonkeyPatch,
    trusted: bool,
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    listener.socket = context.wrap_socket(listener.socket, server_side=True)
    listener.handle_error = lambda *_: None  # type: ignore[method-assign] # who does not trust it hangs up
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"https://127.0.0.1:{listener.server_port}")
    if trusted:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    sigv4._ssl_context.cache_clear()
    made = client("dynamodb", attempts=1)
    direct = DirectClient(made, partial(connection, made), retry_timeouts=False)
    with nullcontext() if trusted else pytest.raises(HTTPClientError, match=r"(?i)certificate"):
        assert direct.get_item(TableName="products") == {}
    assert len(Listener.heard) == trusted
    sigv4._ssl_context.cache_clear()


@pytest.fixture
def elsewhere(listener: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A boto3 client of the listener, with these keys."""

    def made(service: str, keys: Credentials) -> Any:
        url = f"http://127.0.0.1:{listener.server_port}"
        values = {
            "ACCESS_KEY_ID": keys.access_key,
            "SECRET_ACCESS_KEY": keys.secret_key,
            "SESSION_TOKEN": keys.token,
        }
        for name, value in {
            **values,
            "ENDPOINT_URL": url,
            f"ENDPOINT_URL_{service.upper()}": url,
        }.items():
            monkeypatch.setenv(f"AWS_{name}", value or "")
        return boto3.session.Session().client(service)

    return made


@pytest.mark.parametrize("token", [KEYS.token, None])
@pytest.mark.parametrize(
    ("service", "operation"), [("dynamodb", "get_item"), ("sqs", "send_message")]
)
def test_the_signature_is_the_one_botocore_makes(
    elsewhere: Callable[..., Any],
    connection: Callable[[Any], Connection],
    service: str,
    operation: str,
    token: str | None,
) -> None:
    """The embedded engines look at none, so it is compared with botocore's own for the very same request."""
    keys = Credentials(KEYS.access_key, KEYS.secret_key, token)
    made = elsewhere(service, keys)
    getattr(DirectClient(made, partial(connection, made)), operation)(
        TableName="products", Key={"PK": {"S": "é"}}
    )
    [(headers, body)] = Listener.heard
    _, _, signed = headers["authorization"].partition("SignedHeaders=")
    names, _, signature = signed.partition(", Signature=")
    expected = {"host", "x-amz-date", "x-amz-target"} | (
        {"x-amz-security-token"} if token else set()
    )
    assert expected <= set(names.split(";"))
    kept = {name: value for name, value in headers.items() if name in names.split(";")}
    request = AWSRequest("POST", f"{made.meta.endpoint_url}/", data=body, headers=kept)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(keys, service, "eu-west-1")
    assert (
        signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        == signature
    )
    assert (
        f"Credential={keys.access_key}/{signer.credential_scope(request)},"
        in headers["authorization"]
    )


def test_a_connection_that_was_closed_meanwhile_is_opened_anew(
    elsewhere: Callable[..., Any], connection: Callable[[Any], Connection]
) -> None:
    """As while a function was frozen: boto3, and its import, have nothing to do with that."""
    made = elsewhere("dynamodb", KEYS)
    direct = DirectClient(made, partial(connection, made), retry_timeouts=False)
    for _ in range(3):
        assert direct.get_item(TableName="products") == {}
    assert len(Listener.heard) == 3


@pytest.mark.parametrize("service", sorted(PROTOCOLS))
def test_protocol_and_operations_are_botocores(service: str) -> None:
    made = boto3.client(service)
    about = made.meta.service_model.metadata
    assert PROTOCOLS[service] == (about["targetPrefix"], about["jsonVersion"])
    operations = made.meta.method_to_api_mapping
    assert {name: operation_name(name) for name in operations} == operations
    assert {
        name for name in dir(made) if not name.startswith("_")
    } - operations.keys() == NOT_OPERATIONS


KEYS_ONLY = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "s",
    "AWS_DEFAULT_REGION": "af-south-1",
}
ON_LAMBDA = KEYS_ONLY | {
    "AWS_SESSION_TOKEN": "t",
    "AWS_REGION": "af-south-1",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
    "AWS_LAMBDA_FUNCTION_NAME": "bbws-product-get-prod",
    "AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
    "HOME": "/nobody",
    "NO_PROXY": "127.0.0.1",
}


@pytest.mark.parametrize(
    "more", [{}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, {"AWS_ENDPOINT_URL_SQS": "https://q"}]
)
@pytest.mark.parametrize("service", sorted(PROTOCOLS))
def test_a_plain_environment_says_what_it_says_to_botocore(
    service: str, more: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in (ON_LAMBDA | more).items():
        monkeypatch.setenv(name, value)
    place, theirs = (
        endpoint_from(service, ON_LAMBDA | more),
        boto3.session.Session().client(service),
    )
    assert place
    assert (place.url, place.region) == (theirs.meta.endpoint_url, theirs.meta.region_name)
    keys = theirs._request_signer._credentials.get_frozen_credentials()
    assert (place.access_key, place.secret_key, place.token) == (
        keys.access_key,
        keys.secret_key,
        keys.token,
    )
    assert place.service == theirs.meta.service_model.signing_name
    assert "secret_key" not in repr(place)


@pytest.mark.parametrize(
    "more",
    [
        {"AWS_ACCESS_KEY_ID": ""},  # as with SnapStart, whose keys come over HTTP and run out
        {"AWS_PROFILE": "other"},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_SOMETHING_NEW": "1"},
        {"AWS_DEFAULT_REGION": ""},
        {"AWS_DEFAULT_REGION": "cn-north-1"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1/below"},
        {"https_proxy": "http://127.0.0.1:1"},
    ],
)
def test_whatever_else_an_environment_says_is_left_to_botocore(more: dict[str, str]) -> None:
    assert endpoint_from("dynamodb", ON_LAMBDA)
    assert endpoint_from("dynamodb", ON_LAMBDA | more) is None


def test_a_file_of_settings_is_left_to_botocore(tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    assert endpoint_from("dynamodb", ON_LAMBDA | {"HOME": str(tmp_path)}) is None
