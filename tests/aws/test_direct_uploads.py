"""Uploads to S3 carry botocore's signature, and botocore judges every answer but a success."""

import zlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError

from products import bootstrap
from products.adapters.aws.clients import client
from products.adapters.aws.direct_uploads import DirectUploads, upload_client
from products.errors import DependencyUnavailable
from tests.gameday.fault_proxy import HANG, PASS, RESET, Proxy
from tests.support.aws_connections import RecordingServer
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = pytest.mark.engines

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a/session+token=")
KEY = "2026/11/30/PROD é~+&_20261130T120000.000000Z.json"
RECORD = b'{"a": 1}'


def upload(uploads: Any, bucket: str, key: str = KEY) -> Any:
    return uploads.put_object(
        Bucket=bucket, Key=key, Body=RECORD, ContentType="application/json", IfNoneMatch="*"
    )


@pytest.fixture
def at_server(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> RecordingServer:
    """The recording server as S3, which answers an upload with an ETag."""
    variables = {
        "AWS_ACCESS_KEY_ID": KEYS.access_key,
        "AWS_SECRET_ACCESS_KEY": KEYS.secret_key,
        "AWS_SESSION_TOKEN": KEYS.token or "",
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{server.server_port}",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    server.more_headers = {"ETag": '"e"'}
    return server


def test_the_signature_is_the_one_of_botocore(at_server: RecordingServer) -> None:
    uploads = upload_client(client, read=1)
    assert isinstance(uploads, DirectUploads)
    assert upload(uploads, "audit.bucket") == {"ETag": '"e"'}
    [(headers, body)] = at_server.requests
    assert body == RECORD
    assert headers["x-amz-checksum-crc32"] == b64encode(zlib.crc32(body).to_bytes(4)).decode()
    _, _, signed = headers["authorization"].partition("SignedHeaders=")
    header_names, _, signature = signed.partition(", Signature=")
    names = header_names.split(";")
    assert {"host", "if-none-match", "x-amz-content-sha256", "x-amz-security-token"} <= set(names)
    url = f"{uploads.meta.endpoint_url}{at_server.paths[0]}"
    request = AWSRequest("PUT", url, data=body, headers={name: headers[name] for name in names})
    request.context["timestamp"] = headers["x-amz-date"]
    signer = S3SigV4Auth(KEYS, "s3", "eu-west-1")
    string_to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    assert signer.signature(string_to_sign, request) == signature


def test_the_path_is_the_one_of_botocore(at_server: RecordingServer) -> None:
    uploads = upload_client(client, read=1)
    at_server.answers = [(200, b""), (200, b"")]
    upload(uploads, "audit")
    upload(uploads.client, "audit")
    assert len(set(at_server.paths)) == 1


@pytest.fixture
def uploads(world: World, aws: Proxy, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", aws.url)
    return upload_client(client, read=1)


def test_an_uploaded_object_is_the_one_of_botocore(world: World, uploads: Any, aws: Proxy) -> None:
    upload(uploads, world.bucket, "ours")
    upload(uploads.client, world.bucket, "theirs")
    assert [request.method for request in aws.seen] == ["PUT", "PUT"]
    found = [uploads.get_object(Bucket=world.bucket, Key=key) for key in ("ours", "theirs")]
    for name in ("ETag", "ContentType", "ContentLength"):
        assert found[0][name] == found[1][name]


@pytest.mark.parametrize("fault", [400, 403, 500, 503])
def test_botocore_repeats_an_upload_that_was_refused(
    world: World, uploads: Any, aws: Proxy, fault: int
) -> None:
    aws.fault = lambda _: fault if len(aws.seen) == 1 else PASS
    assert "ETag" in upload(uploads, world.bucket)
    assert [request.method for request in aws.seen] == ["PUT", "PUT"]


def test_an_existing_object_raises_botocores_error(world: World, uploads: Any) -> None:
    upload(uploads, world.bucket)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        upload(uploads, world.bucket)


@pytest.mark.parametrize("fault", [HANG, RESET])
def test_an_upload_without_an_answer_fails_after_one_call(
    world: World, uploads: Any, aws: Proxy, fault: str
) -> None:
    aws.fault = lambda _: fault
    with pytest.raises(HTTPClientError):
        upload(uploads, world.bucket)
    assert len(aws.seen) == 1


def unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")


def without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.parametrize("change", [unsupported, without_keys])
@pytest.mark.usefixtures("at_server")
def test_what_only_botocore_can_do_is_left_to_it(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[pytest.MonkeyPatch], None]
) -> None:
    monkeypatch.setenv("HOME", "/nobody")
    change(monkeypatch)
    assert not isinstance(upload_client(client, read=1), DirectUploads)


def test_an_access_point_is_left_to_botocore(at_server: RecordingServer) -> None:
    uploads = upload_client(client, read=1)
    arn = "arn:aws:s3:eu-west-1:123456789012:accesspoint/audit"
    with pytest.raises(EndpointConnectionError, match="audit-123456789012"):
        upload(uploads, arn)


def test_the_audit_trail_is_written_directly(
    world: World, aws: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", aws.url)
    forget_wiring()
    trail = bootstrap.audit_trail()
    assert isinstance(trail.client, DirectUploads)
    trail.write("key", RECORD)
    assert world.audit_records() == {"key": {"a": 1}}
    aws.fault = lambda _: HANG
    with pytest.raises(DependencyUnavailable):
        trail.write("other", RECORD)
    forget_wiring()
