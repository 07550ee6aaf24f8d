"""``manage.py verify_catalogue``: whether record, names, search index and audit trail are what the log says."""

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


class Command(CatalogueCommand):
    help = "Compare records, name claims, search index and audit trail with the log. Exit status 1: there are differences."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="mend each difference; the log itself is never touched",
        )
        parser.add_argument(
            "--since", type=time, help="only what was changed since then, e.g. 2026-03-01T12:00"
        )
        parser.add_argument(
            "--product", action="append", metavar="ID", help="only this product; may be repeated"
        )
        parser.add_argument(
            "--patience",
            type=float,
            default=GRACE_PERIOD.total_seconds(),
            metavar="SECONDS",
            help="how long a change is simply under way (%(default)g)",
        )

    def handle(self, *args: Any, **options: Any) -> str:
        count = checked = rewritten = 0
        verifying = verification(timedelta(seconds=options["patience"]))
        with closing(progress_bar(None, "places")) as progress:
            for size, differences in _batches(verifying, options):
                progress.update(size)
                checked, count = checked + size, count + len(differences)
                self._tell(differences, repair=options["repair"])
                rewritten += sum(map(rewrites_record, differences))
        if options["repair"] and rewritten:
            repair().purge_rewritten_records()
        if count:
            raise CommandError(f"{count} differences at {checked} places.")
        return f"no difference at {checked} places"

    def _tell(self, differences: list[Difference], *, repair: bool) -> None:
        for difference in differences:
            self.stdout.write(f"{difference}{f' - {_mended(difference)}' if repair else ''}")


def _batches(verifying: Any, options: dict[str, Any]) -> Any:
    if options["product"]:
        yield len(options["product"]), verifying.verify(options["product"])
        return
    for batch in verifying.walk(since=options["since"]):
        yield batch.checked, batch.differences


def _mended(difference: Difference) -> str:
    try:
        return repair().repair(difference)
    except (CorruptChange, EffectRefused) as fault:
        return f"not mended: {fault}"


def time(text: str) -> datetime:
    """A date or a time, in UTC unless it says otherwise; ValueError."""
    day = parse_date(text)
    found = datetime.combine(day, datetime.min.time()) if day else parse_datetime(text)
    if found is None:
        raise ValueError(text)
    return (found if is_aware(found) else make_aware(found)).astimezone(UTC)
