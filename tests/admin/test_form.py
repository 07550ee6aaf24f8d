"""The product form: entries are saved, merged, or refused at their field, and never lost."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from deploy.local.engines import free_port
from products import bootstrap
from products.acceptance import Acceptance
from products.admin.sentences.finding import sentences_in_words
from products.catalogue import Catalogue
from products.changes import Origin
from products.errors import Invalid, ProductNotFound
from products.identifiers import validated_id
from products.lists import ListQuery
from products.product import validated_edits
from tests.support.admin_client import (
    ADD,
    LIST,
    current_entries,
    form_entries,
    form_errors,
    last_message,
    page_url,
    shown_entries,
    sign_in,
)
from tests.support.builders import fields, origin
from tests.support.fakes import recorded_operations
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


@pytest.fixture
def eve(world: World) -> Client:
    return sign_in("eve")


@pytest.fixture
def carl(world: World) -> Client:
    return sign_in("carl", "Product editors")


@pytest.fixture
def basic(acceptance: Acceptance, ann: Origin) -> str:
    return acceptance.create("p1", fields(features=["Mail", "Web"]), ann).product.product_id


@pytest.fixture
def stop_dynamodb(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes DynamoDB unavailable."""

    def stop() -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{free_port()}")
        forget_wiring()

    return stop


# Adding


def test_a_product_is_added_with_the_chosen_id(eve: Client, catalogue: Catalogue) -> None:
    answer = eve.post(ADD, form_entries(product_id="PROD-1", features="Mail\r\n\r\n  Web  \r\n"))
    assert (answer.status_code, answer["Location"]) == (302, LIST)
    assert last_message(answer) == (
        "Basic hosting: Saved as version 1. Customers see it within a few seconds."
    )
    product, change = catalogue.newest("PROD-1"), catalogue.receipt("PROD-1", 1)
    assert (product.features, product.period, product.currency) == (("Mail", "Web"), None, "ZAR")
    assert (change.origin.actor, change.origin.source) == ("eve", "admin")
    assert LogEntry.objects.get().get_change_message() == "Added."


def test_a_generated_id_works_on_all_pages(eve: Client) -> None:
    answer = eve.post(ADD, form_entries(_continue="1"))
    product_id = answer["Location"].removeprefix(LIST).removesuffix("/change/").replace("_5F", "_")
    assert product_id.startswith("prod_")
    assert eve.get(answer["Location"]).status_code == 200
    assert "created by" in eve.get(page_url(product_id, "history")).text
    assert (
        last_message(eve.post(page_url(product_id, "restore")))
        == "Basic hosting is active already."
    )


def test_a_new_form_starts_with_the_defaults(eve: Client) -> None:
    shown = eve.get(ADD).context["adminform"].form
    assert (shown["currency"].value(), shown["billing_cycle"].value() or "one-time") == (
        "ZAR",
        "one-time",
    )
    assert '<option value="ZAR" selected>' in eve.get(ADD).text


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("name", "ab", "ab"),
        ("name", "a\x00bc", "a\x00bc"),
        ("name", "x" * 101, "x" * 101),
        ("description", "too short", "too short"),
        ("description", "x" * 501, "x" * 501),
        ("price", "0", "0"),
        ("price", "1000000", "1000000"),
        ("renewal_price", "-1", "-1"),
        ("currency", "zar", "zar"),
        ("billing_cycle", "daily", "daily"),
        ("period", "ever", "ever"),
        ("features", "x", ["x"]),
        ("features", "\n".join(["Mail"] * 21), ["Mail"] * 21),
    ],
)
def test_a_field_shows_the_error_sentence_of_the_core(field: str, text: str, value: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        validated_edits({field: value})
    answer = sign_in("eve").post(
        ADD, form_entries(product_id="p1", **{field: text})
    )  # needs no AWS service
    assert form_errors(answer) == {
        name: sentences_in_words(sentences) for name, sentences in refusal.value.errors.items()
    }
    assert shown_entries(answer)[field] == text


def test_all_errors_are_shown_together_and_nothing_is_written(
    eve: Client, catalogue: Catalogue
) -> None:
    answer = eve.post(
        ADD, form_entries(product_id="a b", name=" ", description="", price="", currency="")
    )
    required = ["This field is required."]
    with pytest.raises(Invalid) as refusal:
        validated_id("a b")
    said_at = form_errors(answer)
    assert {
        name: said_at[name] for name in ("name", "description", "price", "currency")
    } == dict.fromkeys(("name", "description", "price", "currency"), required)
    assert said_at["product_id"] == refusal.value.errors["product_id"]
    assert catalogue.page(ListQuery(active=None)).products == []


def test_contradicting_fields_are_refused_at_the_field(eve: Client, catalogue: Catalogue) -> None:
    answer = eve.post(ADD, form_entries(product_id="p1", renewal_price="10"))
    assert list(form_errors(answer)) == ["renewal_price"]
    assert "not renewed" in answer.text
    with pytest.raises(ProductNotFound):
        catalogue.newest("p1")


def test_a_taken_name_or_id_is_refused_at_its_field(
    eve: Client, basic: str, acceptance: Acceptance
) -> None:
    taken = form_errors(eve.post(ADD, form_entries(name="BASIC  hosting")))
    assert taken == {
        "name": ["The name 'BASIC  hosting' belongs to product 'p1', perhaps a deactivated one."]
    }
    assert list(form_errors(eve.post(ADD, form_entries(product_id="p1", name="Another one")))) == [
        "product_id"
    ]
    acceptance.create(
        "p2",
        fields(name="Other hosting"),
        origin("a"),
    )
    assert list(
        form_errors(eve.post(page_url("p2"), current_entries(eve, "p2", name="Basic hosting")))
    ) == ["name"]


# Changing


def test_a_change_is_the_next_version_and_leaves_other_fields_alone(
    eve: Client, basic: str, catalogue: Catalogue
) -> None:
    before = catalogue.newest("p1")
    answer = eve.post(page_url("p1"), current_entries(eve, "p1", price="1600"))
    assert last_message(answer) == (
        "Basic hosting: Saved as version 2. Customers see it within a few seconds."
    )
    after = catalogue.newest("p1")
    assert (str(after.price), after.version, after.updated_by) == ("1600.00", 2, "eve")
    assert (after.name, after.features, after.period) == (
        before.name,
        before.features,
        before.period,
    )
    assert LogEntry.objects.get().get_change_message() == "Changed Price."


def test_an_unchanged_form_saves_nothing(
    eve: Client, acceptance: Acceptance, catalogue: Catalogue, ann: Origin
) -> None:
    acceptance.create(
        "p1", fields(features=["A line within"], description="Two lines.\nReally."), ann
    )
    answer = eve.post(page_url("p1"), current_entries(eve, "p1"))
    assert last_message(answer) == "Basic hosting: Nothing was different, so nothing was saved."
    assert catalogue.newest("p1").version == 1
    assert LogEntry.objects.get().get_change_message() == "No fields changed."


def test_edits_of_different_fields_are_merged(
    eve: Client, carl: Client, basic: str, catalogue: Catalogue
) -> None:
    of_eve, of_carl = (
        current_entries(eve, "p1", price="1600"),
        current_entries(carl, "p1", description="Carl's own description."),
    )
    eve.post(page_url("p1"), of_eve)
    assert (
        last_message(carl.post(page_url("p1"), of_carl))
        == "Basic hosting: Saved as version 3. Customers see it within a few seconds. "
        "Merged with what eve had saved meanwhile: Price."
    )
    product = catalogue.newest("p1")
    assert (str(product.price), product.description) == ("1600.00", "Carl's own description.")
    assert LogEntry.objects.latest("pk").get_change_message() == "Changed Description."


def test_edits_of_one_field_conflict_and_a_second_save_merges(
    eve: Client, carl: Client, basic: str, catalogue: Catalogue
) -> None:
    of_carl = current_entries(carl, "p1", price="3000", name="Carl's hosting")
    eve.post(
        page_url("p1"),
        current_entries(
            eve, "p1", price="2000", description="Eve's own description.", features="Eve's"
        ),
    )
    answer = carl.post(page_url("p1"), of_carl)
    sentences = form_errors(answer)
    assert sentences["price"] == ["eve changed this to 2000.00 meanwhile."]
    assert sorted(sentences) == ["__all__", "price"]
    assert catalogue.newest("p1").version == 2
    shown = shown_entries(answer)
    assert (shown["price"], shown["name"]) == ("3000", "Carl's hosting")
    assert (shown["description"], shown["features"]) == ("Eve's own description.", "Eve's")
    said = last_message(carl.post(page_url("p1"), shown))
    assert said.startswith("Carl's hosting: Saved as version 3.")
    product = catalogue.newest("p1")
    assert (str(product.price), product.name) == ("3000.00", "Carl's hosting")
    assert (product.description, product.features) == ("Eve's own description.", ("Eve's",))


def test_a_conflict_names_who_changed_the_field_last(
    eve: Client, carl: Client, basic: str, acceptance: Acceptance, ben: Origin
) -> None:
    of_carl = current_entries(carl, "p1", features="Carl's", price="3000")
    eve.post(page_url("p1"), current_entries(eve, "p1", features=""))
    acceptance.update("p1", {"price": "2000"}, ben)
    sentences = form_errors(carl.post(page_url("p1"), of_carl))
    assert sentences["features"] == ["eve changed this to (empty) meanwhile."]
    assert sentences["price"] == ["ben changed this to 2000.00 meanwhile."]


def test_a_save_asks_the_catalogue_once_also_when_refused(eve: Client, basic: str) -> None:
    sent = current_entries(eve, "p1", price="2000")
    read_product, read_newest, find_plans = ["Query"], ["Query"], ["BatchGetItem"]
    with recorded_operations(bootstrap.dynamodb()) as operations:
        eve.post(page_url("p1"), sent)
    assert operations == [*read_product, *read_newest, "TransactWriteItems", *find_plans]
    read_base, find_authors, read_receipt = ["GetItem"], ["Query"], ["GetItem"]
    with recorded_operations(bootstrap.dynamodb()) as operations:
        eve.post(page_url("p1"), sent | {"price": "3000"})
    expected = [*read_product, *read_newest, *read_base, *find_authors, *read_receipt, *find_plans]
    assert operations == expected


def test_a_form_without_a_valid_base_version_is_refused(
    eve: Client, basic: str, catalogue: Catalogue
) -> None:
    sent = current_entries(eve, "p1", price="1")
    del sent["base_version"]
    for base in ({}, *({"base_version": text} for text in ("", "x", "99", "0", "-1", "1" * 30))):
        assert (
            "open the product again"
            in form_errors(eve.post(page_url("p1"), sent | base))["__all__"][0]
        )
    assert catalogue.newest("p1").version == 1


# Deactivating, restoring, viewing


def test_a_product_is_deactivated_and_restored_on_its_page(
    eve: Client, basic: str, catalogue: Catalogue, world: World
) -> None:
    assert "can be restored at any time" in eve.get(page_url("p1", "delete")).text
    answer = eve.post(page_url("p1", "delete"), {"post": "yes"})
    assert (answer["Location"], last_message(answer)) == (
        LIST,
        "Basic hosting was deactivated, saved as version 2.",
    )
    assert (
        last_message(eve.post(page_url("p1", "delete"), {"post": "yes"}))
        == "Basic hosting was deactivated already."
    )
    text = eve.get(page_url("p1")).text
    assert "This product is deactivated" in text
    assert f'formaction="{page_url("p1", "restore")}"' in text
    answer = eve.post(page_url("p1", "restore"))
    assert (answer["Location"], last_message(answer)) == (
        page_url("p1"),
        "Basic hosting was restored, saved as version 3.",
    )
    assert ">Restore<" not in eve.get(page_url("p1")).text
    world.work()
    assert world.record("p1")["active"] is True  # type: ignore[index] # it is there
    assert [change.change_type for change in catalogue.history("p1")] == [
        "RESTORE",
        "DELETE",
        "CREATE",
    ]


def test_a_viewer_sees_everything_but_the_buttons(world: World, basic: str) -> None:
    text = sign_in("vera", "Product viewers").get(page_url("p1")).text
    for shown in (
        "Basic hosting",
        "Hosting for a first site.",
        "1500.00",
        "Mail<br>Web",
        "by ann, test",
    ):
        assert shown in text
    for button in ('name="_save"', 'name="_continue"', "Deactivate", ">Restore<"):
        assert button not in text
    assert ">Back to products" in text.replace("\n", "").replace("  ", "")


def test_a_missing_product_redirects_to_the_front_page(eve: Client) -> None:
    for product_id in ("nobody", "a/b", "ü%2F", "../x", "x" * 200, "a b"):
        for name in ("change", "history", "delete"):
            answer = eve.get(page_url(product_id, name))
            assert (product_id, answer.status_code, answer["Location"]) == (
                product_id,
                302,
                "/admin/",
            )
        assert eve.post(page_url(product_id), form_entries())["Location"] == "/admin/"
        answer = eve.post(page_url(product_id, "restore"), follow=True)
        assert answer.redirect_chain[-1] == ("/admin/", 302)


# DynamoDB unavailable


def test_entries_are_kept_while_dynamodb_is_unavailable(
    eve: Client, basic: str, stop_dynamodb: Any
) -> None:
    changed = current_entries(
        eve, "p1", name="Renamed", price="1600", features="One\r\nTwo", period="for ever"
    )
    stop_dynamodb()
    for url, sent in (
        (page_url("p1"), changed),
        (ADD, form_entries(product_id="p2", name="Another one", price="7")),
    ):
        answer = eve.post(url, sent)
        assert form_errors(answer)["__all__"] == [
            "The catalogue can't be reached just now. "
            "Your entries are kept; save again in a few seconds."
        ]
        assert (
            shown_entries(answer).items()
            >= {name: str(value) for name, value in sent.items()}.items()
        )


def test_kept_entries_need_the_permission_to_change(
    eve: Client, basic: str, stop_dynamodb: Any
) -> None:
    changed = current_entries(eve, "p1", price="1600")
    stop_dynamodb()
    viewer = sign_in("vera", "Product viewers")
    assert viewer.post(page_url("p1"), changed).status_code == 403


def test_pages_report_that_dynamodb_is_unavailable(
    eve: Client, basic: str, stop_dynamodb: Any
) -> None:
    stop_dynamodb()
    for name in ("change", "history", "delete"):
        answer = eve.get(page_url("p1", name))
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "The catalogue can&#x27;t be reached just now." in answer.text
        assert f'href="{page_url("p1", name)}"' in answer.text
    for name in ("restore", "delete"):
        answer = eve.post(page_url("p1", name), {"post": "yes"})
        assert last_message(answer) == "The catalogue can't be reached just now."
    assert not LogEntry.objects.exists()
    assert eve.get("/admin/").status_code == 200
