"""What the owner of a job may do now, while the job runs. Pure."""

from collections.abc import Callable, Set
from dataclasses import dataclass

from products.authority import Authority, AuthorityKind
from products.errors import NotAllowed
from products.permissions import Permission, permissions_among

OF_AN_ACCOUNT = (AuthorityKind.ACCOUNT, AuthorityKind.TOKEN)


@dataclass(frozen=True, slots=True)
class Authorities:
    """Looks owners up. Both functions may raise DependencyUnavailable.

    ``is_revoked`` says it of a token, by its ID. ``account_permissions`` returns the permissions of
    an account, None unless it is active. A process without the SQL database has no such function.
    """

    is_revoked: Callable[[str], bool]
    account_permissions: Callable[[str], Set[str] | None] | None

    def permissions_of(self, actor: str, authority: Authority) -> frozenset[Permission] | None:
        """Return the permissions that the owner has now; None where this process can't know them.

        Raises: NotAllowed when the account or the token has ended.
        """
        if authority.kind is AuthorityKind.TOKEN and self.is_revoked(authority.token_id):
            raise NotAllowed([], f"The token that {actor} used for this was revoked.")
        if authority.kind not in OF_AN_ACCOUNT or self.account_permissions is None:
            return None
        names = self.account_permissions(actor)
        if names is None:
            raise NotAllowed([], f"The account {actor} is not active any more, or was deleted.")
        return permissions_among(names)
