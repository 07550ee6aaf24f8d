"""Entity tags, and the versions that clients send back."""

import hashlib
import re
from decimal import Decimal

from django.utils.http import parse_etags
from rest_framework.request import Request

from products.errors import Invalid
from products.identifiers import MAX_VERSION_DIGITS, is_version
from products.lists import Page
from products.plans.plan import Plan

PLAN_TAG = re.compile(
    rf'(?:W/)?"v([0-9]{{1,{MAX_VERSION_DIGITS}}})(?:\.[0-9]{{1,{MAX_VERSION_DIGITS}}})?"'
)
WEAK_OR_STRONG_TAG = re.compile(rf'(?:W/)?"v([0-9]{{1,{MAX_VERSION_DIGITS}}})"')


MAX_CONDITION_LENGTH = 1000
"""A longer If-None-Match matches nothing: clients have one tag, and comparing many takes long."""


def etag_of(version: int) -> str:
    """Return the strong ETag of a product's version, such as ``"v3"``."""
    return f'"v{version}"'


def etag_of_plan(plan: Plan) -> str:
    """Return the strong ETag of a plan such as ``"v2.5"``: its version, and what was saved of it.

    A plan that starts stays at its version, because no person changed it.
    """
    return f'"v{plan.version}.{plan.sequence}"'


def etag_of_page(page: Page) -> str:
    """Return the ETag of a page.

    It is weak: it covers the versions on the page and the next position, but not every byte.
    """
    shown = [(product.product_id, product.version) for product in page.products]
    digest = hashlib.sha256(repr((shown, page.after)).encode()).hexdigest()
    return f'W/"{digest[:20]}"'


def is_not_modified(request: Request, etag: str) -> bool:
    """Check whether ``If-None-Match`` names the tag."""
    condition = request.META.get("HTTP_IF_NONE_MATCH")
    return condition is not None and etag_matches(condition, etag)


def etag_matches(condition: str, etag: str) -> bool:
    """Check whether the header's value names the tag, by RFC 9110's weak comparison."""
    if len(condition) > MAX_CONDITION_LENGTH:
        return False
    tags = [tag.removeprefix("W/") for tag in parse_etags(condition)]
    return tags == ["*"] or etag.removeprefix("W/") in tags


def expected_version(request: Request) -> int | None:
    """Return the version that ``If-Match`` requires; None without the header, or with ``*``.

    Weak tags are accepted: a cache that compresses makes our tags weak, but the version in them
    stays exact. Raise Invalid for anything else, as for ``If-None-Match``: a condition must not be
    ignored, nor ignored in part, as ``parse_etags`` would.
    """
    sentence = 'Must be the one ETag of the product, such as "v3".'
    return _version_in_tag(request, WEAK_OR_STRONG_TAG, sentence)


def expected_plan_version(request: Request) -> int | None:
    """Return the version of a plan that ``If-Match`` requires; see ``expected_version``.

    ``"v2"`` and ``"v2.5"`` require version 2, also if the plan has started since.
    """
    return _version_in_tag(request, PLAN_TAG, 'Must be the one ETag of the plan, such as "v2.5".')


def _version_in_tag(request: Request, pattern: re.Pattern[str], sentence: str) -> int | None:
    if "If-None-Match" in request.headers:
        raise Invalid({"If-None-Match": ["A write can only have an If-Match."]})
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return None
    tag = pattern.fullmatch(given.strip())
    if not tag:
        raise Invalid({"If-Match": [sentence]})
    return int(tag[1])


def base_version(version: object, name: str = "version") -> int | None:
    """Return the version in a body from which the client started.

    Edits are merged with what others changed since. Raise Invalid under ``name`` when the value is
    not a version.
    """
    if version is None:
        return None
    if isinstance(version, Decimal) and version == version.to_integral_value():
        version = int(version)  # JSON has one kind of number, so 3.0 is 3
    is_bool = isinstance(version, bool)  # an int to Python, but not to JSON
    if isinstance(version, int) and not is_bool and is_version(version):
        return version
    raise Invalid({name: ["Must be the version you started from, a whole number from 1."]})
