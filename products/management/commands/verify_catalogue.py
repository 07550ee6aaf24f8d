"""``manage.py verify_catalogue``: compare everything that follows from the log with the log."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import is_aware, make_aware

from products.errors import CorruptChange, EffectRefused
from products.maintenance import repair, verification
from products.management.command import CatalogueCommand
from products.management.progress import progress_bar
from products.reconciliation.differences import Difference
from products.reconciliation.product_log import GRACE_PERIOD
from products.reconciliation.repair import rewrites_record
from products.reconciliation.verification import Verification


def time(text: str) -> datetime:
    """Parse a date or a time, in UTC unless it names another time zone. Raise ValueError.

    argparse shows the name of this function in its error message.
    """
    day = parse_date(text)
    parsed = datetime.combine(day, datetime.min.time()) if day else parse_datetime(text)
    if parsed is None:
        raise ValueError(text)
    aware = parsed if is_aware(parsed) else make_aware(parsed)
    return aware.astimezone(UTC)


class Command(CatalogueCommand):
    help = (
        "Compare records, name claims, search index and audit trail with the log. "
        "Exit status 1: there are differences."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="repair each difference; the log never changes",
        )
        parser.add_argument(
            "--since", type=time, help="verify only what changed since, e.g. 2026-03-01T12:00"
        )
        parser.add_argument(
            "--product",
            action="append",
            metavar="ID",
            help="verify only this product; may be repeated",
        )
        parser.add_argument(
            "--patience",
            type=float,
            default=GRACE_PERIOD.total_seconds(),
            metavar="SECONDS",
            help="how long an open effect counts as in progress (default: %(default)g)",
        )

    def handle(self, *args: Any, **options: Any) -> str:
        grace_period = timedelta(seconds=options["patience"])
        batches = _batches(verification(grace_period), options["product"], options["since"])
        count = checked = rewritten = 0
        with closing(progress_bar(None, "items")) as progress:
            for size, differences in batches:
                progress.update(size)
                checked += size
                count += len(differences)
                for difference in differences:
                    self._report(difference, should_repair=options["repair"])
                    if rewrites_record(difference):
                        rewritten += 1
        if options["repair"] and rewritten:
            repair().purge_rewritten_records()
        if count:
            raise CommandError(f"{checked} items checked, {count} differences.")
        return f"{checked} items checked, no differences"

    def _report(self, difference: Difference, *, should_repair: bool) -> None:
        if should_repair:
            self.stdout.write(f"{difference} - {_repair(difference)}")
        else:
            self.stdout.write(str(difference))


def _batches(
    verifying: Verification, product_ids: Sequence[str] | None, since: datetime | None
) -> Iterator[tuple[int, list[Difference]]]:
    """Yield the number of items of each batch, with the differences found in it."""
    if product_ids:
        yield len(product_ids), verifying.verify(product_ids)
        return
    for batch in verifying.walk(since=since):
        yield batch.checked, batch.differences


def _repair(difference: Difference) -> str:
    """Repair the difference and return the outcome."""
    try:
        return repair().repair(difference)
    except (CorruptChange, EffectRefused) as fault:
        return f"not repaired: {fault}"
