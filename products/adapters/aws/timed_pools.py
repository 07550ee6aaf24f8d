"""Connections of botocore whose time-out limits the whole response."""

from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)

from products.adapters.deadlines import TimedConnection


# The ignored clashes are botocore's own, with http.client.
class _Connection(TimedConnection, AWSHTTPConnection):  # type: ignore[misc]
    """A connection without TLS."""


class _SecureConnection(TimedConnection, AWSHTTPSConnection):  # type: ignore[misc]
    """A connection with TLS."""


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(AWSHTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def limit_responses(client: Any) -> None:
    """Let each attempt of the client end after its time-out, also while the service sends.

    botocore has no setting for it. The names are private; a test with a slow server needs them.
    """
    pools = {"http": _Pool, "https": _SecurePool}
    client._endpoint.http_session._pool_classes_by_scheme.update(pools)
