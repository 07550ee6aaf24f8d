"""A product's image: uploaded, validated by its content, and re-encoded to pixels only."""

import hashlib
import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from django.contrib.admin.utils import unquote
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from products.admin.base import ModelAdmin, product_url
from products.admin.refusals import sentence_of, status_of
from products.admin.staff_writes import StaffWrites
from products.bootstrap import image_url
from products.errors import CatalogueError, DependencyUnavailable, Invalid

FORMATS = ("PNG", "JPEG", "WEBP")
UNREADABLE_IMAGE_ERRORS = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
)
"""What Pillow raises for a file that is no image, is broken, or would fill the memory."""
MAX_SIZE = 5_000_000  # bytes
MIN_SIDE = 64  # pixels
MAX_SIDE = 6000  # pixels
MAX_STORED_SIDE = 1200  # pixels
MAX_MEGAPIXELS = {"PNG": 24, "JPEG": 24, "WEBP": 8}
"""Each of these needs at most 150 MB while it is decoded: 4 bytes a pixel, WebP three times."""
DECODING = threading.Lock()
MAX_WAIT_SECONDS = 10.0


def image_view(admin: ModelAdmin, request: HttpRequest, object_id: str) -> JsonResponse:
    """Set the image to the uploaded file, or remove it when none was sent."""
    product_id = unquote(object_id)
    file = request.FILES.get("image")
    writes = StaffWrites(request)
    try:
        image = validated_image(file.read(MAX_SIZE + 1)) if file else None
        key = _image_key(product_id, image) if image else None
        writes.validate_upload(product_id, key)
        if image and key:
            key = _upload_image(key, image)
        accepted = writes.update(product_id, {"image": key})
    except CatalogueError as refusal:
        body = {"message": sentence_of(refusal, "image")}
        return JsonResponse(body, status=status_of(refusal))
    version = accepted.product.version
    receipt = product_url("receipt", product_id, version)
    return JsonResponse({"version": version, "url": image_url(key), "receipt": receipt})


def validated_image(data: bytes) -> bytes:
    """Return the image as WebP, at most MAX_STORED_SIDE pixels a side, without its metadata.

    Raise Invalid when the data is too large or is not a readable image of a sensible size.
    """
    if len(data) > MAX_SIZE:
        text = gettext("Must have at most {limit} MB.").format(limit=MAX_SIZE // 1_000_000)
        raise Invalid({"image": [text]})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with (
                _one_at_a_time(),
                Image.open(io.BytesIO(data), formats=FORMATS) as image,
            ):
                _validate_size(image)
                upright = _scaled(image)
    except UNREADABLE_IMAGE_ERRORS as error:
        sentence = gettext("Must be a PNG, JPEG or WebP picture that can be read.")
        raise Invalid({"image": [sentence]}) from error
    encoded = io.BytesIO()
    upright.save(encoded, "WEBP", quality=85)
    return encoded.getvalue()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let one image of this process be in memory. Raises: DependencyUnavailable after a while."""
    if not DECODING.acquire(timeout=MAX_WAIT_SECONDS):
        raise DependencyUnavailable("The scaling of images", "is busy with others at the moment")
    try:
        yield
    finally:
        DECODING.release()


def _scaled(image: Image.Image) -> Image.Image:
    """Return the image upright, in its stored size.

    It is scaled before anything copies it. A JPEG is even decoded at a smaller scale.
    """
    orientation = image.getexif().get(ExifTags.Base.Orientation)
    image.draft("RGB", (MAX_STORED_SIDE, MAX_STORED_SIDE))
    image.load()
    if image.mode == "P":  # palettes are not interpolated
        image = image.convert("RGBA")
    image.thumbnail((MAX_STORED_SIDE, MAX_STORED_SIDE))
    if orientation:
        image.getexif()[ExifTags.Base.Orientation] = orientation
    return ImageOps.exif_transpose(image).convert("RGBA")


def _validate_size(image: Image.Image) -> None:
    size, megapixels = image.size, image.width * image.height / 1_000_000
    limit = MAX_MEGAPIXELS[image.format or "PNG"]
    if megapixels > limit:
        text = gettext("Must have at most {limit} megapixels as {format}.")
        raise Invalid({"image": [text.format(limit=limit, format=image.format)]})
    if min(size) < MIN_SIDE or max(size) > MAX_SIDE:
        width, height = size
        text = gettext(
            "Must have {minimum} to {maximum} pixels a side; it has {width}×{height}."
        ).format(minimum=MIN_SIDE, maximum=MAX_SIDE, width=width, height=height)
        raise Invalid({"image": [text]})


def _image_key(product_id: str, image: bytes) -> str:
    """Return the key of the image, which contains a hash of the content.

    The same image is therefore stored once, and a cache never has an old image under a key.
    """
    digest = hashlib.sha256(image).hexdigest()[:32]
    return f"products/{product_id}/{digest}.webp"


def store_image(product_id: str, image: bytes) -> str:
    """Upload a validated image of the product and return its key.

    Raises: DependencyUnavailable.
    """
    return _upload_image(_image_key(product_id, image), image)


def _upload_image(key: str, image: bytes) -> str:
    """Upload the image and return its key. Raise DependencyUnavailable when S3 fails."""
    try:
        return str(default_storage.save(key, ContentFile(image)))
    except (BotoCoreError, ClientError) as error:
        raise DependencyUnavailable("The image storage") from error
