"""Answers given again for a moment: to whom, for how long, and that nobody told of a change gets the old one."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import RequestFactory

from bbws_products.request_log import log_cached_response
from products.api.microcache import MAX_RESPONSES, Application, Microcache
from products.catalogue import Catalogue
from products.changes import Effect, Origin
from products.pipeline import SETTLE_TIME, Pipeline
from tests.support.api_client import Api
from tests.support.builders import fields
from tests.support.startup import start as started
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]
PATH = "/v1.0/products/p1"


@dataclass
class Browser:
    """Whoever asks; ``now`` is the clock of the answers, in seconds."""

    application: Application
    now: float = 0.0
    asked: list[str] = field(default_factory=list)
    seconds: float = 0.1
    while_asked: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.hot = Microcache(self._counted, self.seconds, log_cached_response, lambda: self.now)

    def _counted(self, environ: dict[str, Any], start: Any) -> Any:
        self.asked.append(environ["PATH_INFO"])
        parts = self.application(environ, start)
        self.while_asked()
        return parts

    def get(
        self, path: str = PATH, method: str = "GET", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        told: list[Any] = []
        environ = RequestFactory(headers=headers).generic(method, path).environ
        environ.pop("HTTP_COOKIE", None) if "Cookie" not in headers else None
        body = b"".join(self.hot(environ, lambda status, sent, *_: told.extend((status, sent))))
        return int(told[0][:3]), dict(told[1]), body


@pytest.fixture
def browser(
    world: World, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> Iterator[Browser]:
    catalogue.create("p1", fields(), ann)
    pipeline.store("p1", 1)
    # A request gives up the connection it finds, and then its own; here it is the test's, as in Django's client.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield Browser(get_wsgi_application())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def renamed(catalogue: Catalogue, pipeline: Pipeline, ann: Origin) -> Any:
    change = catalogue.update("p1", {"name": "Renamed hosting"}, ann).change
    pipeline.store("p1", 2)
    return change


def test_a_second_caller_gets_the_same_answer_but_for_what_is_their_own(
    browser: Browser, settings: Any
) -> None:
    settings.THROTTLE_PUBLIC = 1000
    first = browser.get(X_Request_ID="first-caller")
    second = browser.get(X_Request_ID="second-caller")
    assert len(browser.asked) == 1
    assert (first[0], first[2]) == (second[0], second[2])
    own = ("X-Request-ID", "RateLimit-Remaining")
    assert second[1]["X-Request-ID"] == "second-caller"
    assert int(second[1]["RateLimit-Remaining"]) == int(first[1]["RateLimit-Remaining"]) - 1
    assert {k: v for k, v in first[1].items() if k not in own} == {
        k: v for k, v in second[1].items() if k not in own
    }


def test_each_has_its_line_in_the_log(
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


def test_an_answer_has_an_end_counted_from_before_it_was_read(browser: Browser) -> None:
    def take_long() -> None:
        browser.now += 0.06

    browser.while_asked = take_long
    browser.get()
    browser.now += 0.03
    browser.get()
    assert len(browser.asked) == 1
    browser.now += 0.02
    browser.get()
    assert len(browser.asked) == 2


def test_conditions_are_answered_from_the_same_answer(browser: Browser) -> None:
    tag = browser.get()[1]["ETag"]
    status, headers, body = browser.get(If_None_Match=f"W/{tag}")
    assert (status, body, headers["ETag"]) == (304, b"", tag)
    assert {"Content-Type", "Content-Length"} & set(headers) == set()
    assert browser.get(If_None_Match='"v0"')[0] == 200
    assert len(browser.asked) == 1
    browser.now += 1
    assert [browser.get(If_None_Match=tag)[0] for _ in range(2)] == [304, 304]
    assert len(browser.asked) == 2  # a conditional request fills it as well


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer x"},
        {"Cookie": "sessionid=x"},
        {"Accept": "text/html"},
        {"Origin": "https://a"},
    ],
)
def test_who_may_see_something_else_is_not_given_it(
    browser: Browser, headers: dict[str, str]
) -> None:
    browser.get()
    browser.get(**headers)
    assert len(browser.asked) == 2
    assert browser.get(method="HEAD")[0] == 200
    assert len(browser.asked) == 3


def test_staff_see_their_save_at_once(browser: Browser, catalogue: Catalogue, ann: Origin) -> None:
    browser.get()
    catalogue.update("p1", {"name": "Renamed hosting"}, ann)
    staff = Api().headers["Authorization"]
    assert b"Renamed hosting" in browser.get(Authorization=staff)[2]
    assert b"Renamed hosting" not in browser.get()[2]


def test_that_there_is_nothing_is_never_kept(
    browser: Browser, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    assert browser.get("/v1.0/products/p2")[0] == 404
    catalogue.create("p2", fields(name="Another hosting"), ann)
    pipeline.store("p2", 1)
    assert browser.get("/v1.0/products/p2")[0] == 200


@pytest.mark.parametrize("effect", [Effect.STORED, Effect.AUDITED])
def test_who_waited_for_a_change_finds_that_the_public_reads_it(
    browser: Browser, catalogue: Catalogue, pipeline: Pipeline, ann: Origin, effect: Effect
) -> None:
    change = catalogue.update("p1", {"name": "Renamed hosting"}, ann).change

    def asleep(seconds: float) -> None:
        browser.now += seconds
        if Effect.STORED in catalogue.receipt("p1", 2).open:
            browser.get()  # the last moment at which anybody reads the old one
            pipeline.store("p1", 2)
            pipeline.audit("p1", 2)

    catalogue.await_effect(change, effect, seconds=5, sleep=asleep)
    assert b"Renamed hosting" in browser.get()[2]


def test_no_invalidation_is_answered_with_what_was_before(
    browser: Browser, catalogue: Catalogue, pipeline: Pipeline, ann: Origin
) -> None:
    """CloudFront asks as soon as it was purged, and that starts a second after the change was stored."""
    browser.get()
    renamed(catalogue, pipeline, ann)
    browser.now += SETTLE_TIME.total_seconds()
    assert b"Renamed hosting" in browser.get()[2]


def test_answers_that_last_too_long_for_that_are_refused() -> None:
    refused = started(HOT_ANSWER_SECONDS="0.6")
    assert refused.returncode == 1
    assert "HOT_ANSWER_SECONDS must be from 0 to 0.5" in refused.stderr


def test_who_calls_too_often_is_refused_all_the_same(browser: Browser, settings: Any) -> None:
    settings.THROTTLE_PUBLIC = 3
    statuses = [browser.get()[0] for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert browser.asked == [PATH] * 3


def test_of_all_who_ask_at_once_one_reads(browser: Browser) -> None:
    browser.hot.seconds = 60
    found: list[int] = []
    other = threading.Thread(target=lambda: found.append(browser.get()[0]))

    def while_another_asks() -> None:
        browser.while_asked = lambda: None
        other.start()
        other.join(0.2)
        assert found == []

    browser.while_asked = while_another_asks
    assert browser.get()[0] == 200
    other.join(10)
    assert found == [200]
    assert len(browser.asked) == 1


def test_it_can_be_switched_off_and_stays_small(world: World) -> None:
    def anything(environ: dict[str, Any], start: Any) -> list[bytes]:
        start(
            "200 OK", [("Cache-Control", "public"), ("Vary", environ.get("HTTP_ORIGIN", "Accept"))]
        )
        return [b"x"]

    off = Browser(anything, seconds=0)
    assert [off.get()[0] for _ in range(2)] == [200, 200]
    assert len(off.asked) == 2
    small = Browser(anything)
    for number in range(MAX_RESPONSES + 1):
        small.get(f"{PATH}?n={number}")
    assert len(small.hot.answers) == len(small.hot.reading) + 1 == 1
    unknown = Browser(anything)
    for _ in range(2):
        unknown.get(Origin="User-Agent")  # it varies by a header that the key does not hold
    assert len(unknown.asked) == 2
