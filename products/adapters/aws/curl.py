"""Direct calls over libcurl, which also signs them: a tenth of the CPU time of boto3."""

import os
from typing import Any

import pycurl
from botocore.exceptions import HTTPClientError
from botocore.httpsession import get_cert_path


class CurlConnection:
    """A connection with the time limits, region, endpoint and credentials of a boto3 client."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self._handle = _new_handle(client.meta)

    def send(self, operation: str, body: bytes) -> tuple[int, bytes]:
        """Send one call; return the HTTP status and the body of the response."""
        # Read for each call, because the credentials of a container role rotate.
        keys = self.client._request_signer._credentials.get_frozen_credentials()
        self._handle.setopt(pycurl.USERPWD, f"{keys.access_key}:{keys.secret_key}")
        self._handle.setopt(pycurl.HTTPHEADER, self._headers(operation, keys.token))
        self._handle.setopt(pycurl.POSTFIELDS, body)
        try:
            content = self._handle.perform_rb()
        except pycurl.error as fault:
            raise HTTPClientError(error=fault) from fault
        return self._handle.getinfo(pycurl.RESPONSE_CODE), content

    def _headers(self, operation: str, token: str | None) -> list[str]:
        metadata = self.client.meta.service_model.metadata
        headers = [
            f"X-Amz-Target: {metadata['targetPrefix']}.{operation}",
            f"Content-Type: application/x-amz-json-{metadata['jsonVersion']}",
            "Expect:",
        ]
        if token:
            headers.append(f"X-Amz-Security-Token: {token}")
        return headers


def _new_handle(meta: Any) -> Any:
    connect_seconds = meta.config.connect_timeout
    total_seconds = connect_seconds + meta.config.read_timeout
    options = {
        pycurl.URL: f"{meta.endpoint_url}/",
        pycurl.AWS_SIGV4: f"aws:amz:{meta.region_name}:{meta.service_model.signing_name}",
        pycurl.CONNECTTIMEOUT_MS: int(connect_seconds * 1000),
        pycurl.TIMEOUT_MS: int(total_seconds * 1000),
        pycurl.NOSIGNAL: 1,
        pycurl.TCP_KEEPALIVE: 1,
        pycurl.CAINFO: os.environ.get("AWS_CA_BUNDLE") or get_cert_path(True),
    }
    handle = pycurl.Curl()
    for option, value in options.items():
        handle.setopt(option, value)
    return handle
