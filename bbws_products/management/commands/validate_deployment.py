"""``manage.py validate_deployment``: is everything of this environment there, and as it must be? Changes nothing."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bbws_products.settings.headers import LOCAL
from bbws_products.validation import (
    alarms,
    buckets,
    edge,
    endpoints,
    functions,
    inside,
    permissions,
    queues,
    table,
)
from bbws_products.validation.findings import Finding, State, relaxed_for_local

Check = Callable[[], Iterable[Finding]]


class Command(BaseCommand):
    help = "Compare every resource, setting, permission and endpoint of this environment with what the code needs."
    requires_system_checks = []  # they are among what is looked at

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url",
            help="also the endpoints of the service at this address, e.g. https://api.example",
        )
        parser.add_argument(
            "--lambda",
            action="store_true",
            dest="with_lambda",
            help="also the functions and their queues",
        )
        parser.add_argument(
            "--role",
            choices=permissions.ROLES,
            help="ask IAM for the permissions that this one needs",
        )
        parser.add_argument("--principal", help="of this ARN; else of whoever runs this")
        parser.add_argument(
            "--strict",
            action="store_true",
            help="one machine may do without nothing; unchecked is wrong",
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="for machines")

    def handle(self, *args: Any, strict: bool, as_json: bool, **options: Any) -> str:
        found = {area: list(validate()) for area, validate in areas(**options).items()}
        if LOCAL and not strict:
            found = {
                area: list(map(relaxed_for_local, findings)) for area, findings in found.items()
            }
        counts = Counter(finding.state for findings in found.values() for finding in findings)
        self.stdout.write(_json(found) if as_json else _table(found, counts))
        wrong = (
            counts[State.DIFFERS]
            + counts[State.MISSING]
            + (counts[State.NOT_CHECKED] if strict else 0)
        )
        if wrong:
            raise CommandError(
                f"{wrong} of {counts.total()} are not as they must be.", returncode=1
            )
        return ""


def areas(
    *, url: str | None, with_lambda: bool, role: str | None, principal: str | None, **_: Any
) -> dict[str, Check]:
    """What is looked at, by the name it has in the table."""
    looked_at: dict[str, Check] = {
        "settings": inside.validate_settings,
        "sql": inside.validate_sql,
        "table": table.validate,
        "queues": queues.validate,
        "buckets": buckets.validate,
        "cdn": edge.validate_cloudfront,
        "search": edge.validate_search,
        "permissions": lambda: permissions.validate(role, principal),
        "alarms": lambda: alarms.validate(with_lambda=with_lambda),
    }
    if with_lambda:
        looked_at["functions"] = functions.validate
    if url:
        looked_at["endpoints"] = lambda: endpoints.validate(url)
    return looked_at


def _json(found: dict[str, list[Finding]]) -> str:
    rows = [
        {"area": area} | asdict(finding) for area, findings in found.items() for finding in findings
    ]
    return json.dumps(rows, indent=1)


def _table(found: dict[str, list[Finding]], counts: Counter[State]) -> str:
    rows = [
        (finding.state, area, f"{finding.subject}: {finding.what}", finding.sentence)
        for area, findings in found.items()
        for finding in findings
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]
    summary = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
    return "\n".join([*lines, "", summary])
