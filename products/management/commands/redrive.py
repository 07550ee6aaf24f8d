"""``manage.py redrive [QUEUE]``: send dead letters back to their queue."""

import getpass
from typing import Any

from django.core.management.base import CommandError, CommandParser

from products.bootstrap import new_id
from products.changes import Origin
from products.maintenance import redrive
from products.management.command import CatalogueCommand
from products.permissions import ALL_PERMISSIONS
from products.redrive import NoSuchQueue


class Command(CatalogueCommand):
    help = "Send dead letters back to their queue, after the cause of their failure is fixed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "queue", nargs="?", metavar="QUEUE", help="name of the queue (default: all queues)"
        )
        parser.add_argument(
            "--limit", type=int, metavar="N", help="send back at most N messages of each queue"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="list the dead letters; change nothing"
        )
        parser.add_argument(
            "--drop-done",
            action="store_true",
            help="drop dead letters whose effect has already taken place",
        )

    def handle(self, *args: Any, queue: str | None, **options: Any) -> str:
        limit: int | None = options["limit"]
        if limit is not None and limit < 1:
            raise CommandError("--limit must be 1 or more.")
        try:
            queues = redrive().select_queues(queue)
        except NoSuchQueue as unknown:
            raise CommandError(str(unknown)) from unknown
        if options["dry_run"]:
            reports = [_list_letters(name, limit) for name in queues]
        else:
            reports = [_move_back(name, limit, options["drop_done"]) for name in queues]
        return "\n".join(reports)


def _list_letters(queue: str, limit: int | None) -> str:
    count, letters = redrive().peek(queue, limit)
    lines = [f"{queue}: {count} dead letters"]
    for letter in letters:
        is_done = redrive().is_done(letter)
        lines.append(f"  {letter}{'  (done)' if is_done else ''}")
    return "\n".join(lines)


def _move_back(queue: str, limit: int | None, drop_done: bool) -> str:
    origin = Origin(
        actor=f"{getpass.getuser()} (command)",
        source="command",
        request_id=new_id(),
        permissions=ALL_PERMISSIONS,
    )
    return str(redrive().move_back(queue, origin, limit=limit, drop_done=drop_done))
