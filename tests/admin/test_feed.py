"""The feed of changes and the front page: who changed what, filters, undo, what waits."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from products.acceptance import Acceptance
from products.access.profiles import VISIT_ENDS_AFTER, profile_of, record_visit
from products.admin import feed as feed_module
from products.admin.front_page import MAX_LINES
from products.changes import Origin
from tests.support.admin_client import LIST, sign_in
from tests.support.builders import fields

pytestmark = pytest.mark.django_db
FEED = f"{LIST}changes/"


@pytest.fixture
def changed(acceptance: Acceptance, ann: Origin) -> None:
    """Two products; ben has raised the price of one through the API."""
    for name in ("p1", "p2"):
        acceptance.create(name, fields(name=f"Hosting {name}"), ann)
    acceptance.update("p1", {"price": "1600"}, replace(ann, actor="ben", source="api"))


def feed_lines(page: Any) -> list[str]:
    """Return each line of the feed as a person reads it."""
    return [
        f"{group['first']['row']['change'].origin.actor} {group['first']['row']['verb']} "
        f"{group['first']['row']['change'].product_id}"
        for group in page.context["groups"]
    ]


@pytest.mark.usefixtures("changed")
def test_the_feed_has_changes_of_everybody_with_undo() -> None:
    client = sign_in("cat")
    page = client.get(FEED)
    assert feed_lines(page) == ["ben changed p1", "ann created p2", "ann created p1"]
    assert b"through the API" in page.content
    undo = re.search(r'formaction="([^"]*/undo/2/)"', page.content.decode())
    assert undo
    client.post(undo.group(1), {"next": FEED})
    assert feed_lines(client.get(FEED))[0] == "cat changed p1"


@pytest.mark.usefixtures("changed")
def test_viewers_read_the_feed_without_undo() -> None:
    page = sign_in("vic", "Product viewers").get(FEED)
    assert len(page.context["groups"]) == 3
    assert b"formaction" not in page.content


@pytest.mark.usefixtures("changed")
@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"person": "ben"}, 1),
        ({"field": "price"}, 3),
        ({"source": "api"}, 1),
        ({"person": "eve"}, 0),
        ({"first_day": "2001-01-01", "last_day": "2001-01-02"}, 0),
        ({"first_day": "tomorrow"}, 0),
    ],
)
def test_the_feed_is_filtered(filters: dict[str, str], count: int) -> None:
    page = sign_in("cat").get(FEED, filters)
    assert len(page.context["groups"]) == count


def test_a_date_that_is_not_understood_says_so(acceptance: Acceptance) -> None:
    page = sign_in("cat").get(FEED, {"first_day": "tomorrow"})
    assert b"From: Enter a valid date." in page.content


def test_changes_of_one_job_are_one_line(acceptance: Acceptance, ann: Origin) -> None:
    job = replace(ann, source="bulk", request_id="job-1")
    for name in ("p1", "p2", "p3"):
        acceptance.create(name, fields(name=f"Hosting {name}"), ann)
        acceptance.update(name, {"price": "7"}, replace(job, request_id=f"job-of-{name}"))
    for name in ("p1", "p2", "p3"):
        acceptance.update(name, {"price": "8"}, job)
    page = sign_in("cat").get(FEED)
    group = page.context["groups"][0]
    assert len(group["rows"]) == 3
    assert group["job_url"].endswith("/jobs/job-1/")
    assert b"<b>3</b> products in a bulk edit" in page.content
    assert len(page.context["groups"]) == 7


def test_the_front_page_counts_all_changes_of_a_job(acceptance: Acceptance, ann: Origin) -> None:
    """A bulk edit of more products than the page has lines is one line, with its true count."""
    names = [f"p{number}" for number in range(MAX_LINES + 5)]
    for name in names:
        acceptance.create(name, fields(name=f"Hosting {name}"), ann)
    for name in names:
        acceptance.update(name, {"price": "7"}, replace(ann, source="bulk", request_id="job-1"))
    acceptance.update("p1", {"price": "8"}, ann)
    page = sign_in("cat").get("/admin/")
    assert f"changed <b>{len(names)}</b> products in a bulk edit" in page.content.decode()
    assert len(page.context["groups"]) == MAX_LINES


def test_a_line_that_goes_on_says_at_least(
    acceptance: Acceptance, ann: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line longer than what a page reads says so, on both pages that have a part of it."""
    monkeypatch.setattr(feed_module, "MAX_EXAMINED", 3)
    job = replace(ann, source="bulk", request_id="job-1")
    for name in ("p1", "p2", "p3", "p4", "p5"):
        acceptance.create(name, fields(name=f"Hosting {name}"), job)
    client = sign_in("cat")
    first = client.get(FEED).content.decode()
    assert "changed at least <b>3</b> products in a bulk edit" in first
    older = re.search(r'<a href="(\?[^"]+)">Older changes', first)
    assert older
    second = client.get(FEED + older.group(1).replace("&amp;", "&")).content.decode()
    assert "changed at least <b>2</b> products in a bulk edit" in second


@pytest.mark.usefixtures("changed")
def test_the_front_page_marks_what_is_new_since_the_last_visit() -> None:
    client = sign_in("cat")
    first = client.get("/admin/")
    assert b"Latest changes" in first.content
    profile = profile_of(User.objects.get(username="cat"))
    profile.last_seen_at = datetime.now(UTC) - timedelta(days=1)
    profile.save()
    second = client.get("/admin/")
    assert b"Since your last visit" in second.content
    assert [group["is_new"] for group in second.context["groups"]] == [True] * 3


def test_a_visit_lasts_until_a_pause(db: None) -> None:
    profile = profile_of(User.objects.create(username="cat"))
    morning = datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert record_visit(profile, morning) is None
    assert record_visit(profile, morning + timedelta(minutes=5)) is None
    evening = morning + timedelta(minutes=6) + VISIT_ENDS_AFTER
    assert record_visit(profile, evening) == morning + timedelta(minutes=5)
    assert record_visit(profile, evening + timedelta(minutes=1)) == morning + timedelta(minutes=5)


@pytest.mark.usefixtures("changed")
def test_times_are_in_the_zone_of_the_profile(acceptance: Acceptance, ann: Origin) -> None:
    client: Client = sign_in("cat")
    accepted_at = acceptance.update("p2", {"price": "9"}, ann).product.updated_at
    in_johannesburg = f"{accepted_at + timedelta(hours=2):%-d %b %Y, %H:%M}"
    assert in_johannesburg in client.get(FEED).content.decode()
    client.post("/admin/profile/", {"time_zone": "UTC", "number_format": "en-za"})
    assert f"{accepted_at:%-d %b %Y, %H:%M}" in client.get(FEED).content.decode()
    assert profile_of(User.objects.get(username="cat")).time_zone == "UTC"
