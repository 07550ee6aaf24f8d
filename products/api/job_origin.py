"""Who plans and starts a job by HTTP."""

from rest_framework.request import Request

from products.api.middleware import request_id
from products.api.permissions import permissions_of
from products.authority import ACCOUNT
from products.changes import Origin


def origin_of(request: Request, *, reason: str = "") -> Origin:
    """Return who acts on a job with this request, and why."""
    return Origin(
        actor=request.user.get_username(),
        source="api",
        request_id=request_id(request),
        reason=reason,
        permissions=permissions_of(request),
        authority=getattr(request.user, "authority", ACCOUNT),  # a session's user has none
    )
