"""Fixtures of the AWS tests."""

import threading
from collections.abc import Iterator

import pytest

from tests.support.aws_connections import (
    Connect,
    RecordingServer,
    connect_with_credentials,
    connect_with_variables,
)


@pytest.fixture(params=[connect_with_credentials, connect_with_variables])
def connect(request: pytest.FixtureRequest) -> Connect:
    chosen: Connect = request.param
    return chosen


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    server = RecordingServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
