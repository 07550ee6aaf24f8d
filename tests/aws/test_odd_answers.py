"""Answers of AWS that no service gives: they count as no answer, never as an empty one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from products import bootstrap
from products.acceptance import Acceptance
from products.changes import Origin
from products.errors import DependencyUnavailable, EffectRefused
from tests.gameday.fault_proxy import Fault, Proxy, Respond
from tests.gameday.wrong_answers import BODIES, GARBLED_BODIES, STATUSES
from tests.support.builders import fields
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = pytest.mark.engines
ANSWERS = [
    *[(200, body) for body in GARBLED_BODIES],
    *[(status, body) for status in STATUSES for body in BODIES],
]


@pytest.fixture
def proxy(world: World, aws: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for service in ("DYNAMODB", "S3", "CLOUDFRONT", "SQS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", aws.url)
    forget_wiring()
    yield aws
    forget_wiring()


def read_product() -> object:
    return bootstrap.catalogue().by_ids(["p1"])


def read_newest() -> object:
    return bootstrap.catalogue().newest("p1")


def read_image() -> object:
    return bootstrap.media().exists("products/p1/x.webp")


def invalidate() -> None:
    bootstrap.cdn().purge("reference")


def write_audit_record() -> None:
    bootstrap.audit_trail().write("key", b"{}")


CALLS: list[Callable[[], object]] = [
    read_product,
    read_newest,
    read_image,
    invalidate,
    write_audit_record,
]


def answering(status: int, body: bytes) -> Fault:
    return lambda _: Respond(status, body)


@pytest.mark.parametrize("call", CALLS)
def test_odd_answer_is_an_unavailable_service(
    acceptance: Acceptance, proxy: Proxy, ann: Origin, call: Callable[[], Any]
) -> None:
    acceptance.create("p1", fields(), ann)
    for status, body in ANSWERS:
        proxy.fault = answering(status, body)
        with pytest.raises((DependencyUnavailable, EffectRefused)):
            assert not call(), (status, body)
