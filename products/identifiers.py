"""Product IDs and version numbers: which ones are legal. Pure."""

import re
from typing import Any

from products.errors import Invalid

ID_PATTERN = "[A-Za-z0-9_-]{1,64}"
MAX_VERSION_DIGITS = 12
MAX_KEY_DIGITS = 18
"""What fits into 64 bits; SQLite refuses larger numbers with an error."""
MAX_VERSION: int = 10**MAX_VERSION_DIGITS - 1


def is_id(text: str) -> bool:
    """Whether the text is a legal product ID: 1 to 64 letters, digits, hyphens or underscores."""
    return re.fullmatch(ID_PATTERN, text) is not None


def validated_id(product_id: Any) -> str:
    """Return the product ID, or raise Invalid when it is not a legal one."""
    if not isinstance(product_id, str) or not is_id(product_id):
        raise Invalid({"product_id": ["Must be 1 to 64 letters, digits, hyphens or underscores."]})
    return product_id


def is_version(number: int) -> bool:
    """Whether a product can have this version: 1 to MAX_VERSION."""
    return 0 < number <= MAX_VERSION


def parse_version(text: str) -> int | None:
    """Return the version that the text names, or None when it names none."""
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_VERSION_DIGITS
    return int(text) if is_number and is_version(int(text)) else None


def parse_key(text: str) -> int | None:
    """Return the number of a row in SQL that the text names, or None when it names none."""
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_KEY_DIGITS
    return int(text) if is_number else None
