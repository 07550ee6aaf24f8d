"""``manage.py switch_plans``: list the plans with a step left; ``--due`` makes the due steps."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from products.bootstrap import now
from products.documents import format_timestamp
from products.management.command import CatalogueCommand
from products.plans.plan import Plan
from products.plans.switching import Switched
from products.scheduling import plans, switching


class Command(CatalogueCommand):
    """List the plans with a step left, or make the due steps."""

    help = "List plans with a step left, the overdue ones first; --due makes the due steps."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--due", action="store_true", help="make the steps that are due")

    def handle(self, *args: Any, due: bool, **options: Any) -> str:
        """Return the list or the result, which Django prints."""
        if due:
            return "\n".join(map(_made, switching().step())) or "nothing was due"
        return "\n".join(_listed(plans().open(), now())) or "none"


def _listed(open_plans: list[Plan], at: datetime) -> Iterator[str]:
    for plan in open_plans:
        due = plan.due or at
        late = f"  OVERDUE by {(at - due).total_seconds():.0f} s" if due <= at else ""
        shown = f"{format_timestamp(due)}  {plan.next_step}  {plan.state}  {plan.plan_id}"
        yield f"{shown}  {plan.rows} products  {plan.name} ({plan.owner}){late}"


def _made(switched: Switched) -> str:
    counts = ", ".join(f"{count} {state}" for state, count in sorted(switched.counts.items()))
    late = f"late by {switched.late_by.total_seconds():.1f} s"
    return f"{switched.step}  {switched.plan.plan_id}  {switched.plan.name}: {counts}; {late}"
