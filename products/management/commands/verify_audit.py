"""``manage.py verify_audit``: verify the hash chain of the audit trail in S3."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from functools import partial
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.dateparse import parse_date

from products.maintenance import audit_verification, offline_audit_verification
from products.management.command import CatalogueCommand
from products.management.progress import progress_bar
from products.reconciliation.differences import AUDIT_KINDS, Difference


class Command(CatalogueCommand):
    help = (
        "Verify the audit trail: report missing, altered and inserted audit records. "
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
        if options["offline"] or since:
            differences = _offline(options["product"], since)
        else:
            differences = _online(options["product"])
        count = 0
        for difference in differences:
            count += 1
            self.stdout.write(str(difference))
        if count:
            raise CommandError(f"{count} differences in the audit trail.")
        return "the audit trail is intact"


def _online(product_id: str | None) -> Iterator[Difference]:
    """Compare the trail with the log, and yield the differences that concern the trail."""
    for found in _batches(product_id):
        yield from (difference for difference in found if difference.kind in AUDIT_KINDS)


def _batches(product_id: str | None) -> Iterator[list[Difference]]:
    if product_id:
        yield audit_verification().verify_with_trail(product_id)
        return
    with closing(progress_bar(None, "items")) as progress:
        for batch in audit_verification().walk():
            progress.update(batch.checked)
            yield batch.differences


def _offline(product_id: str | None, since: date | None) -> Iterator[Difference]:
    show_progress = partial(progress_bar, unit="records")
    verification = offline_audit_verification()
    return verification.run(product_id=product_id, since=since, show_progress=show_progress)


def _parse_day(text: str | None) -> date | None:
    day = parse_date(text) if text else None
    if text and day is None:
        raise CommandError("--since takes a day, e.g. 2026-03-01.")
    return day
