"""The palette finds what the user may open, and the job list is cleaned up."""

from datetime import timedelta
from typing import Any

import pytest

from products import bootstrap
from products.acceptance import Acceptance
from products.admin import job_list
from products.bulk.job import Job, JobKind, JobState
from products.bulk.rows import planned_row
from products.changes import Origin
from tests.support.admin_client import LIST, last_message, sign_in
from tests.support.builders import fields

pytestmark = pytest.mark.django_db


def titles(client: Any, text: str) -> list[str]:
    response = client.get("/admin/search/", {"s": text})
    return [result.title for result in response.context["results"]]


def test_palette_finds_pages_by_other_words_and_products(
    acceptance: Acceptance, ann: Origin
) -> None:
    acceptance.create("p1", fields(name="Unmistakable hosting"), ann)
    client = sign_in("cat")
    assert titles(client, "raise price") == ["Change many prices"]
    assert titles(client, "unmistakable") == ["Unmistakable hosting"]
    assert client.get("/admin/search/", {"s": " "}).content == b""


def test_palette_offers_only_what_the_user_may_open(acceptance: Acceptance, ann: Origin) -> None:
    acceptance.create("p1", fields(name="Unmistakable hosting"), ann)
    assert titles(sign_in("vic", "Product viewers"), "operations") == []
    assert titles(sign_in("nil", None), "unmistakable") == []


def planned_job(acceptance: Acceptance, origin: Origin) -> Job:
    product = acceptance.create("p1", fields(), origin).product
    rows = [planned_row(0, product, {"price": "7"})]
    return bootstrap.jobs().plan(JobKind.BULK, "All at 7", rows, origin)


def test_a_preview_is_discarded_from_the_list(acceptance: Acceptance, ann: Origin) -> None:
    job = planned_job(acceptance, ann)
    client = sign_in("ann")
    assert "1 of 1 will change" in client.get(f"{LIST}jobs/").text
    client.post(f"{LIST}jobs/{job.job_id}/discard/", {"next": "list"})
    assert bootstrap.jobs().job(job.job_id).state == JobState.CANCELLED
    assert "All at 7" not in client.get(f"{LIST}jobs/").text


def test_old_previews_of_ones_own_are_discarded_together(
    acceptance: Acceptance, ann: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = planned_job(acceptance, ann)
    others = sign_in("ben")
    client = sign_in("ann")
    assert "old preview" not in client.get(f"{LIST}jobs/").text
    monkeypatch.setattr(job_list, "ABANDONED_AFTER", timedelta(0))
    others.post(f"{LIST}jobs/discard/")
    assert bootstrap.jobs().job(job.job_id).state == JobState.PLANNED
    assert "Discard 1 old preview" in client.get(f"{LIST}jobs/").text
    answer = client.post(f"{LIST}jobs/discard/")
    assert last_message(answer) == "1 preview discarded; no product was changed."
    assert bootstrap.jobs().job(job.job_id).state == JobState.CANCELLED
