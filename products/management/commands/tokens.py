"""``manage.py tokens``: list the API tokens; ``--revoke ID`` revokes one."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from products.access.tokens import revoke
from products.management.command import CatalogueCommand
from products.models import ApiToken


class Command(CatalogueCommand):
    """List the tokens or revoke one."""

    help = "List API tokens, or revoke one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--revoke", metavar="ID", help="revoke the token with this id")

    def handle(self, *args: Any, **options: Any) -> str:
        """Return the list or the result, which Django prints."""
        if options["revoke"]:
            return self._revoke(options["revoke"])
        tokens = ApiToken.objects.select_related("user")
        return "\n".join(map(_line, tokens)) or "none"

    def _revoke(self, token_id: str) -> str:
        token = ApiToken.objects.filter(pk=token_id).first()
        if token is None:
            raise CommandError(f"There is no token {token_id!r}.")
        revoke(token)
        return f"revoked; no longer accepted after one minute at most: {token}"


def _line(token: ApiToken) -> str:
    state = "revoked" if token.revoked_at else "issued"
    return f"{token.pk}  until {token.expires_at:%Y-%m-%d}  {state}  {token}"
