"""``manage.py rebuild_search_index``: fill the index from the records."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from products.bootstrap import index_records
from products.management.command import CatalogueCommand


class Command(CatalogueCommand):
    help = "Index every product record that the search index does not hold yet, or holds in an older version."

    def handle(self, *args: Any, **options: Any) -> str:
        if not settings.ENABLE_OPENSEARCH:
            raise CommandError("There is no search index: ENABLE_OPENSEARCH is off.")
        return f"{index_records()} indexed"
