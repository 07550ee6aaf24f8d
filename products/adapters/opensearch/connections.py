"""Connections to OpenSearch whose time-out limits the whole response."""

from opensearchpy.connection import Urllib3HttpConnection
from urllib3.connection import HTTPConnection, HTTPSConnection

from products.adapters.deadlines import TimedConnection


class _Connection(TimedConnection, HTTPConnection):
    """A connection without TLS."""


class _SecureConnection(TimedConnection, HTTPSConnection):
    """A connection with TLS."""


class TimedHttpConnection(Urllib3HttpConnection):
    """A pool of such connections to one node."""

    def _create_urllib3_pool(self) -> None:
        super()._create_urllib3_pool()
        self.pool.ConnectionCls = _SecureConnection if self.use_ssl else _Connection
