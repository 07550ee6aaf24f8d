"""Management commands, as an operator runs them."""

from io import StringIO
from typing import Any

from django.core.management import call_command


def output(*arguments: str, **options: Any) -> str:
    """What the command prints."""
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue().strip()
