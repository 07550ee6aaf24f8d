"""``manage.py ring_open_changes``: do what the relay does, now; ``--failed`` retries what failed for good as well."""

from typing import Any

from django.core.management.base import CommandParser

from products.bootstrap import pipeline
from products.management.command import CatalogueCommand


class Command(CatalogueCommand):
    help = "Ring the doorbell again for changes with an open effect."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--failed", action="store_true", help="also for effects that failed for good, at once"
        )

    def handle(self, *args: Any, failed: bool, **options: Any) -> str:
        return f"rung for {pipeline().relay(failed=failed)} changes"
