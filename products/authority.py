"""By what somebody may write: an account, or a token. So it can be looked up again later. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class AuthorityKind(StrEnum):
    """What the caller has shown."""

    ACCOUNT = "account"
    """A session of an account in the SQL database."""
    TOKEN = "token"  # noqa: S105 # no password
    """One of our own tokens, of such an account."""
    ISSUER = "issuer"
    """A token of an external issuer, who alone knows the user."""
    COMMAND = "command"
    """A command or a task, which no caller controls."""


@dataclass(frozen=True, slots=True)
class Authority:
    """What the caller has shown, with the ID of the token if it was one of ours."""

    kind: AuthorityKind
    token_id: str = ""


ACCOUNT = Authority(AuthorityKind.ACCOUNT)
COMMAND = Authority(AuthorityKind.COMMAND)
