"""The base class of our commands: an unavailable dependency ends them without a traceback."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from products.errors import DependencyNeedsOperator, Unavailable

UNAVAILABLE = 2  # the exit status; a command itself exits with 1


class CatalogueCommand(BaseCommand):
    """A command that works on the catalogue."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command.

        Raises: CommandError when a dependency or the user database is unavailable.
        """
        try:
            return super().execute(*args, **options)
        except DependencyNeedsOperator as error:
            raise CommandError(f"{error} Nothing is lost.") from error
        except Unavailable as error:
            sentence = f"{error} Nothing is lost; run this again later."
            raise CommandError(sentence, returncode=UNAVAILABLE) from error
        except OperationalError as error:
            sentence = f"The user database does not answer: {error}"
            raise CommandError(sentence, returncode=UNAVAILABLE) from error
