"""What the owners of plans may do when a step is made. Pure."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from products.authority import Authority
from products.errors import DependencyUnavailable, NotAllowed
from products.permissions import ALL_PERMISSIONS, Permission, require_permissions
from products.plans.plan import Plan, Step

logger = logging.getLogger(__name__)

type Grantee = tuple[Step, str, Authority, frozenset[Permission]]
"""What the permissions for a step depend on: its owner, and what the plan needs."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The permissions for a step, and why nothing may start, if that is so."""

    permissions: frozenset[Permission]
    refusal: str = ""


def grants_of(
    plans: Sequence[Plan], permissions_of: Callable[[Plan], frozenset[Permission]]
) -> dict[Grantee, Grant]:
    """Return the owners' permissions of today, each looked up once.

    A start waits while its owner can't be looked up. It must not hold up other plans.
    """
    grants: dict[Grantee, Grant] = {}
    unknown: set[Grantee] = set()
    for plan in plans:
        grantee = grantee_of(plan)
        if grantee in grants or grantee in unknown:
            continue
        try:
            grants[grantee] = _grant(plan, permissions_of)
        except DependencyUnavailable as fault:
            unknown.add(grantee)
            facts = {"owner": plan.owner, "fault": str(fault)}
            logger.warning("start waits for its owner's permissions", extra=facts)
    return grants


def grantee_of(plan: Plan) -> Grantee:
    """Return what the permissions for the plan's next step depend on."""
    return plan.next_step or Step.START, plan.owner, plan.authority, plan.permissions


def _grant(plan: Plan, permissions_of: Callable[[Plan], frozenset[Permission]]) -> Grant:
    """Return what the owner of a plan may do now. An end only takes back what was allowed."""
    if plan.next_step is not Step.START:
        return Grant(ALL_PERMISSIONS)
    try:
        permissions = permissions_of(plan)
        require_permissions(permissions, {Permission.PLAN})
    except NotAllowed as refusal:
        reason = f"{plan.owner} may not start this plan any more. {refusal}"
        return Grant(frozenset(), reason)
    return Grant(permissions)
