"""The microcache: who gets a cached response, for how long, and never after a confirmed change."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import RequestFactory

from bbws_products.request_log import log_cached_response
from products.acceptance import Acceptance
from products.api.microcache import MAX_RESPONSES, Microcache
from products.catalogue import Catalogue
from products.changes import Change, Effect, Origin
from products.invalidation import SETTLE_TIME
from products.pipeline import Pipeline
from tests.support.api_client import Api
from tests.support.builders import fields
from tests.support.delivery import deliver
from tests.support.startup import start as start_web
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]
PATH = "/v1.0/products/p1"


@dataclass
class Browser:
    """A client in front of the cache. ``now`` is the time on the cache's clock, in seconds."""

    application: WSGIApplication
    now: float = 0.0
    seconds: float = 0.1
    misses: list[str] = field(default_factory=list)
    during_miss: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.cache = Microcache(
            self._application, self.seconds, log_cached_response, lambda: self.now
        )

    def _application(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        self.misses.append(environ["PATH_INFO"])
        parts = self.application(environ, start)
        self.during_miss()
        return parts

    def get(
        self, path: str = PATH, method: str = "GET", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        started: list[tuple[str, dict[str, str]]] = []
        environ = RequestFactory(headers=headers).generic(method, path).environ
        if "Cookie" not in headers:
            environ.pop("HTTP_COOKIE", None)

        def start(status: str, sent: list[tuple[str, str]], *_: object) -> Callable[..., object]:
            started.append((status, dict(sent)))
            return lambda _: None

        body = b"".join(self.cache(environ, start))
        [(status, response_headers)] = started
        return int(status[:3]), response_headers, body


@pytest.fixture
def browser(
    world: World, acceptance: Acceptance, pipeline: Pipeline, ann: Origin
) -> Iterator[Browser]:
    acceptance.create("p1", fields(), ann)
    deliver(pipeline.store, "p1", 1)
    # Django's test client does the same, so that a request does not close the test's connection.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield Browser(get_wsgi_application())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def rename(acceptance: Acceptance, ann: Origin) -> Change:
    change = acceptance.update("p1", {"name": "Renamed hosting"}, ann).change
    assert change
    return change


def test_a_second_caller_gets_the_cached_response(browser: Browser, settings: Any) -> None:
    settings.THROTTLE_PUBLIC = 1000
    first = browser.get(X_Request_ID="first-caller")
    second = browser.get(X_Request_ID="second-caller")
    assert len(browser.misses) == 1
    assert (first[0], first[2]) == (second[0], second[2])
    own = ("X-Request-ID", "RateLimit-Remaining")
    assert second[1]["X-Request-ID"] == "second-caller"
    assert int(second[1]["RateLimit-Remaining"]) == int(first[1]["RateLimit-Remaining"]) - 1
    assert {k: v for k, v in first[1].items() if k not in own} == {
        k: v for k, v in second[1].items() if k not in own
    }


def test_a_hit_is_logged_like_any_request(
    browser: Browser, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    caplog.set_level("INFO", "bbws_products.request_log")
    browser.get()
    browser.get(If_None_Match='"v1"')
    first, again = (
        vars(record) for record in caplog.records if record.message == "request answered"
    )
    assert again["status"] == 304
    for name in ("method", "path", "endpoint", "actor", "product_id"):
        assert first[name] == again[name]
    settings.LOG_SAMPLE_READS = 0
    caplog.clear()
    browser.get()
    assert caplog.records == []


def test_a_response_expires_counted_from_before_the_read(browser: Browser) -> None:
    def take_long() -> None:
        browser.now += 0.06

    browser.during_miss = take_long
    browser.get()
    browser.now += 0.03
    browser.get()
    assert len(browser.misses) == 1
    browser.now += 0.02
    browser.get()
    assert len(browser.misses) == 2


def test_conditional_requests_use_the_cached_response(browser: Browser) -> None:
    tag = browser.get()[1]["ETag"]
    status, headers, body = browser.get(If_None_Match=f"W/{tag}")
    assert (status, body, headers["ETag"]) == (304, b"", tag)
    assert {"Content-Type", "Content-Length"} & set(headers) == set()
    assert browser.get(If_None_Match='"v0"')[0] == 200
    assert len(browser.misses) == 1
    browser.now += 1
    assert [browser.get(If_None_Match=tag)[0] for _ in range(2)] == [304, 304]
    assert len(browser.misses) == 2  # a conditional request fills the cache too


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer x"},
        {"Cookie": "sessionid=x"},
        {"Accept": "text/html"},
        {"Origin": "https://a"},
    ],
)
def test_requests_that_may_differ_bypass_the_cache(
    browser: Browser, headers: dict[str, str]
) -> None:
    browser.get()
    browser.get(**headers)
    assert len(browser.misses) == 2
    assert browser.get(method="HEAD")[0] == 200
    assert len(browser.misses) == 3


def test_staff_see_their_save_immediately(
    browser: Browser, acceptance: Acceptance, ann: Origin
) -> None:
    browser.get()
    rename(acceptance, ann)
    staff = Api().headers["Authorization"]
    assert b"Renamed hosting" in browser.get(Authorization=staff)[2]
    assert b"Renamed hosting" not in browser.get()[2]


def test_a_404_is_never_cached(
    browser: Browser, acceptance: Acceptance, pipeline: Pipeline, ann: Origin
) -> None:
    assert browser.get("/v1.0/products/p2")[0] == 404
    acceptance.create("p2", fields(name="Another hosting"), ann)
    deliver(pipeline.store, "p2", 1)
    assert browser.get("/v1.0/products/p2")[0] == 200


@pytest.mark.parametrize("effect", [Effect.STORED, Effect.AUDITED])
def test_a_change_that_was_waited_for_is_public(
    browser: Browser,
    acceptance: Acceptance,
    catalogue: Catalogue,
    pipeline: Pipeline,
    ann: Origin,
    effect: Effect,
) -> None:
    change = rename(acceptance, ann)

    def sleep(seconds: float) -> None:
        browser.now += seconds
        if Effect.STORED in catalogue.receipt("p1", 2).open:
            browser.get()  # caches the old name as late as possible
            deliver(pipeline.store, "p1", 2)
            deliver(pipeline.audit, "p1", 2)

    catalogue.await_effect(change, effect, seconds=5, sleep=sleep)
    assert b"Renamed hosting" in browser.get()[2]


def test_cloudfront_gets_the_new_version_after_a_purge(
    browser: Browser, acceptance: Acceptance, pipeline: Pipeline, ann: Origin
) -> None:
    """CloudFront reads again right after the purge, which starts SETTLE_TIME after the store."""
    browser.get()
    rename(acceptance, ann)
    deliver(pipeline.store, "p1", 2)
    browser.now += SETTLE_TIME.total_seconds()
    assert b"Renamed hosting" in browser.get()[2]


def test_a_cache_time_above_the_limit_is_refused() -> None:
    refused = start_web(HOT_ANSWER_SECONDS="0.6")
    assert refused.returncode == 1
    assert "HOT_ANSWER_SECONDS must be from 0 to 0.5" in refused.stderr


def test_hits_count_towards_the_rate_limit(browser: Browser, settings: Any) -> None:
    settings.THROTTLE_PUBLIC = 3
    statuses = [browser.get()[0] for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert browser.misses == [PATH] * 3


def test_concurrent_misses_share_one_read(browser: Browser) -> None:
    browser.cache.seconds = 60
    statuses: list[int] = []
    other = threading.Thread(target=lambda: statuses.append(browser.get()[0]))

    def let_another_ask() -> None:
        browser.during_miss = lambda: None
        other.start()
        other.join(0.2)
        assert statuses == []

    browser.during_miss = let_another_ask
    assert browser.get()[0] == 200
    other.join(10)
    assert statuses == [200]
    assert len(browser.misses) == 1


def answer_anything(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
    vary = environ.get("HTTP_ORIGIN", "Accept")
    start("200 OK", [("Cache-Control", "public"), ("Vary", vary)])
    return [b"x"]


def test_the_cache_can_be_switched_off(world: World) -> None:
    off = Browser(answer_anything, seconds=0)
    assert [off.get()[0] for _ in range(2)] == [200, 200]
    assert len(off.misses) == 2


def test_the_cache_stays_small(world: World) -> None:
    browser = Browser(answer_anything)
    for number in range(MAX_RESPONSES + 1):
        browser.get(f"{PATH}?n={number}")
    assert len(browser.cache.responses) == 1
    assert len(browser.cache.locks) == 0


def test_a_response_that_varies_by_an_unknown_header_is_not_cached(world: World) -> None:
    browser = Browser(answer_anything)
    for _ in range(2):
        browser.get(Origin="User-Agent")
    assert len(browser.misses) == 2
