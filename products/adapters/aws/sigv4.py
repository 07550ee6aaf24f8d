"""Direct calls over Python's own HTTP client, signed here: for functions on Lambda, whose zip libcurl would not fit in,
and whose environment says by itself where AWS is and who calls. To load boto3 takes longer than all else they do.
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
"""What names an operation's service, and the version of the JSON it speaks; botocore's own, as a test sees."""
UNDERSTOOD = re.compile(
    r"AWS_(ACCESS_KEY(_ID)?|SECRET_ACCESS_KEY|SESSION_TOKEN|DEFAULT_REGION|REGION|ENDPOINT_URL\w*|CA_BUNDLE"
    r"|EC2_METADATA_DISABLED|EXECUTION_ENV|LAMBDA_\w+|XRAY_\w+)"
)
"""Variables that say what is said here, or nothing of how to call. Any other of AWS's is botocore's to understand."""
COMMERCIAL = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+")
"""Regions whose addresses end with amazonaws.com (the ``aws`` partition in botocore's endpoints.json)."""
PLAIN_URL = re.compile(r"https?://[^/?#@]+")
GONE = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""How a kept connection turns out to have been closed; http.client's RemoteDisconnected is among the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a service is and who calls it; time limits in seconds, of a connection and of each read."""

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


def endpoint_of(service: str, environment: Mapping[str, str]) -> Endpoint | None:
    """What botocore would make of the environment, where that is plain: keys and region are in it, and nothing - no
    proxy, no profile, no file - says more. Else None. Such keys never change while a process lives.
    """
    key, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    region, token = (
        environment.get("AWS_DEFAULT_REGION", ""),
        environment.get("AWS_SESSION_TOKEN") or None,
    )
    url = (
        environment.get(f"AWS_ENDPOINT_URL_{service.upper()}")
        or environment.get("AWS_ENDPOINT_URL")
        or f"https://{service}.{region}.amazonaws.com"
    )
    if not (
        key and secret and COMMERCIAL.fullmatch(region) and PLAIN_URL.fullmatch(url)
    ) or _says_more(environment):
        return None
    return Endpoint(
        service=service, url=url, region=region, access_key=key, secret_key=secret, token=token
    )


def _says_more(environment: Mapping[str, str]) -> bool:
    proxied = any(
        name.lower().endswith("_proxy") and name.lower() != "no_proxy" for name in environment
    )
    strange = any(
        name.startswith("AWS_") and not UNDERSTOOD.fullmatch(name) for name in environment
    )
    return proxied or strange or Path(environment.get("HOME", "/"), ".aws").exists()


def signed_client(service: str, make: Callable[..., Any] = client, *, attempts: int) -> Any:
    """A client that takes no botocore while all goes well; botocore's own, made by ``make``, where the environment
    leaves open how to call. Both try ``attempts`` times, of which the first is direct."""
    place = endpoint_of(service, os.environ)
    if place is None:
        return make(service, attempts=attempts)
    later = SimpleLazyObject(partial(make, service, attempts=max(1, attempts - 1)))
    return DirectClient(later, partial(SignedConnection, place), again=attempts > 1)


class SignedConnection:
    """Kept open between calls. One that the other side has closed since the last call - as while a function was
    frozen - is opened anew at once, as libcurl does."""

    def __init__(self, place: Endpoint) -> None:
        self.place = place
        self._open: HTTPConnection | None = None

    def send(self, operation: str, body: bytes) -> tuple[int, bytes]:
        headers = signed_headers(self.place, operation, body, datetime.now(UTC))
        kept = self._open is not None
        try:
            try:
                return self._exchanged(headers, body)
            except GONE:
                if not kept:
                    raise
                return self._exchanged(headers, body)
        except (OSError, HTTPException) as fault:
            raise HTTPClientError(error=fault) from fault

    def __del__(self) -> None:
        """Its thread has ended."""
        if self._open:
            self._open.close()

    def _exchanged(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Only a connection on which all went well is kept."""
        http, self._open = self._open or _connection(self.place), None
        try:
            http.request("POST", "/", body, headers)
            http.sock.settimeout(self.place.read)
            answer = http.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            http.close()
            raise
        self._open = http
        return answer.status, content


def _connection(place: Endpoint) -> HTTPConnection:
    if urlsplit(place.url).scheme == "https":
        return HTTPSConnection(place.host, timeout=place.connect, context=_trust())
    return HTTPConnection(place.host, timeout=place.connect)


@cache
def _trust() -> ssl.SSLContext:
    bundled = Path(botocore.__file__).with_name("cacert.pem")
    return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or bundled)


def signed_headers(place: Endpoint, operation: str, body: bytes, at: datetime) -> dict[str, str]:
    """All headers of the call, with AWS's Signature Version 4 over them and the body:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    target, version = PROTOCOLS[place.service]
    time = at.strftime("%Y%m%dT%H%M%SZ")
    headers = {  # in the order of their names, as the signature wants them
        "content-type": f"application/x-amz-json-{version}",
        "host": place.host,
        "x-amz-date": time,
        **({"x-amz-security-token": place.token} if place.token else {}),
        "x-amz-target": f"{target}.{operation}",
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{time[:8]}/{place.region}/{place.service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{place.secret_key}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    signer = f"Credential={place.access_key}/{scope}, SignedHeaders={names}"
    return headers | {"authorization": f"AWS4-HMAC-SHA256 {signer}, Signature={key.hex()}"}
