"""Where the use cases of plans read and store: the ports that adapters implement. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from products.idempotency import IdempotencyKey
from products.plans.logs import EntryReader
from products.plans.plan import Plan, PlanRow


class PlanTable(EntryReader, Protocol):
    """Where plans are stored. Methods may raise DependencyUnavailable."""

    def put_plan(
        self,
        plan: Plan,
        rows: Sequence[PlanRow],
        key: IdempotencyKey | None,
        outdated: Mapping[str, Sequence[str]],
    ) -> tuple[str, str] | None:
        """Store a new plan, its rows first. ``outdated`` are the plans of products to forget.

        Return None, or the ID and the fingerprint of the plan that was made under this key before.
        """

    def known_request(self, owner: str, key: IdempotencyKey) -> tuple[str, str] | None:
        """Return the ID and the fingerprint of the plan that was made under this key."""

    def plan(self, plan_id: str) -> Plan | None:
        """Return the plan, read consistently."""

    def plans(self, limit: int, before: str | None) -> list[Plan]:
        """Return the newest plans, those with an ID below ``before``, newest first."""

    def open_plans(self) -> list[Plan]:
        """Return the plans with a step left, the next one first."""

    def rows(self, plan: Plan) -> Iterator[PlanRow]:
        """Yield the rows, read when they are reached."""

    def versions(self, plan_id: str, limit: int, before: int | None = None) -> list[Plan]:
        """Return what the plan was after each change that people made to it, newest first.

        With ``before``, only versions below it.
        """

    def save_plan(
        self, plan: Plan, rows: Sequence[PlanRow] = (), *, is_new_version: bool = False
    ) -> bool:
        """Store the plan's next sequence; return False when another one is stored.

        ``is_new_version`` keeps it among the versions.
        """


class NameOwners(Protocol):
    """Knows which product has a name. May raise DependencyUnavailable."""

    def name_owner(self, name: str) -> str | None:
        """Return the ID of the product that has the name."""
