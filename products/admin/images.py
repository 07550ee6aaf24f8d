"""A product's image: dropped, pasted or chosen; checked by what it really is; made anew, so that only pixels stay."""

import hashlib
import io
import warnings
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpRequest, JsonResponse
from django.urls import path, reverse
from django.views.decorators.http import require_POST
from PIL import Image, ImageOps, UnidentifiedImageError

from products.admin.base import ModelAdmin, origin_of
from products.admin.recent_saves import remember
from products.admin.refusals import sentence_of, status_of
from products.bootstrap import catalogue, image_url
from products.errors import CatalogueError, DependencyUnavailable, Invalid
from products.product import validated_id

FORMATS = ("PNG", "JPEG", "WEBP")
UNREADABLE = (
    *(UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning),
    *(OSError, SyntaxError, ValueError),
)
"""What Pillow raises for files that are no picture, a broken one, or one that would fill the memory."""
MAX_SIZE = 5_000_000  # bytes
MIN_SIDE, MAX_SIDE, MAX_KEPT = 64, 6000, 1200  # pixels


class ProductImages(ModelAdmin):
    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.image_view))
        return [
            path("<path:object_id>/image/", view, name="products_product_image"),
            *super().get_urls(),
        ]

    def image_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """Set the image to the file that was sent, or take it away when none was."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        product_id, file = unquote(object_id), request.FILES.get("image")
        try:
            catalogue().newest(validated_id(product_id))
            key = _stored(product_id, checked_image(file.read(MAX_SIZE + 1))) if file else None
            product = catalogue().update(product_id, {"image": key}, origin_of(request)).product
        except CatalogueError as refusal:
            return JsonResponse(
                {"message": sentence_of(refusal, "image")}, status=status_of(refusal)
            )
        remember(request, product_id)
        receipt = reverse(
            "admin:products_product_receipt", args=[quote(product_id), product.version]
        )
        return JsonResponse({"version": product.version, "url": image_url(key), "receipt": receipt})


def checked_image(data: bytes) -> bytes:
    """The picture as WebP, at most KEPT_MOST pixels a side and without anything but its pixels; Invalid."""
    if len(data) > MAX_SIZE:
        raise Invalid({"image": [f"Must have at most {MAX_SIZE // 1_000_000} MB."]})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                _check_sides(picture.size)
                upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except UNREADABLE as fault:
        raise Invalid(
            {"image": ["Must be a PNG, JPEG or WebP picture that can be read."]}
        ) from fault
    upright.thumbnail((MAX_KEPT, MAX_KEPT))
    made = io.BytesIO()
    upright.save(made, "WEBP", quality=85)
    return made.getvalue()


def _check_sides(size: tuple[int, int]) -> None:
    if min(size) < MIN_SIDE or max(size) > MAX_SIDE:
        shown = "×".join(map(str, size))
        raise Invalid(
            {"image": [f"Must have {MIN_SIDE} to {MAX_SIDE} pixels a side; it has {shown}."]}
        )


def _stored(product_id: str, data: bytes) -> str:
    """The key it is kept under, made from what it shows: stored twice it is one, and caches never hold an old one."""
    key = f"products/{product_id}/{hashlib.sha256(data).hexdigest()[:32]}.webp"
    try:
        return str(default_storage.save(key, ContentFile(data)))
    except (BotoCoreError, ClientError) as fault:
        raise DependencyUnavailable("The image storage") from fault
