"""``manage.py verify_audit``: verify the hash chain of the audit trail in S3."""

from datetime import date
from functools import partial
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.dateparse import parse_date

from products.maintenance import audit_verification
from products.management.command import CatalogueCommand
from products.management.progress import progress_bar


class Command(CatalogueCommand):
    help = (
        "Verify the hash chain in S3: report missing, altered and inserted audit records. "
        "Exit status 1: there are differences."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--product", metavar="ID", help="verify only this product")
        parser.add_argument(
            "--since",
            metavar="DAY",
            help="verify only records written since that day, without reading the log",
        )
        parser.add_argument(
            "--offline", action="store_true", help="verify S3 alone, without reading the log"
        )

    def handle(self, *args: Any, **options: Any) -> str:
        since = _parse_day(options["since"])
        verification = audit_verification(offline=options["offline"])
        differences = verification.run(
            product_id=options["product"],
            since=since,
            show_progress=partial(progress_bar, unit="records"),
        )
        count = 0
        for difference in differences:
            count += 1
            self.stdout.write(str(difference))
        if count:
            raise CommandError(f"{count} differences in the audit trail.")
        return "the audit trail is intact"


def _parse_day(text: str | None) -> date | None:
    day = parse_date(text) if text else None
    if text and day is None:
        raise CommandError("--since takes a day, e.g. 2026-03-01.")
    return day
