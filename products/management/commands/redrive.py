"""``manage.py redrive [QUEUE]``: dead letters back to their queue."""

import getpass
from typing import Any

from django.core.management.base import CommandError, CommandParser

from products.maintenance import redrive
from products.management.command import CatalogueCommand
from products.redrive import NoSuchQueue


class Command(CatalogueCommand):
    help = "Send dead letters back to their queue, once the cause of their failing is mended."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "queue", nargs="?", metavar="QUEUE", help="its name; all queues when it is not given"
        )
        parser.add_argument("--limit", type=int, metavar="N", help="at most so many of each queue")
        parser.add_argument("--dry-run", action="store_true", help="only show what is there")
        parser.add_argument(
            "--drop-done", action="store_true", help="drop those whose effect has come about by now"
        )

    def handle(self, *args: Any, queue: str | None, **options: Any) -> str:
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit must be 1 or more.")
        try:
            queues = redrive().select_queues(queue)
        except NoSuchQueue as unknown:
            raise CommandError(str(unknown)) from unknown
        act = _look if options["dry_run"] else _back
        return "\n".join(act(name, options) for name in queues)


def _look(queue: str, options: dict[str, Any]) -> str:
    count, letters = redrive().peek(queue, options["limit"])
    shown = [f"  {letter}{'  (done)' if redrive().is_done(letter) else ''}" for letter in letters]
    return "\n".join([f"{queue}: {count} dead letters", *shown])


def _back(queue: str, options: dict[str, Any]) -> str:
    by = f"{getpass.getuser()} (command)"
    return str(
        redrive().move_back(queue, by=by, limit=options["limit"], drop_done=options["drop_done"])
    )
