"""``manage.py verify_audit``: the hash chain of the audit trail in S3, alone or against the log."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.dateparse import parse_date

from products.maintenance import audit_verification
from products.management.command import CatalogueCommand
from products.management.progress import progress_bar


class Command(CatalogueCommand):
    help = "Walk the hash chain in S3; name what is missing, altered or inserted. Exit status 1: there is something."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--product", metavar="ID", help="only this product")
        parser.add_argument(
            "--since", metavar="DAY", help="only what was written from that day on, by S3 alone"
        )
        parser.add_argument(
            "--offline", action="store_true", help="by S3 alone: do not read the log"
        )

    def handle(self, *args: Any, **options: Any) -> str:
        since = parse_date(options["since"]) if options["since"] else None
        if options["since"] and since is None:
            raise CommandError("--since takes a day, e.g. 2026-03-01.")
        count = 0
        run = audit_verification(offline=options["offline"]).run
        for difference in run(
            product_id=options["product"],
            since=since,
            show_progress=lambda keys: progress_bar(keys, "records"),
        ):
            count += 1
            self.stdout.write(str(difference))
        if count:
            raise CommandError(f"{count} differences in the audit trail.")
        return "the audit trail is whole"
