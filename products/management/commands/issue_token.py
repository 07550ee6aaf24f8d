"""``manage.py issue_token USER``: issue an API token with the user's product permissions."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from products.access.tokens import issue
from products.maintenance import secret_parameters
from products.management.command import CatalogueCommand

MAX_DAYS = 366  # as in the admin


class Command(CatalogueCommand):
    """Issue a token to an active user."""

    help = "Print an expiring API token with a user's current product permissions."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("username")
        parser.add_argument("--days", type=float, default=30, help="lifetime (default: 30)")
        parser.add_argument("--label", default="command line", help="what the token is for")
        parser.add_argument(
            "--to-parameter",
            metavar="NAME",
            help="write the token into this SSM parameter and print only its name",
        )

    def handle(self, *args: Any, username: str, days: float, label: str, **options: Any) -> str:
        """Return the token, which Django prints, or a sentence that says where it is."""
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {username!r}.")
        if not 0 < days <= MAX_DAYS:
            raise CommandError(f"--days must be more than 0 and at most {MAX_DAYS}.")
        _, token = issue(user, label=label, lifetime=timedelta(days=days))
        if name := options.get("to_parameter"):
            secret_parameters().store(name, token)
            return f"The token is in {name}."
        return token
