"""``manage.py validate_deployment``: check that an environment fits the code.

It changes nothing. Other settings of the resources are compared with Terraform's every night.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bbws_products.settings.headers import LOCAL
from bbws_products.validation import (
    buckets,
    endpoints,
    permissions,
    queues,
    search,
    settings_and_sql,
    table,
)
from bbws_products.validation.findings import Finding, State, relaxed_for_local

Findings = dict[str, list[Finding]]
"""The findings by area."""


class Command(BaseCommand):
    help = (
        "Compare the settings, table, queues, index, permissions and endpoints of this "
        "environment with what the code needs."
    )
    requires_system_checks = []  # the command runs them itself and reports them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url", help="also check the service at this address, e.g. https://api.example"
        )
        parser.add_argument(
            "--role",
            choices=permissions.ROLES,
            help="simulate the permissions of this role in IAM",
        )
        parser.add_argument("--principal", help="ARN to simulate (default: the caller)")
        parser.add_argument(
            "--strict",
            action="store_true",
            help="treat missing hardening and unchecked items as failures, even on one machine",
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    def handle(self, *args: Any, strict: bool, as_json: bool, **options: Any) -> str:
        found = {area: list(validate()) for area, validate in areas(**options).items()}
        if LOCAL and not strict:
            found = {area: list(map(relaxed_for_local, part)) for area, part in found.items()}
        counts = Counter(finding.state for findings in found.values() for finding in findings)
        self.stdout.write(_json(found) if as_json else _table(found, counts))
        failed = counts[State.DIFFERS] + counts[State.MISSING]
        if strict:
            failed += counts[State.NOT_CHECKED]
        if failed:
            raise CommandError(f"{failed} of {counts.total()} checks failed.", returncode=1)
        return ""


def areas(
    *, url: str | None, role: str | None, principal: str | None, **_: Any
) -> dict[str, Callable[[], Iterable[Finding]]]:
    """Return the functions that check each area, by the name shown in the table."""
    chosen: dict[str, Callable[[], Iterable[Finding]]] = {
        "settings": settings_and_sql.validate_settings,
        "sql": settings_and_sql.validate_sql,
        "table": table.validate,
        "queues": queues.validate,
        "buckets": buckets.validate,
        "search": search.validate,
        "permissions": lambda: permissions.validate(role, principal),
    }
    if url:
        chosen["endpoints"] = lambda: endpoints.validate(url)
    return chosen


def _json(found: Findings) -> str:
    rows = [
        {"area": area} | asdict(finding) for area, findings in found.items() for finding in findings
    ]
    return json.dumps(rows, indent=1)


def _table(found: Findings, counts: Counter[State]) -> str:
    rows = [
        (finding.state, area, f"{finding.subject}: {finding.what}", finding.sentence)
        for area, findings in found.items()
        for finding in findings
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = []
    for *cells, sentence in rows:
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
        lines.append("  ".join([*padded, sentence]))
    summary = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
    return "\n".join([*lines, "", summary])
