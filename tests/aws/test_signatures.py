"""Direct calls carry botocore's signature, and find the endpoint that botocore would find."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError

from products.adapters.aws.clients import client, new_session
from products.adapters.aws.direct import (
    NOT_OPERATIONS,
    DirectClient,
    direct_client,
    operation_name,
)
from products.adapters.aws.endpoints import endpoint_from, endpoint_of
from products.adapters.aws.sigv4 import PROTOCOLS
from tests.support.aws_connections import Connect, RecordingServer

pytestmark = pytest.mark.engines

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a/session+token=")
CreateClient = Callable[[str, Credentials], Any]


@pytest.fixture
def create_client(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> CreateClient:
    """Return a function that makes a boto3 client of the recording server."""

    def create(service: str, keys: Credentials) -> Any:
        url = f"http://127.0.0.1:{server.server_port}"
        variables = {
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.token,
            "AWS_ENDPOINT_URL": url,
            f"AWS_ENDPOINT_URL_{service.upper()}": url,
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value or "")
        session: Any = boto3.session.Session()
        return session.client(service)

    return create


@pytest.mark.parametrize("token", [KEYS.token, None])
@pytest.mark.parametrize(
    ("service", "operation"), [("dynamodb", "get_item"), ("sqs", "send_message")]
)
def test_the_signature_is_the_one_of_botocore(
    create_client: CreateClient,
    server: RecordingServer,
    connect: Connect,
    service: str,
    operation: str,
    token: str | None,
) -> None:
    """The embedded engines check no signature, so botocore signs the same request again."""
    keys = Credentials(KEYS.access_key, KEYS.secret_key, token)
    boto3_client = create_client(service, keys)
    direct = DirectClient(boto3_client, partial(connect, boto3_client))
    getattr(direct, operation)(TableName="products", Key={"PK": {"S": "é"}})
    [(headers, body)] = server.requests
    _, _, signed = headers["authorization"].partition("SignedHeaders=")
    header_names, _, signature = signed.partition(", Signature=")
    expected_names = {"host", "x-amz-date", "x-amz-target"}
    if token:
        expected_names.add("x-amz-security-token")
    assert expected_names <= set(header_names.split(";"))
    signed_headers = {name: headers[name] for name in header_names.split(";")}
    url = f"{boto3_client.meta.endpoint_url}/"
    request = AWSRequest("POST", url, data=body, headers=signed_headers)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(keys, service, "eu-west-1")
    string_to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    assert signer.signature(string_to_sign, request) == signature
    credential = f"Credential={keys.access_key}/{signer.credential_scope(request)},"
    assert credential in headers["authorization"]


def test_a_connection_closed_by_the_peer_is_reopened(
    create_client: CreateClient, server: RecordingServer, connect: Connect
) -> None:
    """A frozen function loses its connections; it must not load boto3 because of that."""
    boto3_client = create_client("dynamodb", KEYS)
    direct = DirectClient(boto3_client, partial(connect, boto3_client), retry_timeouts=False)
    for _ in range(3):
        assert direct.get_item(TableName="products") == {}
    assert len(server.requests) == 3


@pytest.mark.parametrize("service", sorted(PROTOCOLS))
def test_protocols_and_operations_are_those_of_botocore(service: str) -> None:
    session: Any = boto3
    boto3_client = session.client(service)
    metadata = boto3_client.meta.service_model.metadata
    assert PROTOCOLS[service] == (metadata["targetPrefix"], metadata["jsonVersion"])
    operations = boto3_client.meta.method_to_api_mapping
    assert {name: operation_name(name) for name in operations} == operations
    public_names = {name for name in dir(boto3_client) if not name.startswith("_")}
    assert public_names - operations.keys() == NOT_OPERATIONS


ON_LAMBDA = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "s",
    "AWS_DEFAULT_REGION": "af-south-1",
    "AWS_SESSION_TOKEN": "t",
    "AWS_REGION": "af-south-1",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
    "AWS_LAMBDA_FUNCTION_NAME": "bbws-product-get-prod",
    "AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
    "HOME": "/nobody",
    "NO_PROXY": "127.0.0.1",
}
"""The environment of a function."""


@pytest.mark.parametrize(
    "more", [{}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, {"AWS_ENDPOINT_URL_SQS": "https://q"}]
)
@pytest.mark.parametrize("service", sorted(PROTOCOLS))
def test_the_endpoint_is_the_one_botocore_finds(
    service: str, more: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in (ON_LAMBDA | more).items():
        monkeypatch.setenv(name, value)
    session: Any = boto3.session.Session()
    theirs = session.client(service)
    ours = endpoint_from(service, ON_LAMBDA | more)
    assert ours
    assert (ours.url, ours.region) == (theirs.meta.endpoint_url, theirs.meta.region_name)
    keys = theirs._request_signer._credentials.get_frozen_credentials()
    found = ours.credentials.get_frozen_credentials()
    our_keys = (found.access_key, found.secret_key, found.token)
    assert our_keys == (keys.access_key, keys.secret_key, keys.token)
    assert ours.service == theirs.meta.service_model.signing_name
    assert "secret_key" not in repr(ours)


@pytest.mark.parametrize(
    "more",
    [
        {"AWS_ACCESS_KEY_ID": ""},  # as with SnapStart, where keys come over HTTP and expire
        {"AWS_PROFILE": "other"},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_SOMETHING_NEW": "1"},
        {"AWS_DEFAULT_REGION": ""},
        {"AWS_DEFAULT_REGION": "cn-north-1"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1/below"},
        {"https_proxy": "http://127.0.0.1:1"},
    ],
)
def test_any_other_environment_is_left_to_botocore(more: dict[str, str]) -> None:
    assert endpoint_from("dynamodb", ON_LAMBDA)
    assert endpoint_from("dynamodb", ON_LAMBDA | more) is None


def test_a_configuration_file_is_left_to_botocore(tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    assert endpoint_from("dynamodb", ON_LAMBDA | {"HOME": str(tmp_path)}) is None


@pytest.fixture
def in_container(server: RecordingServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The environment of a container with a role; return the address of all its services."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/credentials")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "af-south-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("HOME", str(tmp_path))
    return url


def test_credentials_of_a_role_are_renewed(in_container: str, server: RecordingServer) -> None:
    direct = direct_client("dynamodb", attempts=2)
    assert isinstance(direct, DirectClient)
    for _ in range(2):
        assert direct.get_item(TableName="products") == {}
    [(first, _), (second, _)] = server.requests
    for headers in (first, second):
        number = headers["x-amz-security-token"].removeprefix("token")
        assert f"Credential=AKIDROTATED{number}/" in headers["authorization"]
    assert first["x-amz-security-token"] != second["x-amz-security-token"]


def test_a_direct_call_has_the_region_and_limits_of_its_client(in_container: str) -> None:
    session = new_session()
    found = endpoint_of(client("sqs", session=session), session.get_credentials())
    assert found
    assert (found.service, found.url, found.region) == ("sqs", in_container, "af-south-1")
    assert (found.connect, found.read) == (1, 2)


@pytest.mark.parametrize(
    "variables",
    [
        {"http_proxy": "http://127.0.0.1:1"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1/below"},
    ],
)
def test_what_only_botocore_can_do_is_left_to_it(
    in_container: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert not isinstance(direct_client("dynamodb", attempts=2), DirectClient)


@pytest.mark.usefixtures("in_container")
def test_without_credentials_botocore_reports_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(NoCredentialsError):
        direct_client("dynamodb", attempts=2).get_item(TableName="products", Key={})


def test_a_service_behind_no_proxy_is_called_directly(
    in_container: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert isinstance(direct_client("dynamodb", attempts=2), DirectClient)
