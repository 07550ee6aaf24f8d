"""The list, the calendar and the page of plans, and what staff do with a plan."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from products import scheduling
from products.acceptance import Acceptance
from products.admin.plans.calendar_page import last_day
from products.bootstrap import now
from products.catalogue import Catalogue
from products.changes import Origin
from products.plans.plan import ClashRule, Plan, PlanState, Step
from tests.support.admin_client import last_message, sign_in
from tests.support.builders import fields, origin
from tests.support.plan_pages import (
    PLANS,
    in_days,
    local,
    make_plan,
    plan_entries,
    plan_url,
    switch,
)
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def eve(world: World) -> Client:
    return sign_in("eve", "Product editors")


@pytest.fixture
def three(acceptance: Acceptance, world: World, ann: Origin) -> None:
    for number in range(3):
        acceptance.create(f"p{number}", fields(name=f"Hosting {number}", price="1500"), ann)


def state_of(plan: Plan) -> PlanState:
    return scheduling.plans().plan(plan.plan_id).state


def test_list_groups_plans_and_says_their_states(
    eve: Client, three: None, acceptance: Acceptance, ben: Origin
) -> None:
    assert "No plans yet." in eve.get(PLANS).text
    ended = make_plan("p0 p1", "1600", None, 5, name="Autumn")
    switch()
    acceptance.update("p1", {"price": "9"}, ben)
    scheduling.plans().end_now(ended.plan_id, origin("eve"))
    switch()
    make_plan("p2", "1700", None, 5, name="Winter")
    switch()
    make_plan("p2", "1800", 6, 7, name="Spring")
    cancelled = make_plan("p2", "1900", 6, 7, name="Dropped")
    scheduling.plans().cancel(cancelled.plan_id, origin("ann"))
    groups = dict(eve.get(PLANS).context["groups"])
    named = {name: [e["plan"].name for e in entries] for name, entries in groups.items()}
    assert named == {"Running": ["Winter"], "Coming up": ["Spring"], "Past": ["Dropped", "Autumn"]}
    texts = {e["plan"].name: e["text"] for entries in groups.values() for e in entries}
    assert texts["Winter"].startswith("Runs until ")
    assert texts["Spring"].startswith("Starts on ")
    assert texts["Autumn"] == "Ended: 1 went back, 1 was changed by others and stays"
    assert texts["Dropped"] == "Cancelled by ann; nothing was changed"


def test_list_has_older_plans(eve: Client, three: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("products.admin.plans.listing.PAGE_SIZE", 1)
    older, newer = (make_plan("p0", "1600", 3, 4, name=name) for name in ("First", "Second"))
    for plan in (older, newer):
        scheduling.plans().cancel(plan.plan_id, origin("eve"))
    page = eve.get(PLANS)
    assert "First" not in page.text
    assert "First" in eve.get(f"{PLANS}?before={page.context['older']}").text
    assert "No older plans." in eve.get(f"{PLANS}?before={older.plan_id}").text


def test_times_are_those_of_the_reader(eve: Client, three: None) -> None:
    plan = make_plan("p0", "1600")
    shown = timezone.localtime(plan.starts_at, timezone.get_fixed_timezone(120))
    assert f"{shown:%H:%M}" in eve.get(PLANS).context["groups"][0][1][0]["text"]
    eve.post("/admin/profile/", {"time_zone": "Asia/Tokyo", "number_format": "en-za"})
    shown = timezone.localtime(plan.starts_at, timezone.get_fixed_timezone(540))
    assert f"{shown:%H:%M}" in eve.get(PLANS).context["groups"][0][1][0]["text"]
    assert f"in {plan.zone}" in eve.get(plan_url(plan)).text


def test_calendar_shows_a_plan_over_its_days(eve: Client, three: None) -> None:
    plan = make_plan("p0", "1600", 40, 43)
    month = f"{timezone.localtime(plan.starts_at):%Y-%m}"
    page = eve.get(f"{PLANS}calendar/?month={month}")
    bars = [bar for week in page.context["weeks"] for bar in week["bars"]]
    assert sum(bar["span"] for bar in bars) == 4
    assert (bars[0]["begins"], bars[-1]["ends"]) == (True, True)
    first = timezone.localtime(plan.starts_at).date()
    assert bars[0]["column"] == first.isoweekday()
    days = {day: [e["verb"] for e in events] for day, events in page.context["agenda"]}
    assert days[first] == ["starts"]
    scheduling.plans().cancel(plan.plan_id, origin("eve"))
    assert "Summer" not in eve.get(f"{PLANS}calendar/?month={month}").text


def test_calendar_lists_plans_that_last_the_whole_month(eve: Client, three: None) -> None:
    plan = make_plan("p0", "1600", 1, 100)
    month = f"{in_days(50):%Y-%m}"
    assert (
        eve.get(f"{PLANS}calendar/?month={month}").context["whole_month"][0].plan_id == plan.plan_id
    )


@pytest.mark.parametrize("month", ["", "2026", "2026-13", "x-y", "99999-1", "2026-٣", "0-0"])
def test_calendar_shows_this_month_for_another_text(eve: Client, month: str) -> None:
    page = eve.get(f"{PLANS}calendar/", {"month": month})
    assert page.context["is_current"]


def test_plan_that_ends_at_midnight_has_no_day_more() -> None:
    with timezone.override("UTC"):
        start = in_days(1).replace(hour=10)
        plan = a_plan(start, (start.replace(hour=0, minute=0) + (in_days(3) - in_days(1))))
        assert (last_day(plan) - timezone.localtime(start).date()).days == 1
        assert last_day(a_plan(start, None)) == date(start.year, start.month, start.day)


def a_plan(starts_at: Any, ends_at: Any) -> Plan:
    return Plan(
        plan_id="x",
        name="Summer",
        owner="eve",
        starts_at=starts_at,
        ends_at=ends_at,
        zone="UTC",
        rows=1,
        chunks=1,
        created_at=starts_at,
        updated_at=starts_at,
        updated_by="eve",
        permissions=frozenset(),
    )


def test_page_shows_rows_results_and_history(eve: Client, three: None) -> None:
    plan = make_plan("p0 p1", "1600", None, 5)
    page = eve.get(plan_url(plan))
    for shown in ("R1\u00a0500", "R1\u00a0600", "+R100 (+6,7 %)", "made the plan"):
        assert shown in page.text
    switch()
    scheduling.plans().change(plan.plan_id, {"name": "Sale"}, origin("ann"))
    page = eve.get(plan_url(plan))
    assert "changed the name from “Summer” to “Sale”" in page.text
    assert [line["start"]["text"] for line in page.context["lines"]] == ["changed"] * 2
    assert "/p0/history/?from=1&amp;to=2" in page.text
    assert page.context["results"][0][2] == "2 changed"


def test_page_names_what_others_changed(
    eve: Client, three: None, acceptance: Acceptance, ben: Origin
) -> None:
    plan = make_plan("p0", "1600", 3, 4)
    acceptance.update("p0", {"price": "1450"}, ben)
    text = eve.get(plan_url(plan)).text
    assert "ben changed the price in version 2, after the plan was made." in text


def test_page_shows_overlaps_and_the_price_at_each_moment(eve: Client, three: None) -> None:
    make_plan("p0", "1400", 3, 5, name="Weekend")
    plan = make_plan("p0 p1", "1600", 2, 9)
    page = eve.get(plan_url(plan))
    [overlap] = page.context["overlaps"]
    assert overlap["text"].startswith("“Weekend” sets the price of 1 product from ")
    assert overlap["text"].endswith(" and wins. Then the value of “Summer” returns.")
    [(label, moments)] = page.context["lines"][0]["moments"]
    assert label == "Price"
    values = [moment["value"].replace("\u00a0", " ") for moment in moments]
    assert values == ["R1 500", "R1 600", "R1 400", "R1 600", "R1 500"]
    assert page.context["lines"][1]["moments"] == []


def test_plan_is_edited(eve: Client, three: None) -> None:
    plan = make_plan("p0", "1600")
    page = eve.get(plan_url(plan, "edit/"))
    assert page.context["form"].initial["zone"] == "Africa/Johannesburg"
    entries = plan_entries(
        name="Late summer", starts_at=local(in_days(3)), ends_at="", reason="Stock", version="1"
    )
    answer = eve.post(plan_url(plan, "edit/"), entries)
    assert answer.status_code == 302
    saved = scheduling.plans().plan(plan.plan_id)
    assert (saved.name, saved.starts_at, saved.ends_at) == ("Late summer", in_days(3), None)
    assert (saved.reason, saved.zone, saved.updated_by) == ("Stock", "UTC", "eve")


def test_edit_keeps_the_seconds_of_untouched_times(eve: Client, three: None) -> None:
    plan = make_plan("p0", "1600", None, 5)
    switch()
    form = eve.get(plan_url(plan, "edit/")).context["form"]
    assert "starts_at" not in form.fields
    entries = {**form.initial, "name": "Sale", "version": "1"}
    assert eve.post(plan_url(plan, "edit/"), entries).status_code == 302
    saved = scheduling.plans().plan(plan.plan_id)
    assert (saved.name, saved.starts_at) == ("Sale", plan.starts_at)


def test_edit_of_a_plan_that_others_changed_asks_first(eve: Client, three: None) -> None:
    plan = make_plan("p0", "1600")
    scheduling.plans().change(plan.plan_id, {"name": "Sale"}, origin("ann"))
    entries = plan_entries(name="Mine", version="1")
    answer = eve.post(plan_url(plan, "edit/"), entries)
    assert "ann has changed the plan meanwhile" in answer.text
    assert scheduling.plans().plan(plan.plan_id).name == "Sale"
    again = eve.post(plan_url(plan, "edit/"), entries | {"version": answer.context["version"]})
    assert again.status_code == 302
    assert scheduling.plans().plan(plan.plan_id).name == "Mine"


def test_running_plan_can_not_be_edited_to_end_in_the_past(eve: Client, three: None) -> None:
    plan = make_plan("p0", "1600", None, 5)
    switch()
    entries = plan_entries(ends_at=local(in_days(-1)), version="1")
    answer = eve.post(plan_url(plan, "edit/"), entries)
    assert "Must be in the future" in answer.text
    assert state_of(plan) is PlanState.RUNNING


def test_plan_is_postponed_cancelled_and_taken_back(eve: Client, three: None) -> None:
    plan = make_plan("p0", "1600")
    eve.post(plan_url(plan, "postpone/"), {"by": "day", "version": "1"})
    moved = scheduling.plans().plan(plan.plan_id)
    assert (moved.starts_at - plan.starts_at).days == 1
    assert moved.ends_at is not None
    assert plan.ends_at is not None
    assert (moved.ends_at - plan.ends_at).days == 1
    answer = eve.post(plan_url(plan, "cancel/"), {"version": "2"}, follow=False)
    assert "Cancelled by eve" in last_message(answer)
    eve.post(plan_url(plan, "undo/"))
    assert state_of(plan) is PlanState.SCHEDULED
    assert "took the cancellation back" in eve.get(plan_url(plan)).text


def test_end_early_gives_the_prices_back(eve: Client, three: None, catalogue: Catalogue) -> None:
    plan = make_plan("p0", "1600", None, 5)
    switch()
    assert "what the plan has set goes back" in eve.get(plan_url(plan)).text
    eve.post(plan_url(plan, "end/"), {"version": "1"})
    switch()
    assert state_of(plan) is PlanState.ENDED
    assert catalogue.newest("p0").price == Decimal(1500)


def test_action_on_a_plan_that_others_changed_is_refused(eve: Client, three: None) -> None:
    plan = make_plan("p0", "1600")
    scheduling.plans().change(plan.plan_id, {"name": "Sale"}, origin("ann"))
    answer = eve.post(plan_url(plan, "cancel/"), {"version": "1"})
    assert last_message(answer) == "Somebody has changed the plan meanwhile. Look at it first."
    assert state_of(plan) is PlanState.SCHEDULED


def test_ended_plan_can_not_be_edited(eve: Client, three: None) -> None:
    plan = make_plan("p0", "1600", None, None)
    switch()
    answer = eve.get(plan_url(plan, "edit/"))
    assert answer.status_code == 302
    assert "can't be edited any more. Done: 1 changed." in last_message(answer)


def test_missed_and_overdue_plans_need_attention(
    eve: Client, three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan("p0", "1600", 1, 2)
    later = now()
    monkeypatch.setattr(
        "products.admin.plans.wording.now", lambda: later + (plan.starts_at - later) * 1.5
    )
    [(_, [entry])] = eve.get(PLANS).context["groups"]
    assert entry["needs_attention"]
    assert entry["text"].startswith("Has been due since ")
    assert "Summer: Has been due since" in eve.get("/admin/").text


def test_front_page_shows_the_next_plans(eve: Client, three: None) -> None:
    make_plan("p0", "1600")
    text = eve.get("/admin/").text
    assert "Planned changes" in text
    assert "Starts on " in text


def test_operations_page_judges_plans(three: None, monkeypatch: pytest.MonkeyPatch) -> None:
    olga = sign_in("olga", "Product operators")
    make_plan("p0", "1600", 0.5)
    page = olga.get(f"{PLANS[:-6]}operations/")
    assert "Starts on " in page.text
    assert page.context["verdict"].level != "warning"
    soon = in_days(0.6)
    monkeypatch.setattr("products.admin.operations_parts.now", lambda: soon)
    page = olga.get(f"{PLANS[:-6]}operations/")
    assert any("A plan has been due for" in text for text in page.context["verdict"].sentences)


def test_viewers_read_plans_and_change_none(three: None) -> None:
    plan = make_plan("p0", "1600", rule=ClashRule.APPLY)
    vera = sign_in("vera", "Product viewers")
    text = vera.get(plan_url(plan)).text
    assert "The plan's value is set" in text.replace("&#x27;", "'")
    assert "Cancel…" not in text
    for page in ("edit/", "cancel/", "end/", "undo/", "postpone/"):
        assert vera.post(plan_url(plan, page), {"version": "1"}).status_code == 403
    assert state_of(plan) is PlanState.SCHEDULED
    assert vera.get(f"{PLANS}new/?job=x").status_code == 403


def test_unknown_plan_is_not_found(eve: Client) -> None:
    for page in ("", "edit/"):
        assert eve.get(f"{PLANS}no-such-plan/{page}").status_code == 404
    assert eve.post(f"{PLANS}{'x' * 200}/cancel/").status_code == 404


def test_feed_groups_the_changes_of_a_plan(eve: Client, three: None) -> None:
    plan = make_plan("p0 p1", "1600", None, 5)
    switch()
    page = eve.get(f"{PLANS[:-6]}changes/")
    group = page.context["groups"][0]
    assert len(group["rows"]) == 2
    assert group["plan_url"] == plan_url(plan)
    assert "through a plan" in page.text
    assert scheduling.plans().plan(plan.plan_id).counts[Step.START]
