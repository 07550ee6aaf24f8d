"""What our commands have in common: an engine that is away ends them with a sentence, not with a traceback."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from products.errors import Unavailable

UNAVAILABLE = 2  # the exit status; 1 is what the command itself has to say


class CatalogueCommand(BaseCommand):
    """A command that works on the catalogue; CommandError when an engine or the user database is away."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except Unavailable as away:
            raise CommandError(
                f"{away} Nothing is lost; run this again later.", returncode=UNAVAILABLE
            ) from away
        except OperationalError as away:
            raise CommandError(
                f"The user database does not answer: {away}", returncode=UNAVAILABLE
            ) from away
