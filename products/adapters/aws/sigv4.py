"""AWS Signature Version 4 for the calls of AWS's JSON protocol, and for uploads to S3.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from datetime import datetime
from functools import lru_cache

from products.adapters.aws.endpoints import Endpoint, Keys

PROTOCOLS = {
    "dynamodb": ("DynamoDB_20120810", "1.0"),
    "sqs": ("AmazonSQS", "1.0"),
    "ssm": ("AmazonSSM", "1.1"),
}
"""The target prefix and JSON version of each service, as in botocore's service descriptions."""
ALGORITHM = "AWS4-HMAC-SHA256"


def signed_headers(endpoint: Endpoint, operation: str, body: bytes, at: datetime) -> dict[str, str]:
    """Return all headers of a call, with the signature over them and the body."""
    # Read for each call, because the credentials of a container role rotate.
    keys = endpoint.credentials.get_frozen_credentials()
    headers = _headers(endpoint, operation, keys.token, at)
    return _signed(endpoint, keys, "POST\n/", headers, _sha256(body))


def signed_put_headers(
    endpoint: Endpoint, path: str, headers: dict[str, str], body: bytes, at: datetime
) -> dict[str, str]:
    """Return all headers of an upload to S3: these ones, and the signature over them."""
    keys = endpoint.credentials.get_frozen_credentials()
    body_hash = _sha256(body)
    found = headers | {
        "host": endpoint.host,
        "x-amz-content-sha256": body_hash,
        "x-amz-date": _timestamp(at),
    }
    if keys.token:
        found["x-amz-security-token"] = keys.token
    return _signed(endpoint, keys, f"PUT\n{path}", dict(sorted(found.items())), body_hash)


def _signed(
    endpoint: Endpoint, keys: Keys, target: str, headers: dict[str, str], body_hash: str
) -> dict[str, str]:
    """Return the headers, which are in the order of their names, with their signature."""
    header_names = ";".join(headers)
    header_lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical_request = f"{target}\n\n{header_lines}\n{header_names}\n{body_hash}"
    timestamp = headers["x-amz-date"]
    scope = f"{timestamp[:8]}/{endpoint.region}/{endpoint.service}/aws4_request"
    request_hash = _sha256(canonical_request.encode())
    string_to_sign = f"{ALGORITHM}\n{timestamp}\n{scope}\n{request_hash}"
    key = _signing_key(keys.secret_key, scope)
    signature = hmac.digest(key, string_to_sign.encode(), "sha256").hex()
    credential = f"Credential={keys.access_key}/{scope}"
    authorization = f"{ALGORITHM} {credential}, SignedHeaders={header_names}, Signature={signature}"
    return headers | {"authorization": authorization}


@lru_cache(maxsize=8)
def _signing_key(secret_key: str, scope: str) -> bytes:
    """Return the key that signs all calls of one day, region and service."""
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _headers(endpoint: Endpoint, operation: str, token: str | None, at: datetime) -> dict[str, str]:
    """Return the headers to sign, in the order of their names, as the signature requires."""
    target_prefix, json_version = PROTOCOLS[endpoint.service]
    headers = {
        "content-type": f"application/x-amz-json-{json_version}",
        "host": endpoint.host,
        "x-amz-date": _timestamp(at),
    }
    if token:
        headers["x-amz-security-token"] = token
    return headers | {"x-amz-target": f"{target_prefix}.{operation}"}


def _timestamp(at: datetime) -> str:
    return at.strftime("%Y%m%dT%H%M%SZ")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
