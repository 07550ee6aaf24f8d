"""``manage.py rebuild_search_index``: build a new search index and switch to it."""

from functools import partial
from typing import Any

from django.core.management.base import CommandError, CommandParser

from products.bootstrap import now
from products.maintenance import reindex
from products.management.command import CatalogueCommand
from products.management.progress import progress_bar


class Command(CatalogueCommand):
    help = (
        "Build a new search index from the records and switch to it. "
        "Searches and writes continue meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--if-needed",
            action="store_true",
            help="do nothing if the index has products and all fields of this version",
        )

    def handle(self, *args: Any, **options: Any) -> str:
        rebuilding = reindex()
        if rebuilding is None and options.get("if_needed"):
            return "There is no search index: ENABLE_OPENSEARCH is off."
        if rebuilding is None:
            raise CommandError("There is no search index: ENABLE_OPENSEARCH is off.")
        if options.get("if_needed") and not rebuilding.is_needed():
            return "The index has products and all fields."
        number = f"{now():%Y%m%d%H%M%S%f}"
        total = rebuilding.expected_count()
        show_progress = partial(progress_bar, unit="products", total=total)
        count = rebuilding.run(number, show_progress)
        return f"{count} products in the new index"
