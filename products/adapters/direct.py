"""AWS's JSON protocol straight over libcurl, which also signs: a tenth of the CPU time of the same call in boto3.

Here is only what goes well, and the two refusals that are facts to us. Whatever else comes back - no answer, a fault,
throttling, credentials that ran out - boto3 makes the same call again, with its retries and its own errors.
"""

import json
import os
import threading
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pycurl
from botocore.exceptions import ClientError, HTTPClientError
from botocore.httpsession import get_cert_path

FACTS = {"ConditionalCheckFailedException", "TransactionCanceledException"}


class DirectClient:
    """Has the operations of the boto3 ``client`` it stands before, for DynamoDB and SQS; limits, region, endpoint and
    credentials are that client's. Where there was no answer in time, ``client`` tries again only if ``again``.
    """

    def __init__(self, client: Any, *, again: bool = True) -> None:
        self.client, self._again = client, again
        self._own = threading.local()

    def __getattr__(self, name: str) -> Any:
        operation = self.client.meta.method_to_api_mapping.get(name)
        standing = getattr(self.client, name)
        return partial(self._call, operation, standing) if operation else standing

    def _call(self, operation: str, by_boto3: Callable[..., Any], **arguments: Any) -> Any:
        if operation == "TransactWriteItems":  # as boto3 does: the same transaction twice is one
            arguments.setdefault("ClientRequestToken", str(uuid.uuid4()))
        try:
            status, body = self._send(operation, json.dumps(arguments).encode())
        except pycurl.error as fault:
            if not self._again:
                raise HTTPClientError(error=fault) from fault
            status, body = 0, b""
        if status == 200:
            return json.loads(body)
        if status == 400 and (code := _code(answer := json.loads(body))) in FACTS:
            about = {"Code": code, "Message": answer.get("message", answer.get("Message", ""))}
            metadata = {"ResponseMetadata": {"HTTPStatusCode": status}}
            raise ClientError({**answer, "Error": about, **metadata}, operation)  # type: ignore[typeddict-item] # boto's own form
        return by_boto3(**arguments)

    def _send(self, operation: str, body: bytes) -> tuple[int, bytes]:
        handle, keys = self._handle(), self.client._request_signer._credentials.get_frozen_credentials()
        handle.setopt(pycurl.USERPWD, f"{keys.access_key}:{keys.secret_key}")
        handle.setopt(pycurl.HTTPHEADER, self._headers(operation, keys.token))
        handle.setopt(pycurl.POSTFIELDS, body)
        answer = handle.perform_rb()
        return handle.getinfo(pycurl.RESPONSE_CODE), answer

    def _headers(self, operation: str, token: str | None) -> list[str]:
        meta = self.client.meta
        about = meta.service_model.metadata
        headers = [
            f"X-Amz-Target: {about['targetPrefix']}.{operation}",
            f"Content-Type: application/x-amz-json-{about['jsonVersion']}",
            "Expect:",
        ]
        return [*headers, f"X-Amz-Security-Token: {token}"] if token else headers

    def _handle(self) -> Any:
        """One connection for each thread, and none that was made before a fork."""
        if getattr(self._own, "pid", None) != os.getpid():
            self._own.pid, self._own.handle = os.getpid(), self._made()
        return self._own.handle

    def _made(self) -> Any:
        meta = self.client.meta
        connect, whole = meta.config.connect_timeout, meta.config.connect_timeout + meta.config.read_timeout
        handle = pycurl.Curl()
        options = {
            pycurl.URL: f"{meta.endpoint_url}/",
            pycurl.AWS_SIGV4: f"aws:amz:{meta.region_name}:{meta.service_model.signing_name}",
            pycurl.CONNECTTIMEOUT_MS: int(connect * 1000),
            pycurl.TIMEOUT_MS: int(whole * 1000),
            pycurl.NOSIGNAL: 1,
            pycurl.TCP_KEEPALIVE: 1,
            pycurl.CAINFO: os.environ.get("AWS_CA_BUNDLE") or get_cert_path(True),
        }
        for option, value in options.items():
            handle.setopt(option, value)
        return handle


def _code(answer: Any) -> str:
    return str(answer.get("__type", "")).rpartition("#")[2]
