"""A service that sends its answer byte by byte holds no thread beyond the time limit of a call."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import opensearchpy
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from django.core.files.base import ContentFile

from products.adapters.aws.clients import client
from products.adapters.aws.direct import DirectClient
from products.adapters.media import MediaStorage
from products.adapters.opensearch.index import connect as connect_to_search
from tests.support.aws_connections import connect_with_variables

READ_SECONDS = 0.5
MAX_SECONDS = 4.0
BETWEEN_BYTES = 0.1
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"
STARTS = {"head": b"", "body": HEAD, "endless": HEAD.replace(b"Content-Length: 5000", b"X: y")}


class DrippingServer:
    """Answers with ``start``, and then one byte after the other, as long as somebody reads."""

    def __init__(self, start: bytes) -> None:
        self.start = start
        self.closing = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._drip, args=(peer,), daemon=True).start()

    def _drip(self, peer: socket.socket) -> None:
        with peer:
            try:
                peer.recv(65536)
                peer.sendall(self.start)
                while not self.closing.wait(BETWEEN_BYTES):
                    peer.sendall(b"x")
            except OSError:
                return

    def close(self) -> None:
        self.closing.set()
        self.listener.close()


@pytest.fixture(params=STARTS)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    dripping = DrippingServer(STARTS[request.param])
    monkeypatch.setenv("AWS_ENDPOINT_URL", dripping.url)
    for service in ("DYNAMODB", "SQS", "S3", "CLOUDFRONT"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", dripping.url)
    yield dripping
    dripping.close()


def limited(service: str) -> Any:
    return client(service, connect=0.5, read=READ_SECONDS, attempts=1)


def direct_call() -> object:
    fallback = limited("dynamodb")
    direct = DirectClient(fallback, partial(connect_with_variables, fallback))
    return direct.get_item(TableName="t", Key={})


def receive() -> object:
    return limited("sqs").receive_message(QueueUrl="http://127.0.0.1/0/q")


def read_object() -> object:
    return limited("s3").get_object(Bucket="b", Key="k")["Body"].read()


def write_object() -> object:
    return limited("s3").put_object(Bucket="b", Key="k", Body=b"record", IfNoneMatch="*")


def invalidate() -> object:
    paths = {"Quantity": 1, "Items": ["/*"]}
    batch = {"Paths": paths, "CallerReference": "r"}
    return limited("cloudfront").create_invalidation(DistributionId="d", InvalidationBatch=batch)


def upload_image() -> object:
    limits = Config(connect_timeout=0.5, read_timeout=READ_SECONDS, retries={"max_attempts": 0})
    return MediaStorage(bucket_name="b", client_config=limits).save("key", ContentFile(b"x"))


def index() -> object:
    url = limited("s3").meta.endpoint_url
    return connect_to_search(url, timeout_seconds=READ_SECONDS).search(index="i")


CALLS: list[Callable[[], object]] = [
    direct_call,
    receive,
    read_object,
    write_object,
    invalidate,
    upload_image,
    index,
]
FAULTS = (BotoCoreError, opensearchpy.exceptions.ConnectionError, OSError)


@pytest.mark.parametrize("call", CALLS)
def test_call_ends_while_the_answer_drips(
    server: DrippingServer, call: Callable[[], object]
) -> None:
    began = time.monotonic()
    with pytest.raises(FAULTS):
        call()
    assert time.monotonic() - began < MAX_SECONDS
