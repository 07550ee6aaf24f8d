"""Read environment variables; the error for a missing or malformed one says how to set it."""

import os

from django.core.exceptions import ImproperlyConfigured

INSECURE = "insecure-"


def required(name: str, how: str) -> str:
    """Return the variable's value. If it is not set, raise ImproperlyConfigured with ``how``."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {how}")
    return value


def is_weak(key: str) -> bool:
    """Return whether a key is a development key, or short enough for a brute-force attack."""
    return key.startswith(INSECURE) or len(key) < 32


def flag(name: str, default: bool) -> bool:
    """Return the value of a boolean variable."""
    value = os.environ.get(name, "1" if default else "0").lower()
    if value not in {"0", "1", "true", "false"}:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")
    return value in {"1", "true"}


def number(name: str, default: float) -> float:
    """Return the value of a numeric variable."""
    try:
        return float(os.environ.get(name, default))
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {os.environ[name]!r}.") from None


def text_list(name: str, default: str = "") -> list[str]:
    """Return the items of a comma-separated list."""
    items = [item.strip() for item in os.environ.get(name, default).split(",")]
    return [item for item in items if item]
