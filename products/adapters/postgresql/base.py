"""The database engine: Django's own, with an end for every wait.

PostgreSQL ends slow statements itself. But a server, or something in front of it, can accept a
statement and never answer. libpq has no limit for that.
"""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg import IsolationLevel
from psycopg.abc import PQGen

from products.adapters.postgresql.silence import SILENCE

RESPONSE_OPTION = "response_seconds"
"""The entry of OPTIONS with the longest wait for the result of a statement."""


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when a statement has no result after ``response_seconds``."""

    response_seconds = 0.0

    def wait[T](self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Return the result. Raise psycopg.OperationalError after the time."""
        seconds = self.response_seconds
        try:
            with SILENCE.limit(seconds):
                return super().wait(gen, interval, seconds)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                self.close()  # nobody knows whether and when the result will come
            raise


class DatabaseWrapper(base.DatabaseWrapper):
    """Opens bounded connections."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> BoundedConnection:
        """Return a connection to the server. Raise psycopg.OperationalError without one."""
        self.isolation_level = IsolationLevel.READ_COMMITTED
        parameters = dict(conn_params)
        seconds = parameters.pop(RESPONSE_OPTION)
        with SILENCE.limit(parameters["connect_timeout"]):
            connection = BoundedConnection.connect(**parameters)
        connection.response_seconds = seconds
        return connection
