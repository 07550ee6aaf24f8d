"""Faults at any single call to a dependency: a killed process, a lost answer, or an event between.

The adapters are real. A fault injector between them and their dependencies counts the calls.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from botocore.exceptions import HTTPClientError

from products.adapters.aws.clients import client
from products.adapters.aws.direct import DirectClient
from products.adapters.cloudfront import CloudFront
from products.adapters.dynamodb.table import DynamoProductTable
from products.adapters.opensearch.index import OpenSearchIndex, connect
from products.adapters.s3 import S3AuditTrail
from products.appending import Notification
from products.errors import DependencyUnavailable
from products.product import Product
from tests.support.aws_connections import connect_with_credentials
from tests.support.fakes import Clock, FakeDoorbell
from tests.support.world import World


class ProcessKilled(BaseException):
    """The process is gone, as after ``kill -9``: no ``except Exception`` catches this."""


def kill_process() -> None:
    raise ProcessKilled


def fail_dependency() -> None:
    raise DependencyUnavailable("The dependency")


@dataclass
class FaultInjector:
    """Calls ``fault`` once, at one call to a dependency, counted from ``arm``.

    ``when`` is one of:

    - ``before``: the call is not made yet.
    - ``after``: the call has taken effect.
    - ``again``: its answer is lost, and the client's own retry repeats the call.
    """

    calls_left: int = 0
    when: str = ""
    fault: Callable[[], None] | None = None

    def arm(self, call: int, when: str, fault: Callable[[], None]) -> None:
        self.calls_left = call
        self.when = when
        self.fault = fault

    def disarm(self) -> bool:
        """Remove the fault. Return whether it has happened."""
        has_happened = self.fault is None
        self.fault = None
        return has_happened

    def before(self, **_: Any) -> None:
        self.calls_left -= 1
        self._inject("before")

    def after(self, **_: Any) -> None:
        self._inject("after")

    def again(self, **_: Any) -> int | None:
        """Return botocore's answer to ``needs-retry``: seconds before the retry, or None."""
        return 0 if self._inject("again") else None

    def _inject(self, when: str) -> bool:
        """Call the fault if its moment has come. Return whether it has."""
        if self.fault is None or self.calls_left != 0 or self.when != when:
            return False
        fault = self.fault
        self.fault = None
        fault()
        return True


@dataclass
class FaultyIndex:
    """The real search index. Its client has no events, so the calls are counted here."""

    index: OpenSearchIndex
    injector: FaultInjector

    def put(self, products: Sequence[Product]) -> list[Exception | None]:
        self.injector.before()
        errors = self.index.put(products)
        self.injector.after()
        return errors

    def __getattr__(self, name: str) -> Any:
        return getattr(self.index, name)


class FaultyClient(DirectClient):
    """The real client. When an answer is lost, boto3 sends the same call again."""

    def __init__(self, boto3_client: Any, injector: FaultInjector) -> None:
        super().__init__(boto3_client, partial(connect_with_credentials, boto3_client))
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
    """A doorbell whose messages count as calls.

    When the queue is unavailable, the message is lost without an error.
    """

    injector: FaultInjector = field(default_factory=FaultInjector)

    def notify(self, notifications: Sequence[Notification]) -> None:
        for notification in notifications:
            try:
                self.injector.before()
                super().notify([notification])
                self.injector.after()
            except DependencyUnavailable:
                continue


@dataclass
class FaultyAdapters:
    """The real adapters, with a fault injector before each dependency.

    They are created once, and each test points them to its own world. ``purges`` is the record of
    CloudFront: for each invalidation its reference, and the time of the first answer.
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
        cloudfront = self._with_hooks(client("cloudfront"))
        event = "after-call.cloudfront.CreateInvalidation"
        cloudfront.meta.events.register_first(event, self._record_purge)
        return cloudfront

    @cached_property
    def s3(self) -> Any:
        return self._with_hooks(client("s3"))

    @cached_property
    def opensearch(self) -> Any:
        return connect(self.search_url)

    def _with_hooks(self, boto3_client: Any) -> Any:
        events = boto3_client.meta.events
        events.register("before-call", self.injector.before)
        events.register("after-call", self.injector.after)
        events.register_first("needs-retry", self.injector.again)
        return boto3_client

    def _record_purge(self, parsed: dict[str, Any], **_: Any) -> None:
        invalidation = parsed["Invalidation"]
        reference = invalidation["InvalidationBatch"]["CallerReference"]
        self.purges.setdefault(invalidation["Id"], (reference, self.clock()))

    def table(self, world: World) -> DynamoProductTable:
        return DynamoProductTable(self.dynamodb, world.table)

    def index(self, world: World) -> FaultyIndex:
        return FaultyIndex(OpenSearchIndex(self.opensearch, world.alias), self.injector)

    def cdn(self, world: World) -> CloudFront:
        return CloudFront(self.cloudfront, world.distribution)

    def trail(self, world: World) -> S3AuditTrail:
        return S3AuditTrail(self.s3, world.bucket)
