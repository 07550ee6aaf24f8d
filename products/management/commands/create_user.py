"""``manage.py create_user USER``: create a user without printing a password."""

import secrets
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.management.base import CommandError, CommandParser

from products.access.groups import GROUPS
from products.access.second_factor import remove_second_factors
from products.maintenance import secret_parameters
from products.management.command import CatalogueCommand

PASSWORD_BYTES = 24


class Command(CatalogueCommand):
    """Create a user, or give an existing one a new password.

    A password goes into an encrypted parameter, never into the output: the output of a container
    is a log that many people may read. A user without a password can only have tokens.
    """

    help = "Create a user, or give one a new password; the password goes into a parameter."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("username")
        parser.add_argument("--email", default="", help="the user's mail address")
        rights = parser.add_mutually_exclusive_group(required=True)
        rights.add_argument("--superuser", action="store_true", help="the user may do everything")
        rights.add_argument("--group", choices=GROUPS, help="the group of the user")
        parser.add_argument(
            "--to-parameter", metavar="NAME", help="the SSM parameter for a random password"
        )

        parser.add_argument(
            "--without-second-factor",
            action="store_true",
            help="remove the user's second factors, which are lost",
        )

    def handle(self, *args: Any, username: str, **options: Any) -> str:
        """Return a sentence that says what was created, and where the password is."""
        is_superuser = bool(options.get("superuser"))
        user = User.objects.filter(username=username).first() or User(username=username)
        if user.pk and user.is_superuser != is_superuser:
            raise CommandError(f"{username!r} exists with other rights; choose another name.")
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        place = options.get("to_parameter")
        if place:
            secret_parameters().store(place, password)
        user.set_password(password if place else None)
        user.email, user.is_superuser = options.get("email") or user.email, is_superuser
        user.is_staff = bool(place)
        user.save()
        if options.get("without_second_factor"):
            remove_second_factors(user)
        if group := options.get("group"):
            user.groups.set([Group.objects.get(name=group)])
        return f"{username!r} exists. " + (
            f"The password is in {place}; change it after the first login."
            if place
            else "The user has no password."
        )
