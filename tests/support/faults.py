"""What may happen at any single call to an engine: death of the process, a lost answer, or something else meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from botocore.exceptions import HTTPClientError

from products.adapters.aws.clients import client
from products.adapters.aws.curl import CurlConnection
from products.adapters.aws.direct import DirectClient
from products.adapters.cloudfront import CloudFront
from products.adapters.dynamodb.table import DynamoProductTable
from products.adapters.opensearch.index import OpenSearchIndex, connect
from products.adapters.s3 import S3AuditTrail, WriteOnceStorage
from products.changes import Change
from products.errors import DependencyUnavailable
from products.product import Product
from tests.support.fakes import Clock, FakeDoorbell
from tests.support.world import World


class ProcessKilled(BaseException):
    """The process is gone, as after kill -9: no ``except Exception`` sees it."""


def kill_process() -> None:
    raise ProcessKilled


def fail_dependency() -> None:
    raise DependencyUnavailable("The engine")


@dataclass
class FaultInjector:
    """Makes one thing happen at one engine call, counted from arming: before it, after it took effect, or ``again`` -
    its answer is lost and the client's own retry sends it a second time."""

    left: int = 0
    when: str = ""
    happen: Callable[[], None] | None = None

    def arm(self, call: int, when: str, happen: Callable[[], None]) -> None:
        self.left, self.when, self.happen = call, when, happen

    def disarm(self) -> bool:
        """Whether the thing has happened."""
        happened, self.happen = self.happen is None, None
        return happened

    def before(self, **_: Any) -> None:
        self.left -= 1
        self._reached("before")

    def after(self, **_: Any) -> None:
        self._reached("after")

    def again(self, **_: Any) -> int | None:
        """In botocore's words: how many seconds to wait before the retry, None for no retry."""
        return 0 if self._reached("again") else None

    def _reached(self, when: str) -> bool:
        if self.happen is None or (self.left, self.when) != (0, when):
            return False
        happen, self.happen = self.happen, None
        happen()
        return True


@dataclass
class FaultyIndex:
    """The real index behind a client that has no events."""

    index: OpenSearchIndex
    injector: FaultInjector

    def put(self, product: Product) -> None:
        self.injector.before()
        self.index.put(product)
        self.injector.after()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.index, name)


class FaultyClient(DirectClient):
    """The real one, whose answers may be lost on the way back; then boto3 sends the same again."""

    def __init__(self, boto3_client: Any, injector: FaultInjector) -> None:
        super().__init__(boto3_client, partial(CurlConnection, boto3_client))
        self.injector = injector

    def _call(self, name: str, **arguments: Any) -> Any:
        self.injector.before()
        try:
            return super()._call(name, **arguments)
        finally:
            self.injector.after()

    def _send(self, operation: str, body: bytes) -> tuple[int, bytes]:
        answer = super()._send(operation, body)
        if self.injector.again() is not None:
            raise HTTPClientError(error="the answer was lost")
        return answer


@dataclass
class FaultyDoorbell(FakeDoorbell):
    """A publish is a call too; when the queue is away, the message is lost and nobody is told."""

    injector: FaultInjector = field(default_factory=FaultInjector)

    def notify(self, task: str, change: Change, *, delay: int = 0) -> None:
        try:
            self.injector.before()
            super().notify(task, change, delay=delay)
            self.injector.after()
        except DependencyUnavailable:
            return


@dataclass
class FaultyAdapters:
    """The real adapters with the disturber between them and their engines; made once, pointed at a world by each test.

    ``purges`` is CloudFront's own story: for each invalidation it made, the reference and the time it first answered.
    """

    search_url: str
    injector: FaultInjector = field(default_factory=FaultInjector)
    clock: Clock = field(default_factory=Clock)
    purges: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    @cached_property
    def dynamodb(self) -> Any:
        return FaultyClient(client("dynamodb"), self.injector)

    @cached_property
    def cloudfront(self) -> Any:
        hooked = self._hooked(client("cloudfront"))
        hooked.meta.events.register_first("after-call.cloudfront.CreateInvalidation", self._purged)
        return hooked

    @cached_property
    def storage(self) -> WriteOnceStorage:
        storage = WriteOnceStorage(bucket_name="", client_config=client("s3").meta.config)
        self._hooked(storage.connection.meta.client)
        return storage

    @cached_property
    def opensearch(self) -> Any:
        return connect(self.search_url)

    def _hooked(self, made: Any) -> Any:
        events = made.meta.events
        events.register("before-call", self.injector.before)
        events.register("after-call", self.injector.after)
        events.register_first("needs-retry", self.injector.again)
        return made

    def _purged(self, parsed: dict[str, Any], **_: Any) -> None:
        made = parsed["Invalidation"]
        self.purges.setdefault(
            made["Id"], (made["InvalidationBatch"]["CallerReference"], self.clock())
        )

    def table(self, world: World) -> DynamoProductTable:
        return DynamoProductTable(self.dynamodb, world.table)

    def index(self, world: World) -> FaultyIndex:
        return FaultyIndex(OpenSearchIndex(self.opensearch, world.alias), self.injector)

    def cdn(self, world: World) -> CloudFront:
        return CloudFront(self.cloudfront, world.distribution)

    def trail(self, world: World) -> S3AuditTrail:
        self.storage.bucket_name = world.bucket
        return S3AuditTrail(self.storage)
