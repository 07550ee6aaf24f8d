"""Making plans from the product form, from bulk edits and from imports, and what is to come."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from products import bootstrap, scheduling
from products.acceptance import Acceptance
from products.bulk.job import Job, JobKind, JobState
from products.bulk.rows import planned_row
from products.catalogue import Catalogue
from products.changes import Origin
from products.plans.plan import ClashRule, Plan
from tests.support.admin_client import (
    LIST,
    current_entries,
    form_errors,
    last_message,
    page_url,
    sign_in,
)
from tests.support.builders import fields, origin
from tests.support.plan_pages import (
    NEW,
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


def newest_plans() -> list[Plan]:
    return scheduling.plans().newest(5)


def preview(client: Client, hidden: dict[str, Any], **changes: Any) -> Any:
    return client.post(NEW, plan_entries(**changes) | hidden)


def save(client: Client, hidden: dict[str, Any], **changes: Any) -> Any:
    """Preview the plan, and then save it."""
    page = preview(client, hidden, **changes)
    seen = {"previewed": page.context["digest"], "attempt": page.context["attempt"]}
    return client.post(NEW, plan_entries(**changes) | hidden | seen | {"save": ""})


def edits_of(page: Any) -> dict[str, Any]:
    return dict(json.loads(page.context["source"].hidden["edits"]))


def a_job(catalogue: Catalogue, actor: str = "eve", **edits: Any) -> Job:
    products = [catalogue.newest(f"p{number}") for number in range(3)]
    rows = [planned_row(n, product, edits) for n, product in enumerate(products, 1)]
    return bootstrap.jobs().plan(JobKind.BULK, "Prices", rows, origin(actor))


def test_form_is_saved_for_later(eve: Client, three: None, catalogue: Catalogue) -> None:
    entries = current_entries(eve, "p0", price="1 600,00", features="Mail\nBackups")
    page = eve.post(page_url("p0"), entries | {"_later": ""})
    assert edits_of(page) == {"price": "1600.00", "features": ["Mail", "Backups"]}
    assert "Hosting 0: features and price" in page.text
    assert catalogue.newest("p0").version == 1
    answer = save(eve, page.context["source"].hidden)
    [plan] = newest_plans()
    assert answer["Location"] == plan_url(plan)
    assert "Summer is planned: 1 product. Starts on" in last_message(answer)
    [row] = scheduling.plans().rows(plan)
    assert set(row.edits) == {"price", "features"}
    assert (plan.owner, plan.starts_at, plan.ends_at) == ("eve", in_days(1), in_days(2))
    assert catalogue.newest("p0").version == 1


def test_form_with_errors_is_shown_again(eve: Client, three: None) -> None:
    entries = current_entries(eve, "p0", price="nothing") | {"_later": ""}
    assert "price" in form_errors(eve.post(page_url("p0"), entries))
    unchanged = current_entries(eve, "p0") | {"_later": ""}
    answer = eve.post(page_url("p0"), unchanged)
    assert last_message(answer) == "Nothing was different, so there is nothing to plan."
    assert newest_plans() == []


def test_saving_for_later_needs_the_permission(three: None, catalogue: Catalogue) -> None:
    client = sign_in("cleo", None)
    names = ("view_product", "change_product")
    User.objects.get(username="cleo").user_permissions.set(
        Permission.objects.filter(codename__in=names)
    )
    page = client.get(page_url("p0"))
    assert "Save for later" not in page.text
    entries = current_entries(client, "p0", price="7") | {"_later": ""}
    assert client.post(page_url("p0"), entries).status_code == 403
    assert catalogue.newest("p0").version == 1


def test_preview_shows_what_will_happen(eve: Client, three: None) -> None:
    make_plan("p0", "1400", 1.2, 1.5, name="Weekend")
    hidden = {"product": "p0", "edits": '{"price": "1600"}'}
    page = preview(eve, hidden, zone="Africa/Johannesburg")
    assert "in Africa/Johannesburg (" in page.context["starts"]
    assert page.context["starts"].endswith(" UTC)")
    for shown in ("R1\u00a0500", "R1\u00a0600", "+R100 (+6,7 %)", "“Weekend” sets the price"):
        assert shown in page.text
    [line] = page.context["lines"]
    assert len(line["moments"][0][1]) == 5
    assert newest_plans()[0].name == "Weekend"


def test_plan_without_a_start_starts_immediately(
    eve: Client, three: None, catalogue: Catalogue
) -> None:
    hidden = {"product": "p0", "edits": '{"price": "1600"}'}
    assert preview(eve, hidden, starts_at="").context["starts"] == "immediately"
    assert save(eve, hidden, starts_at="").status_code == 302
    switch()
    assert catalogue.newest("p0").price == 1600


def test_plan_is_saved_as_it_was_previewed(
    eve: Client, three: None, acceptance: Acceptance, ben: Origin
) -> None:
    hidden = {"product": "p0", "edits": '{"price": "1600"}'}
    page = preview(eve, hidden)
    seen = {"previewed": page.context["digest"], "attempt": page.context["attempt"], "save": ""}
    acceptance.update("p0", {"price": "1550"}, ben)
    answer = eve.post(NEW, plan_entries() | hidden | seen)
    assert "have changed since the preview" in answer.text
    other = eve.post(NEW, plan_entries(ends_at="") | hidden | seen)
    assert "have changed since the preview" in other.text
    assert newest_plans() == []
    assert save(eve, hidden).status_code == 302


def test_saving_twice_makes_one_plan(eve: Client, three: None) -> None:
    hidden = {"product": "p0", "edits": '{"price": "1600"}'}
    page = preview(eve, hidden)
    seen = {"previewed": page.context["digest"], "attempt": page.context["attempt"], "save": ""}
    for _ in range(2):
        assert eve.post(NEW, plan_entries() | hidden | seen).status_code == 302
    assert len(newest_plans()) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"starts_at": local(in_days(-1))}, "Must not be in the past."),
        ({"ends_at": local(in_days(0.5))}, "Must be after the start."),
        ({"starts_at": "soon"}, "Must be a day and a time"),
        ({"starts_at": "9999-12-31T23:59", "zone": "America/New_York"}, "Must be"),
        ({"name": "  "}, "This field is required."),
        ({"reason": "x" * 600}, "characters"),
        ({"zone": "Mars/Base"}, "Select a valid choice."),
        ({"clash_rule": "luck"}, "Select a valid choice."),
    ],
)
def test_unclear_entries_are_refused(
    eve: Client, three: None, changes: dict[str, str], sentence: str
) -> None:
    page = preview(eve, {"product": "p0", "edits": '{"price": "1600"}'}, **changes)
    assert page.status_code == 400
    assert sentence in page.text
    assert "Save the plan" not in page.text


@pytest.mark.parametrize(
    ("typed", "problem", "labels"),
    [
        ("2027-10-31T02:30", "happens twice", ["00:30 UTC", "01:30 UTC"]),
        ("2027-03-28T02:30", "does not exist", ["00:30 UTC", "01:30 UTC"]),
    ],
)
def test_local_time_with_two_readings_is_a_choice(
    eve: Client, three: None, typed: str, problem: str, labels: list[str]
) -> None:
    hidden = {"product": "p0", "edits": '{"price": "1600"}'}
    changes = {"starts_at": typed, "ends_at": "", "zone": "Europe/Berlin"}
    page = preview(eve, hidden, **changes)
    assert problem in page.text
    readings = page.context["form"].readings["starts_at"]
    assert all(label in reading["label"] for label, reading in zip(labels, readings, strict=True))
    chosen = readings[1]["value"]
    assert save(eve, hidden, **changes, starts_at_reading=chosen).status_code == 302
    assert newest_plans()[0].starts_at.isoformat() == chosen


def test_refused_rows_are_named_and_left_out(
    eve: Client, three: None, catalogue: Catalogue, acceptance: Acceptance, ben: Origin
) -> None:
    job = a_job(catalogue, name="Same for all")
    page = preview(eve, {"job": job.job_id})
    assert page.status_code == 409
    assert "2 products can&#x27;t be planned" in page.text.replace("can't", "can&#x27;t")
    assert "<b>Hosting 1</b>" in page.text
    rest = preview(eve, {"job": job.job_id, "left_out": page.context["left_out"]})
    assert len(rest.context["lines"]) == 1
    assert "You left out 2 products" in rest.text


def test_bulk_edit_gets_a_time(eve: Client, three: None, catalogue: Catalogue) -> None:
    job = a_job(catalogue, price="1600")
    assert "At a time…" in eve.get(f"{LIST}jobs/{job.job_id}/").text
    page = eve.get(NEW, {"job": job.job_id})
    assert page.context["form"].initial["name"] == "Prices"
    assert "Prices (3 products)" in page.text
    assert save(eve, {"job": job.job_id}).status_code == 302
    [plan] = newest_plans()
    assert [row.product_id for row in scheduling.plans().rows(plan)] == ["p0", "p1", "p2"]
    assert bootstrap.jobs().job(job.job_id).state is JobState.CANCELLED
    again = eve.get(NEW, {"job": job.job_id})
    assert "can't be planned" in last_message(again)


def test_import_plans_its_edits_and_says_what_it_can_not(
    eve: Client, three: None, catalogue: Catalogue
) -> None:
    sheet = (
        "productId,name,description,price\n"
        "p0,Hosting 0,Hosting for a first site.,1600\n"
        "p9,Brand new hosting,Hosting for a new site.,1700\n"
    )
    file = SimpleUploadedFile("prices.csv", sheet.encode(), content_type="text/csv")
    answer = eve.post(f"{LIST}import/", {"file": file})
    job_id = answer["Location"].rstrip("/").rpartition("/")[2]
    page = eve.get(NEW, {"job": job_id})
    assert "1 row adds a product. A plan can't add products" in page.text.replace("&#x27;", "'")
    assert save(eve, {"job": job_id}).status_code == 302
    [row] = scheduling.plans().rows(newest_plans()[0])
    assert (row.product_id, set(row.edits)) == ("p0", {"price"})


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"job": "no-such-job"},
        {"product": "p0", "edits": "{"},
        {"product": "p0", "edits": "[]"},
        {"product": "", "edits": "{}"},
    ],
)
def test_new_plan_needs_something_to_plan(eve: Client, three: None, sent: dict[str, str]) -> None:
    assert eve.post(NEW, plan_entries() | sent).status_code == 404


def test_edits_that_are_no_edits_are_refused(eve: Client, three: None) -> None:
    for edits in ('{"prise": "1"}', '{"price": {}}', '{"features": [[1]]}', "{}"):
        page = preview(eve, {"product": "p0", "edits": edits})
        assert page.status_code in {400, 409}, edits
    assert preview(eve, {"product": "none", "edits": '{"price": "1"}'}).status_code == 409


def test_product_page_shows_what_is_coming(eve: Client, three: None, catalogue: Catalogue) -> None:
    assert "Planned changes" not in eve.get(page_url("p0")).text
    plan = make_plan("p0", "1600")
    page = eve.get(page_url("p0"))
    texts = [entry["text"].replace("\u00a0", " ") for entry in page.context["coming"]]
    assert texts[0].startswith("R1 600 from ")
    assert texts[1].startswith("back to R1 500 on ")
    assert plan_url(plan) in page.text
    running = make_plan("p1", "1600", None, 5)
    switch()
    assert "Now set by" in eve.get(page_url("p1")).text
    assert plan_url(running) in eve.get(page_url("p1")).text


def saved_messages(client: Client, product_id: str, **changes: Any) -> list[str]:
    entries = current_entries(client, product_id, **changes) | {"_continue": ""}
    answer = client.post(page_url(product_id), entries, follow=True)
    return [str(message) for message in answer.context["messages"]]


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (ClashRule.KEEP, "your value stays, and the plan leaves this product out."),
        (ClashRule.APPLY, "the plan's value replaces yours then."),
    ],
)
def test_save_names_the_plans_that_it_clashes_with(
    eve: Client, three: None, rule: ClashRule, sentence: str
) -> None:
    make_plan("p0", "1600", rule=rule)
    [_, note] = saved_messages(eve, "p0", price="1550")
    assert note.startswith("“Summer” sets price on ")
    assert note.endswith(sentence)
    assert len(saved_messages(eve, "p0", description="Another text of ours.")) == 1


def test_save_under_a_running_plan_says_that_it_stays(eve: Client, three: None) -> None:
    make_plan("p0", "1600", None, 5)
    switch()
    [_, note] = saved_messages(eve, "p0", price="1550")
    assert note.startswith("“Summer” has set price until ")
    assert note.endswith("your value stays after that.")


def test_catalogue_is_shown_at_a_later_time(eve: Client, three: None) -> None:
    make_plan("p0", "1600")
    make_plan("p1", "1700", 3, 4, name="Weekend")
    at = {"at": local(in_days(1.5))}
    page = eve.get(f"{PLANS}catalogue/", at)
    [line] = page.context["lines"]
    assert (line["product"].product_id, line["causes"][0].name) == ("p0", "Summer")
    assert "R1\u00a0600" in page.text
    assert eve.get(f"{PLANS}catalogue/", {"at": local(in_days(9))}).context["lines"] == []
    for wrong in ("soon", local(in_days(-1)), "9999-12-31T23:59:59"):
        assert eve.get(f"{PLANS}catalogue/", {"at": wrong}).status_code in {200, 400}
    assert "Must be in the future" in eve.get(f"{PLANS}catalogue/", {"at": "2020-01-01T00:00"}).text


def test_product_is_shown_at_a_later_time(eve: Client, three: None) -> None:
    make_plan("p0", "1600")
    page = eve.get(page_url("p0"), {"at": local(in_days(1.5))})
    assert [plan.name for plan in page.context["plans"]] == ["Summer"]
    assert page.context["card"].price == 1600
    then = eve.get(page_url("p0"), {"at": local(in_days(9))})
    assert "Nothing will differ from now" in then.text
    assert eve.get(page_url("none"), {"at": local(in_days(9))}).status_code == 404
    nil = sign_in("nil", None)
    assert nil.get(page_url("p0"), {"at": local(in_days(9))}).status_code == 403
