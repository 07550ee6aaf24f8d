"""Direct calls over Python's own HTTP client, signed here with AWS Signature Version 4.

Used on Lambda. libcurl would make the zip too large, and importing boto3 is the slowest part
of a start. Region, endpoint and credentials are in the function's environment.
"""

import hashlib
import hmac
import os
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore
from botocore.exceptions import HTTPClientError
from django.utils.functional import SimpleLazyObject

from products.adapters.aws.clients import client
from products.adapters.aws.direct import DirectClient

PROTOCOLS = {
    "dynamodb": ("DynamoDB_20120810", "1.0"),
    "sqs": ("AmazonSQS", "1.0"),
    "ssm": ("AmazonSSM", "1.1"),
}
"""The target prefix and JSON version of each service, as in botocore's service descriptions."""
ALGORITHM = "AWS4-HMAC-SHA256"
SUPPORTED_VARIABLES = re.compile(
    r"AWS_(ACCESS_KEY(_ID)?|SECRET_ACCESS_KEY|SESSION_TOKEN|DEFAULT_REGION|REGION|ENDPOINT_URL\w*"
    r"|CA_BUNDLE|EC2_METADATA_DISABLED|EXECUTION_ENV|LAMBDA_\w+|XRAY_\w+)"
)
"""AWS variables that are read here, or that don't change how to call. Others need botocore."""
COMMERCIAL_REGION = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+")
"""Regions whose endpoints end with amazonaws.com (the ``aws`` partition in endpoints.json)."""
PLAIN_URL = re.compile(r"https?://[^/?#@]+")
CLOSED_BY_PEER = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""Errors of a kept connection that the peer has closed, among them RemoteDisconnected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The address of a service, the credentials, and the time limits.

    ``connect`` and ``read`` are seconds: for opening a connection, and for each read.
    """

    service: str
    url: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    connect: float = 1
    read: float = 2

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


def endpoint_from(service: str, environment: Mapping[str, str]) -> Endpoint | None:
    """Return the endpoint that botocore would use in this environment.

    Return None unless region and static keys are variables, and there is no proxy, profile or
    configuration file: only botocore knows the rules for those. Static keys never change while
    a process lives.
    """
    if _needs_botocore(environment):
        return None
    region = environment.get("AWS_DEFAULT_REGION", "")
    access_key = environment.get("AWS_ACCESS_KEY_ID")
    secret_key = environment.get("AWS_SECRET_ACCESS_KEY")
    if not (access_key and secret_key and COMMERCIAL_REGION.fullmatch(region)):
        return None
    url = (
        environment.get(f"AWS_ENDPOINT_URL_{service.upper()}")
        or environment.get("AWS_ENDPOINT_URL")
        or f"https://{service}.{region}.amazonaws.com"
    )
    if not PLAIN_URL.fullmatch(url):
        return None
    return Endpoint(
        service=service,
        url=url,
        region=region,
        access_key=access_key,
        secret_key=secret_key,
        token=environment.get("AWS_SESSION_TOKEN") or None,
    )


def _needs_botocore(environment: Mapping[str, str]) -> bool:
    has_proxy = any(
        name.lower().endswith("_proxy") and name.lower() != "no_proxy" for name in environment
    )
    has_other_variables = any(
        name.startswith("AWS_") and not SUPPORTED_VARIABLES.fullmatch(name) for name in environment
    )
    has_files = Path(environment.get("HOME", "/"), ".aws").exists()
    return has_proxy or has_other_variables or has_files


def signed_client(
    service: str, create_client: Callable[..., Any] = client, *, attempts: int
) -> Any:
    """Return a client that signs calls itself, or a botocore client if the environment needs it.

    A botocore client is made by ``create_client``. Both make at most ``attempts`` attempts; the
    signing client makes the first one itself, and the others with botocore.
    """
    endpoint = endpoint_from(service, os.environ)
    if endpoint is None:
        return create_client(service, attempts=attempts)
    fallback = SimpleLazyObject(partial(create_client, service, attempts=max(1, attempts - 1)))
    connect = partial(SignedConnection, endpoint)
    return DirectClient(fallback, connect, retry_timeouts=attempts > 1)


class SignedConnection:
    """An HTTP connection that is kept open between calls.

    If the peer has closed it since the last call, for example while a function was frozen, it is
    opened again immediately, as libcurl does.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._kept: HTTPConnection | None = None

    def send(self, operation: str, body: bytes) -> tuple[int, bytes]:
        """Sign and send one call; return the HTTP status and the body of the response."""
        headers = signed_headers(self.endpoint, operation, body, datetime.now(UTC))
        was_kept = self._kept is not None
        try:
            try:
                return self._post(headers, body)
            except CLOSED_BY_PEER:
                if not was_kept:
                    raise
                return self._post(headers, body)
        except (OSError, HTTPException) as fault:
            raise HTTPClientError(error=fault) from fault

    def __del__(self) -> None:
        """Close the connection when its thread has ended."""
        if self._kept:
            self._kept.close()

    def _post(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        http = self._kept or _open_connection(self.endpoint)
        self._kept = None  # until the call has succeeded
        try:
            http.request("POST", "/", body, headers)
            http.sock.settimeout(self.endpoint.read)
            response = http.getresponse()
            content = response.read()
        except (OSError, HTTPException):
            http.close()
            raise
        self._kept = http
        return response.status, content


def _open_connection(endpoint: Endpoint) -> HTTPConnection:
    if urlsplit(endpoint.url).scheme == "https":
        return HTTPSConnection(endpoint.host, timeout=endpoint.connect, context=_ssl_context())
    return HTTPConnection(endpoint.host, timeout=endpoint.connect)


@cache
def _ssl_context() -> ssl.SSLContext:
    bundled = Path(botocore.__file__).with_name("cacert.pem")
    return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or bundled)


def signed_headers(
    endpoint: Endpoint,
    operation: str,
    body: bytes,
    at: datetime,
) -> dict[str, str]:
    """Return all headers of a call, with the signature over them and the body.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    headers = _headers(endpoint, operation, at)
    header_names = ";".join(headers)
    header_lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical_request = f"POST\n/\n\n{header_lines}\n{header_names}\n{_sha256(body)}"
    timestamp = headers["x-amz-date"]
    scope = f"{timestamp[:8]}/{endpoint.region}/{endpoint.service}/aws4_request"
    request_hash = _sha256(canonical_request.encode())
    string_to_sign = f"{ALGORITHM}\n{timestamp}\n{scope}\n{request_hash}"
    key = f"AWS4{endpoint.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, string_to_sign.encode(), "sha256").hex()
    credential = f"Credential={endpoint.access_key}/{scope}"
    authorization = f"{ALGORITHM} {credential}, SignedHeaders={header_names}, Signature={signature}"
    return headers | {"authorization": authorization}


def _headers(endpoint: Endpoint, operation: str, at: datetime) -> dict[str, str]:
    """Return the headers to sign, in the order of their names, as the signature requires."""
    target_prefix, json_version = PROTOCOLS[endpoint.service]
    headers = {
        "content-type": f"application/x-amz-json-{json_version}",
        "host": endpoint.host,
        "x-amz-date": at.strftime("%Y%m%dT%H%M%SZ"),
        "x-amz-target": f"{target_prefix}.{operation}",
    }
    if endpoint.token:
        headers["x-amz-security-token"] = endpoint.token
    return dict(sorted(headers.items()))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
