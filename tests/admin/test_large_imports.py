"""The page of a large import while a worker plans it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.support.admin_client import LIST, sign_in
from tests.support.world import World

pytestmark = pytest.mark.django_db
IMPORT, JOBS = f"{LIST}import/", f"{LIST}jobs/"


@pytest.fixture
def eve(world: World) -> Client:
    return sign_in("eve")


def uploaded(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("prices.csv", text.encode(), content_type="text/csv")


def test_page_shows_that_a_large_file_is_read(eve: Client, world: World) -> None:
    rows = "".join(f",Hosting {number:04},95.00,A description.\n" for number in range(250))
    file = uploaded(f"productId,name,price,description\n{rows}")
    page = eve.post(IMPORT, {"file": file})["Location"]
    text = eve.get(page).text
    assert "The file is being read." in text
    assert 'data-job-state="planning"' in text
    assert "Apply to" not in text
    assert eve.get(f"{page}progress/").json()["state"] == "planning"
    assert "being read" in eve.get(JOBS).text
    assert "being read" in eve.get("/admin/").text
    world.work()
    assert "Apply to 250 products" in eve.get(page).text


def test_page_says_why_a_large_file_is_refused(eve: Client, world: World) -> None:
    file = uploaded("name,price\n" + "Hosting,95\n" * 10_001 + "\n" * 500_000)
    page = eve.post(IMPORT, {"file": file})["Location"]
    world.work()
    assert "Stopped: Must have at most 10000 rows" in eve.get(page).text
