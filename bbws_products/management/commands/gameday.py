"""``manage.py gameday``: see ``deploy/gameday``."""

import sys
from argparse import Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.gameday.__main__ import add_arguments, run
from deploy.local.engines import EngineFailed


class Command(BaseCommand):
    help = (
        "Start a product of its own, let clients write while everything fails, then check every promise. "
        "Ends with status 1 when one was broken."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sys.exit(run(Namespace(**options)))
        except EngineFailed as failure:
            raise CommandError(str(failure)) from failure
