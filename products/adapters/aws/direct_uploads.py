"""Uploads of small objects to S3 without botocore, which needs ten times the CPU time."""

import re
import zlib
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote

from products.adapters.aws.clients import new_session
from products.adapters.aws.connection import SignedConnection
from products.adapters.aws.endpoints import Endpoint, endpoint_of
from products.adapters.aws.thread_connections import ThreadConnections

PLAIN_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""A name that can be part of the path: all but ARNs of access points."""


class DirectUploads:
    """A client of S3 whose ``put_object`` is sent directly. botocore makes all other calls.

    botocore also makes an upload again that did not succeed, with its own errors.
    """

    def __init__(self, client: Any, endpoint: Endpoint) -> None:
        self.client = client
        self._connections = ThreadConnections(partial(SignedConnection, endpoint))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def put_object(self, **arguments: Any) -> Any:
        """Upload an object that does not exist yet, and return its ETag.

        Raises: HTTPClientError without a response in time, and botocore's errors.
        """
        bucket, body = arguments["Bucket"], arguments["Body"]
        if PLAIN_BUCKET.fullmatch(bucket):
            headers = {
                "content-type": arguments["ContentType"],
                "if-none-match": arguments["IfNoneMatch"],
                # S3 requires a checksum where objects are locked.
                "x-amz-checksum-crc32": b64encode(zlib.crc32(body).to_bytes(4)).decode(),
            }
            connection: SignedConnection = self._connections.current()
            path = f"/{bucket}/{quote(arguments['Key'], safe='/~')}"
            response = connection.put(path, headers, body)
            if response.status == 200 and "etag" in response.headers:
                return {"ETag": response.headers["etag"]}
        return self.client.put_object(**arguments)


def upload_client(create_client: Callable[..., Any], *, read: float) -> Any:
    """Return a client of S3 that uploads directly, where that is possible.

    ``create_client`` makes its botocore client. ``read`` limits a call, which is made once.
    """
    session = new_session()
    s3 = create_client("s3", read=read, attempts=1, session=session)
    endpoint = endpoint_of(s3, session.get_credentials())
    return DirectUploads(s3, endpoint) if endpoint else s3
