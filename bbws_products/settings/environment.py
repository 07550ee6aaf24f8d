"""Reading the environment: a variable that is missing or malformed says how to set it."""

import os

from django.core.exceptions import ImproperlyConfigured

INSECURE = "insecure-"


def required(name: str, how: str) -> str:
    """The variable's value, or an error that ends the start and tells ``how`` to set it."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {how}")
    return value


def is_weak(key: str) -> bool:
    """Whether a key is one for development, or short enough to be tried out."""
    return key.startswith(INSECURE) or len(key) < 32


def flag(name: str, default: bool) -> bool:
    value = os.environ.get(name, "1" if default else "0").lower()
    if value not in {"0", "1", "true", "false"}:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")
    return value in {"1", "true"}


def number(name: str, default: float) -> float:
    try:
        return float(os.environ.get(name, default))
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {os.environ[name]!r}.") from None


def text_list(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]
