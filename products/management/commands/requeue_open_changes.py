"""``manage.py requeue_open_changes``: do immediately what the relay does on its schedule."""

from typing import Any

from django.core.management.base import CommandParser

from products.bootstrap import relay
from products.management.command import CatalogueCommand


class Command(CatalogueCommand):
    help = "Requeue every change with an open effect."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--failed", action="store_true", help="also retry effects that failed permanently"
        )

    def handle(self, *args: Any, failed: bool, **options: Any) -> str:
        return f"requeued {relay().requeue(failed=failed)} changes"
