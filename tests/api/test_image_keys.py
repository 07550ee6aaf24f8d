"""The image of a product: only one that exists in the storage, which is asked about it alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from products import bootstrap
from tests.gameday.fault_proxy import Proxy
from tests.support.api_client import Api, error_of
from tests.support.builders import fields
from tests.support.wiring import forget_wiring
from tests.support.world import World

pytestmark = pytest.mark.django_db
STORED, MISSING = (f"products/p1/{digit * 32}.webp" for digit in "ab")
SENTENCE = "Must be an image that was uploaded here; there is none at this address."


def url(key: str) -> str:
    return f"{django_settings.MEDIA_URL}{key}"


@pytest.fixture
def s3(world: World, aws: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Store one image, and look at the calls of S3 from then on."""
    default_storage.save(STORED, ContentFile(b"image"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", aws.url)
    forget_wiring()
    yield aws
    forget_wiring()


def test_image_that_does_not_exist_is_refused_by_name(api: Api, p1: str, s3: Proxy) -> None:
    refused = api("patch", p1, {"imageUrl": url(MISSING)})
    assert refused.status_code == 400
    assert error_of(refused)["errors"] == {"imageUrl": [SENTENCE]}
    new = fields(productId="p2", name="Other hosting", imageUrl=url(MISSING))
    assert error_of(api("post", "/products", new))["errors"] == {"imageUrl": [SENTENCE]}
    assert api("patch", p1, {"imageUrl": url(STORED)}).status_code == 202
    assert bootstrap.catalogue().newest("p1").image == STORED


def test_image_in_a_batch_is_looked_up_too(api: Api, p1: str, s3: Proxy) -> None:
    item = {"action": "update", "productId": "p1", "product": {"imageUrl": url(MISSING)}}
    body = {"mode": "all", "items": [item]}
    refused = api("post", "/products:batch", body)
    assert SENTENCE in refused.content.decode()
    assert bootstrap.catalogue().newest("p1").version == 1


def test_edits_of_other_fields_ask_the_storage_nothing(api: Api, p1: str, s3: Proxy) -> None:
    assert api("patch", p1, {"imageUrl": url(STORED)}).status_code == 202
    s3.seen.clear()
    assert api("patch", p1, {"price": "7", "imageUrl": url(STORED)}).status_code == 202
    assert api("patch", p1, {"imageUrl": None}).status_code == 202
    assert s3.seen == []


def test_image_is_a_503_while_the_storage_is_unavailable(
    api: Api, p1: str, s3: Proxy, unwritten: Any
) -> None:
    s3.fault = lambda request: 503
    refused = api("patch", p1, {"imageUrl": url(STORED)})
    assert (refused.status_code, refused["Retry-After"]) == (503, "5")
    assert error_of(refused)["message"] == "S3 does not answer at the moment."
    assert api("patch", p1, {"imageUrl": url(STORED)}, Prefer="wait=1").status_code == 503
