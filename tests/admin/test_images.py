"""A product's image: validated by its content, stored as pixels only, shown to all readers."""

import io
import struct
import zlib
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from deploy.local.engines import Engines, free_port
from products import bootstrap
from products.acceptance import Acceptance
from products.catalogue import Catalogue
from products.changes import Origin
from tests.support.admin_client import LIST, page_url, sign_in
from tests.support.api_client import Api, error_of
from tests.support.builders import fields, origin
from tests.support.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def eve(world: World, acceptance: Acceptance, ann: Origin, settings: Any) -> Client:
    acceptance.create("p1", fields(), ann)
    return sign_in("eve")


def make_image(kind: str = "PNG", size: tuple[int, int] = (200, 100), **options: Any) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, "teal").save(data, kind, **options)
    return data.getvalue()


def upload(client: Client, data: bytes | None, name: str = "any.png") -> Any:
    files = {} if data is None else {"image": SimpleUploadedFile(name, data)}
    return client.post(page_url("p1", "image"), files)


def stored_image(world: World, key: str) -> Image.Image:
    return Image.open(io.BytesIO(world.s3.get_object(Bucket=bucket(), Key=key)["Body"].read()))


def bucket() -> str:
    return str(configured.STORAGES["default"]["OPTIONS"]["bucket_name"])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_image_is_stored_shown_and_removed(
    eve: Client, acceptance: Acceptance, catalogue: Catalogue, world: World, kind: str
) -> None:
    result = upload(eve, make_image(kind)).json()
    key = catalogue.newest("p1").image
    assert (result["version"], result["url"]) == (2, bootstrap.image_url(key))
    assert key is not None
    assert (stored_image(world, key).format, stored_image(world, key).size) == ("WEBP", (200, 100))
    world.work()
    assert Client().get("/v1.0/products/p1").json()["imageUrl"] == result["url"]
    assert result["url"] in eve.get(LIST).text
    assert result["url"] in eve.get(page_url("p1")).text
    assert (
        f'<del>none</del> → <ins><img class="thumb" src="{result["url"]}"'
        in eve.get(page_url("p1", "history")).text
    )
    assert upload(eve, None).json() == {
        "version": 3,
        "url": None,
        "receipt": page_url("p1", "receipt/3"),
    }
    assert catalogue.newest("p1").image is None
    assert acceptance.undo("p1", 3, origin("eve")).product.image == key


def test_only_pixels_are_stored_at_a_limited_size(
    eve: Client, catalogue: Catalogue, world: World
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    large = make_image("JPEG", (3000, 1500), exif=exif)
    upload(eve, large + b"<script>alert(1)</script>")
    key = str(catalogue.newest("p1").image)
    data = world.s3.get_object(Bucket=bucket(), Key=key)
    assert stored_image(world, key).size == (1200, 600)
    assert b"where I live" not in (body := data["Body"].read())
    assert b"<script>" not in body
    assert data["CacheControl"] == "public, max-age=31536000, immutable"


def bomb() -> bytes:
    """Return a PNG whose header claims 60,000 pixels a side."""
    head = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "Must be a PNG, JPEG or WebP picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Must be a PNG, JPEG or WebP picture"),
        (make_image("GIF"), "Must be a PNG, JPEG or WebP picture"),
        (make_image()[:60], "Must be a PNG, JPEG or WebP picture"),
        (bomb(), "picture that can be read"),
        (make_image(size=(10, 400)), "Must have 64 to 6000 pixels a side; it has 10×400."),
        (make_image("JPEG", (6001, 70)), "it has 6001×70."),
        (b"\x89PNG" + b"0" * 5_000_000, "Must have at most 5 MB."),
    ],
    ids=["empty", "svg", "gif", "cut", "bomb", "narrow", "wide", "large"],
)
def test_a_bad_image_is_refused_with_a_reason(eve: Client, data: bytes, sentence: str) -> None:
    refused = upload(eve, data)
    assert refused.status_code == 400
    assert sentence in refused.json()["message"]


def test_images_need_the_change_permission(eve: Client) -> None:
    assert upload(sign_in("vic", "Product viewers"), make_image()).status_code == 403
    assert eve.get(page_url("p1", "image")).status_code == 405
    assert eve.post(page_url("nobody", "image"), {}).status_code == 404


def test_an_api_client_may_keep_or_remove_an_image_only(eve: Client, catalogue: Catalogue) -> None:
    upload(eve, make_image())
    api = Api()
    read = api("get", "/products/p1").json()
    assert api("put", "/products/p1", read | {"price": "2.00"}).status_code == 202
    assert catalogue.newest("p1").image
    for url in ("https://evil.example/x.png", "products/p1/x.webp", 7):
        refused = api("patch", "/products/p1", {"imageUrl": url})
        assert error_of(refused)["errors"] == {
            "imageUrl": ["Must be an image that was uploaded here."]
        }
    assert error_of(api("patch", "/products/p1", {"image": None}))["errors"].keys() == {"imageUrl"}
    changed = api("patch", "/products/p1?dryRun=true", {"imageUrl": None}).json()["changed"]
    assert changed == {"imageUrl": {"before": read["imageUrl"], "after": None}}


def test_an_unavailable_image_storage_is_reported(
    eve: Client, monkeypatch: pytest.MonkeyPatch, engines: Engines, settings: Any
) -> None:
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {"bucket_name": "x", "endpoint_url": f"http://127.0.0.1:{free_port()}"},
        }
    }
    refused = upload(eve, make_image())
    assert (refused.status_code, refused.json()["message"]) == (
        503,
        "The image storage can't be reached just now.",
    )
