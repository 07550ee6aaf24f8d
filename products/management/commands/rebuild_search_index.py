"""``manage.py rebuild_search_index``: build a new index beside the standing one and put it in its place."""

from typing import Any

from django.core.management.base import CommandError

from products.bootstrap import now
from products.maintenance import reindex
from products.management.command import CatalogueCommand
from products.management.progress import progress_bar


class Command(CatalogueCommand):
    help = "Build the search index anew from the records, without a moment without search and without losing a write."

    def handle(self, *args: Any, **options: Any) -> str:
        rebuilding = reindex()
        if rebuilding is None:
            raise CommandError("There is no search index: ENABLE_OPENSEARCH is off.")
        about = rebuilding.index.count()
        count = rebuilding.run(
            f"{now():%Y%m%d%H%M%S%f}",
            lambda products: progress_bar(products, "products", total=about),
        )
        return f"{count} products in the new index"
