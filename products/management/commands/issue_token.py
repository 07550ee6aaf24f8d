"""``manage.py issue_token USER``: print an API token with the product permissions the user has now."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser

from products.access.tokens import issue
from products.management.command import CatalogueCommand

MAX_DAYS = 366  # as in the admin


class Command(CatalogueCommand):
    help = "Print an expiring API token for a user."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--days", type=float, default=30)
        parser.add_argument("--label", default="command line", help="what it is for")

    def handle(self, *args: Any, username: str, days: float, label: str, **options: Any) -> str:
        user = get_user_model().objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {username!r}.")
        if not 0 < days <= MAX_DAYS:
            raise CommandError(f"--days must be more than 0 and at most {MAX_DAYS}.")
        return issue(user, label=label, lifetime=timedelta(days=days))[1]
