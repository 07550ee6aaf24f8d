"""``manage.py add_indexes``: bring a table of an earlier release up to this one."""

from typing import Any

from products.bootstrap import now, sleep
from products.maintenance import indexes
from products.management.command import CatalogueCommand

POLL_SECONDS = 5.0


class Command(CatalogueCommand):
    help = (
        "Add the indexes that the table lacks, one after the other, and the keys that items lack "
        "for them. Run it after each process has this release. It can be repeated."
    )

    def handle(self, *args: Any, **options: Any) -> str:
        table = indexes()
        missing = table.missing()
        for name in missing:
            self.stdout.write(f"adding {name}")
            table.add(name)
            while not table.is_ready(name):
                sleep(POLL_SECONDS)
        filled = sum(table.fill(now()))
        return f"added {len(missing)} indexes, filled {filled} items"
