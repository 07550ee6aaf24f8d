"""Management commands, called as an operator calls them."""

from io import StringIO
from typing import Any

from django.core.management import call_command


def output(*arguments: str, **options: Any) -> str:
    """Run a command; return what it prints."""
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue().strip()
