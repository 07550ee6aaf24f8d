"""A running job is authorised again at each step: its owner may have lost the right meanwhile."""

import html
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from products import bootstrap
from products.access import tokens
from products.admin.sentences.finding import in_words
from products.authority import Authority, AuthorityKind
from products.bulk.job import CHUNK_SIZE, Job, JobState
from products.bulk.rows import RowState
from products.catalogue import Catalogue
from products.changes import Origin
from products.models import ApiToken
from tests.support.admin_client import LIST, sign_in
from tests.support.builders import fields
from tests.support.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]
COUNT = CHUNK_SIZE + 10
NEW_NAMES = "\n".join(["productId,price", *(f"p{number:03},7" for number in range(COUNT))])


@pytest.fixture
def many(world: World, ann: Origin) -> None:
    for number in range(COUNT):
        edits = fields(name=f"Hosting {number:03}")
        bootstrap.acceptance().create(f"p{number:03}", edits, ann)


def user(name: str = "eve") -> User:
    return User.objects.get(username=name)


def start_by_token(client: Client, token: str) -> Job:
    """Plan and start an import by the API, and return the job."""
    headers = {"Authorization": f"Bearer {token}"}
    planned = client.post("/v1.0/imports", NEW_NAMES, content_type="text/csv", headers=headers)
    assert planned.status_code == 201, planned.content
    url = planned.json()["statusUrl"]
    assert client.post(f"{url}/start", headers=headers).status_code == 202
    return bootstrap.jobs().job(planned.json()["jobId"])


def start_in_admin(client: Client) -> Job:
    """Plan and start a bulk edit of all products in the admin, and return the job."""
    entries = {"all": "yes", "filters": "", "doing": "price", "field": "price", "way": "percent"}
    planned = client.post(f"{LIST}bulk/", entries | {"by": "10", "rounding": "1"})
    job_id = planned["Location"].rstrip("/").rpartition("/")[2]
    client.post(f"{LIST}jobs/{job_id}/start/")
    return bootstrap.jobs().job(job_id)


def token_of(name: str) -> tuple[ApiToken, str]:
    return tokens.issue(user(name), label="test", lifetime=timedelta(days=1))


def lose_group() -> None:
    user().groups.clear()


def lose_permission_of_group() -> None:
    group = Group.objects.get(name="Product admins")
    group.permissions.remove(Permission.objects.get(codename="change_product"))


def become_inactive() -> None:
    User.objects.filter(username="eve").update(is_active=False)


def be_deleted() -> None:
    user().delete()


LOSSES: list[tuple[Callable[[], None], str]] = [
    (lose_group, "eve may not write products any more."),
    (lose_permission_of_group, "eve no longer has products.change_product."),
    (become_inactive, "The account eve is not active any more, or was deleted."),
    (be_deleted, "The account eve is not active any more, or was deleted."),
]


@pytest.mark.parametrize(("lose", "sentence"), LOSSES)
def test_job_stops_when_its_owner_loses_the_right(
    many: None, catalogue: Catalogue, lose: Callable[[], None], sentence: str
) -> None:
    """What was written stays, and the job's page says why it has stopped."""
    job = start_in_admin(sign_in("eve"))
    assert job.state == JobState.RUNNING
    bootstrap.jobs().work(job.job_id)
    lose()
    bootstrap.jobs().work(job.job_id)
    stopped = bootstrap.jobs().job(job.job_id)
    assert (stopped.state, stopped.message) == (JobState.CANCELLED, sentence)
    assert stopped.counts[RowState.ACCEPTED] == CHUNK_SIZE
    assert stopped.counts[RowState.WAITING] == COUNT - CHUNK_SIZE
    assert catalogue.newest("p000").version == 2
    page = sign_in("vera", "Product viewers").get(f"{LIST}jobs/{job.job_id}/")
    assert f"Stopped: {in_words(sentence)}" in html.unescape(page.content.decode())
    assert bootstrap.jobs().requeue_stalled() == 0


def test_job_of_a_revoked_token_stops(many: None) -> None:
    sign_in("eve")
    entry, token = token_of("eve")
    job = start_by_token(Client(), token)
    assert job.authority == Authority(AuthorityKind.TOKEN, entry.token_id)
    bootstrap.jobs().work(job.job_id)
    tokens.revoke(entry)
    bootstrap.jobs().work(job.job_id)
    stopped = bootstrap.jobs().job(job.job_id)
    assert stopped.message == "The token that eve used for this was revoked."
    assert (stopped.state, stopped.done) == (JobState.CANCELLED, CHUNK_SIZE)


def test_job_of_a_token_stops_with_the_account(many: None) -> None:
    sign_in("eve")
    job = start_by_token(Client(), token_of("eve")[1])
    become_inactive()
    bootstrap.jobs().work(job.job_id)
    assert bootstrap.jobs().job(job.job_id).state == JobState.CANCELLED


@pytest.mark.parametrize("how", ["edit", "delete"])
def test_change_of_an_account_stops_its_jobs_without_a_worker(many: None, how: str) -> None:
    """A worker on Lambda has no SQL database, so the admin stops them."""
    job = start_in_admin(sign_in("eve"))
    other = start_in_admin(sign_in("ada"))
    root = sign_in("root", superuser=True)
    page = f"/admin/auth/user/{user().pk}"
    if how == "delete":
        assert root.post(f"{page}/delete/", {"post": "yes"}).status_code == 302
    else:
        entries = {"username": "eve", "is_active": "on"}
        entries |= {"date_joined_0": "2026-01-01", "date_joined_1": "10:00:00"}
        assert root.post(f"{page}/change/", entries).status_code == 302
    assert bootstrap.jobs().job(job.job_id).state == JobState.CANCELLED
    assert bootstrap.jobs().job(other.job_id).state == JobState.RUNNING


def test_change_of_a_group_stops_the_jobs_of_its_members(many: None) -> None:
    job = start_in_admin(sign_in("eve"))
    root = sign_in("root", superuser=True)
    group = Group.objects.get(name="Product admins")
    assert root.post(f"/admin/auth/group/{group.pk}/change/", {"name": group.name}).status_code
    assert bootstrap.jobs().job(job.job_id).state == JobState.CANCELLED
