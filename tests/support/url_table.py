"""Every address of the product, and who may do what there."""

from typing import Any, NamedTuple

from tests.support.admin_client import form_entries

ANYONE, STAFF, VIEW, ADD, CHANGE, DELETE, ROOT = (
    "anyone",
    "staff",
    "view",
    "add",
    "change",
    "delete",
    "root",
)
OPERATE = "operate"
PLAN = "plan"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Row(NamedTuple):
    """An address, what each method needs, and the body of a write.

    A method without an entry is refused to everybody.
    """

    address: str
    needs: dict[str, str]
    sent: dict[str, Any]


def row(address: str, sent: dict[str, Any] | None = None, **needs: str) -> Row:
    return Row(address, needs, sent or {})


def page(address: str, needed: str, sent: dict[str, Any] | None = None) -> Row:
    """Return a page whose form needs the same permission to be opened and to be sent."""
    return row(address, sent, GET=needed, POST=needed)


def public(address: str) -> Row:
    return Row(address, dict.fromkeys(METHODS, ANYONE), {})


A, P = "/v1.0/products", "/admin/products/product/"
U, G, K = "/admin/auth/user/", "/admin/auth/group/", "/admin/products/apitoken/"
J = "/v1.0/jobs/{job}"
MINE = {"side": "mine"}
NEW = {
    "productId": "p3",
    "name": "Third one",
    "description": "Hosting for a third site.",
    "price": "3.00",
}
CREATE = {
    "action": "create",
    "productId": "p4",
    "product": {**NEW, "name": "Fourth one", "productId": "p4"},
}
YES = {"post": "yes"}
PLANNED = {"name": "Sale", "zone": "UTC", "clash_rule": "keep", "version": "1"}
PLAN_CREATION = {"name": "Sale", "rows": [{"productId": "p2", "edits": {"price": "6.00"}}]}
PROFILE = {"time_zone": "UTC", "number_format": "en-za"}
CELL = {"field": "price", "value": "7", "version": "1"}
BULK = {"doing": "price", "field": "price", "way": "set", "by": "7", "rounding": "1"}
STUCK = {"product": "p1", "version": "1", "effect": "audited", "reason": "No need of it"}
SECRET = "a-password-of-somebody"
# One line for each route, as `routes` spells it. The test creates {user}, {group}, {token} and
# the token's {holder}.
# Under /admin/ everything needs the staff flag besides. What is sent would write if it were let in.
TABLE: dict[str, Row] = {
    "": public("/"),
    "healthz": public("/healthz"),
    "readyz": public("/readyz"),
    "v1.0/schema": row("/v1.0/schema", GET=ANYONE),
    "v1.0/docs": row("/v1.0/docs", GET=ANYONE),
    "v1.0/products": row(A, NEW, GET=ANYONE, POST=ADD),
    "v1.0/products:batch": row(f"{A}:batch", {"mode": "all", "items": [CREATE]}, POST=ADD),
    "v1.0/products/<str:product_id>": row(
        f"{A}/p2", {"price": "2.00"}, GET=ANYONE, PUT=CHANGE, PATCH=CHANGE, DELETE=DELETE
    ),
    "v1.0/products/<str:product_id>/changes": row(f"{A}/p2/changes", GET=VIEW),
    "v1.0/products/<str:product_id>/changes/<int:version>": row(f"{A}/p2/changes/1", GET=VIEW),
    "v1.0/products/<str:product_id>/changes/<int:version>/restore": row(
        f"{A}/p2/changes/1/restore", POST=CHANGE
    ),
    "v1.0/products.csv": row(f"{A}.csv", GET=VIEW),
    "v1.0/imports": row("/v1.0/imports", POST=CHANGE),
    "v1.0/jobs": row("/v1.0/jobs", GET=VIEW),
    "v1.0/jobs/<str:job_id>": row(J, GET=VIEW),
    "v1.0/jobs/<str:job_id>/rows": row(f"{J}/rows", GET=VIEW),
    "v1.0/jobs/<str:job_id>/start": row(f"{J}/start"),  # only by who planned it
    "v1.0/jobs/<str:job_id>/decisions": row(f"{J}/decisions", MINE),  # the same
    "v1.0/jobs/<str:job_id>/rows/<int:number>/decisions": row(
        f"{J}/rows/1/decisions", {"price": "mine"}
    ),  # the same
    "v1.0/jobs/<str:job_id>/cancel": row(f"{J}/cancel", POST=CHANGE),
    "v1.0/jobs/<str:job_id>/undo": row(f"{J}/undo", POST=CHANGE),
    "v1.0/products/<str:product_id>/plans": row(f"{A}/p2/plans", GET=VIEW),
    "v1.0/plans": row("/v1.0/plans", PLAN_CREATION, GET=VIEW, POST=PLAN),
    "v1.0/plans/<str:plan_id>": row(
        "/v1.0/plans/{plan}", {"name": "Sale"}, GET=VIEW, PATCH=PLAN, DELETE=PLAN
    ),
    "v1.0/plans/<str:plan_id>/rows": row("/v1.0/plans/{plan}/rows", GET=VIEW),
    "v1.0/plans/<str:plan_id>/history": row("/v1.0/plans/{plan}/history", GET=VIEW),
    "v1.0/plans/<str:plan_id>/end": row("/v1.0/plans/{plan}/end", POST=PLAN),
    "v1.0/plans/<str:plan_id>/undo": row("/v1.0/plans/{plan}/undo", POST=PLAN),
    "api-auth/login/": public("/api-auth/login/"),
    "api-auth/logout/": row("/api-auth/logout/", POST=ANYONE),
    "admin/": page("/admin/", STAFF),
    "admin/<app_label>/": page("/admin/products/", VIEW),
    "admin/login/": page("/admin/login/", ANYONE),
    "admin/logout/": row("/admin/logout/", POST=STAFF),
    "admin/password_change/": page("/admin/password_change/", STAFF),
    "admin/password_change/done/": row("/admin/password_change/done/", GET=STAFF),
    "admin/profile/": page(
        "/admin/profile/", STAFF, {"time_zone": "UTC", "number_format": "en-za"}
    ),
    "admin/login/second-step/": page("/admin/login/second-step/", ANYONE, {"code": "0"}),
    "admin/sign-on/": row("/admin/sign-on/", GET=ANYONE),
    "admin/sign-on/cancelled/": row("/admin/sign-on/cancelled/", GET=ANYONE),
    "admin/sign-on/<slug:provider_id>/callback/": row(
        "/admin/sign-on/company/callback/", GET=ANYONE
    ),
    "admin/forgotten-password/": page("/admin/forgotten-password/", ANYONE, {"email": "a@b.c"}),
    "admin/new-password/<uidb64>/<token>/": page("/admin/new-password/MQ/x-y/", ANYONE),
    "admin/invitation/<str:token>/": page("/admin/invitation/x/", ANYONE),
    "admin/security/": row("/admin/security/", GET=STAFF),
    "admin/security/app/": page("/admin/security/app/", STAFF, {"code": "0"}),
    "admin/security/app/remove/": row("/admin/security/app/remove/"),  # without an app: none
    "admin/security/passkeys/": page("/admin/security/passkeys/", STAFF),
    "admin/security/passkeys/add/": page("/admin/security/passkeys/add/", STAFF),
    "admin/security/passkeys/<int:pk>/remove/": row("/admin/security/passkeys/1/remove/"),
    "admin/security/codes/": row("/admin/security/codes/"),
    "admin/security/codes/new/": page("/admin/security/codes/new/", STAFF),
    "admin/security/sessions/": row("/admin/security/sessions/", POST=STAFF),
    "admin/confirm/": page("/admin/confirm/", STAFF),
    "admin/confirm/company/": row("/admin/confirm/company/", GET=STAFF),
    "admin/confirm/code/": page("/admin/confirm/code/", STAFF),
    "admin/confirm/passkey/": page("/admin/confirm/passkey/", STAFF),
    "admin/session/": row("/admin/session/", GET=STAFF),
    "admin/jsi18n/": row("/admin/jsi18n/", GET=STAFF),
    "admin/search/": row("/admin/search/?s=basic", GET=STAFF),
    "admin/autocomplete/": row("/admin/autocomplete/"),  # no page asks it anything
    "admin/r/<path:content_type_id>/<path:object_id>/": row(
        "/admin/r/1/1/"
    ),  # nothing of ours has a page elsewhere
    "admin/(?P<url>.*)$": row("/admin/no/such/page/"),
    "admin/products/product/": page(P, VIEW),
    "admin/products/product/add/": page(
        f"{P}add/", ADD, form_entries(product_id="p3", name="Third one")
    ),
    "admin/products/product/<path:object_id>/": page(f"{P}p1/", STAFF),  # leads to the change page
    "admin/products/product/<path:object_id>/change/": row(
        f"{P}p1/change/", form_entries(price="1.00"), GET=VIEW, POST=CHANGE
    ),
    "admin/products/product/<path:object_id>/history/": page(f"{P}p1/history/", VIEW),
    "admin/products/product/<path:object_id>/delete/": page(f"{P}p1/delete/", DELETE, YES),
    "admin/products/product/<path:object_id>/restore/": row(f"{P}p0/restore/", POST=CHANGE),
    "admin/products/product/<path:object_id>/restore/<int:version>/": row(
        f"{P}p2/restore/1/", POST=CHANGE
    ),
    "admin/products/product/<path:object_id>/undo/<int:version>/": row(
        f"{P}p0/undo/2/", POST=CHANGE
    ),
    "admin/products/product/<path:object_id>/receipt/<int:version>/": row(
        f"{P}p1/receipt/1/", GET=VIEW
    ),
    "admin/products/product/add/preview/": row(f"{P}add/preview/", form_entries(), POST=ADD),
    "admin/products/product/<path:object_id>/preview/": row(
        f"{P}p1/preview/", form_entries(), POST=CHANGE
    ),
    "admin/products/product/<path:object_id>/cell/": row(f"{P}p1/cell/", CELL, POST=CHANGE),
    "admin/products/product/<path:object_id>/image/": row(f"{P}p1/image/", POST=CHANGE),
    "admin/products/product/changes/": row(f"{P}changes/", GET=VIEW),
    "admin/products/product/bulk/": page(f"{P}bulk/?id=p1", CHANGE, BULK),
    "admin/products/product/export/": row(f"{P}export/", GET=VIEW),
    "admin/products/product/import/": page(f"{P}import/", CHANGE),
    "admin/products/product/views/": row(f"{P}views/", {"name": "x", "filters": ""}, POST=VIEW),
    "admin/products/product/views/columns/": row(f"{P}views/columns/", POST=VIEW),
    "admin/products/product/views/<int:pk>/delete/": row(f"{P}views/0/delete/", POST=VIEW),
    "admin/products/product/synonyms/": row(
        f"{P}synonyms/", {"text": "a, b", "based_on": "0"}, GET=VIEW, POST=CHANGE
    ),
    "admin/products/product/jobs/": row(f"{P}jobs/", GET=VIEW),
    "admin/products/product/jobs/<str:job_id>/": row(P + "jobs/{job}/", GET=VIEW),
    "admin/products/product/jobs/<str:job_id>/progress/": row(P + "jobs/{job}/progress/", GET=VIEW),
    "admin/products/product/jobs/<str:job_id>/errors/": row(P + "jobs/{job}/errors/", GET=VIEW),
    "admin/products/product/jobs/<str:job_id>/start/": row(
        P + "jobs/{job}/start/"
    ),  # only by who planned it
    "admin/products/product/jobs/<str:job_id>/clashes/": row(
        P + "jobs/{job}/clashes/", MINE
    ),  # the same
    "admin/products/product/jobs/<str:job_id>/clashes/<int:number>/": row(
        P + "jobs/{job}/clashes/1/", {"price": "mine"}
    ),  # the same
    "admin/products/product/jobs/<str:job_id>/rows/<int:number>/": row(
        P + "jobs/{job}/rows/1/", {"include": "no"}
    ),  # the same
    "admin/products/product/jobs/discard/": row(f"{P}jobs/discard/", POST=VIEW),  # only one's own
    "admin/products/product/jobs/<str:job_id>/discard/": row(
        P + "jobs/{job}/discard/", POST=CHANGE
    ),
    "admin/products/product/jobs/<str:job_id>/cancel/": row(P + "jobs/{job}/cancel/", POST=CHANGE),
    "admin/products/product/jobs/<str:job_id>/undo/": row(P + "jobs/{job}/undo/", POST=CHANGE),
    "admin/products/product/plans/": row(f"{P}plans/", GET=VIEW),
    "admin/products/product/plans/calendar/": row(f"{P}plans/calendar/", GET=VIEW),
    "admin/products/product/plans/catalogue/": row(f"{P}plans/catalogue/", GET=VIEW),
    "admin/products/product/plans/new/": page(
        f"{P}plans/new/?product=p1&edits={{{{}}}}", PLAN, {"product": "p1", "edits": "{{}}"}
    ),
    "admin/products/product/plans/<str:plan_id>/": row(P + "plans/{plan}/", GET=VIEW),
    "admin/products/product/plans/<str:plan_id>/edit/": page(
        P + "plans/{plan}/edit/", PLAN, PLANNED
    ),
    "admin/products/product/plans/<str:plan_id>/postpone/": row(
        P + "plans/{plan}/postpone/", {"by": "hour"}, POST=PLAN
    ),
    "admin/products/product/plans/<str:plan_id>/end/": row(P + "plans/{plan}/end/", POST=PLAN),
    "admin/products/product/plans/<str:plan_id>/cancel/": row(
        P + "plans/{plan}/cancel/", POST=PLAN
    ),
    "admin/products/product/plans/<str:plan_id>/undo/": row(P + "plans/{plan}/undo/", POST=PLAN),
    "admin/products/product/operations/": row(f"{P}operations/", GET=OPERATE),
    "admin/products/product/operations/retry/": row(f"{P}operations/retry/", STUCK, POST=OPERATE),
    "admin/products/product/operations/retry_cause/": row(
        f"{P}operations/retry_cause/", POST=OPERATE
    ),
    "admin/products/product/operations/discard/": row(
        f"{P}operations/discard/", STUCK, POST=OPERATE
    ),
    "admin/products/product/operations/redrive/": row(f"{P}operations/redrive/", POST=OPERATE),
    "admin/products/apitoken/": page(
        K, ROOT, {"action": "revoke", "_selected_action": "{token}", "index": "0"}
    ),
    "admin/products/apitoken/add/": page(
        f"{K}add/", ROOT, {"user": "{holder}", "label": "x", "days": "1"}
    ),
    "admin/products/apitoken/<path:object_id>/": page(K + "{token}/", STAFF),
    "admin/products/apitoken/<path:object_id>/change/": row(
        K + "{token}/change/", {"label": "y"}, GET=ROOT
    ),
    "admin/products/apitoken/<path:object_id>/history/": page(K + "{token}/history/", ROOT),
    "admin/products/apitoken/<path:object_id>/delete/": row(K + "{token}/delete/", YES),
    "admin/auth/user/": page(U, ROOT),
    "admin/auth/user/add/": page(f"{U}add/", ROOT, {"email": "new@example.com"}),
    "admin/auth/user/<int:pk>/invitation/": row(U + "{user}/invitation/", POST=ROOT),
    "admin/auth/user/<int:pk>/second-factor/": row(U + "{user}/second-factor/", POST=ROOT),
    "admin/auth/user/<int:pk>/sessions/": row(U + "{user}/sessions/", POST=ROOT),
    "admin/auth/user/<path:object_id>/": page(U + "{user}/", STAFF),
    "admin/auth/user/<path:object_id>/change/": page(
        U + "{user}/change/", ROOT, {"username": "renamed"}
    ),
    "admin/auth/user/<id>/password/": page(
        U + "{user}/password/", ROOT, {"password1": SECRET, "password2": SECRET}
    ),
    "admin/auth/user/<path:object_id>/history/": page(U + "{user}/history/", ROOT),
    "admin/auth/user/<path:object_id>/delete/": page(U + "{user}/delete/", ROOT, YES),
    "admin/auth/group/": page(G, ROOT),
    "admin/auth/group/add/": page(f"{G}add/", ROOT, {"name": "Others"}),
    "admin/auth/group/<path:object_id>/": page(G + "{group}/", STAFF),
    "admin/auth/group/<path:object_id>/change/": page(
        G + "{group}/change/", ROOT, {"name": "Renamed"}
    ),
    "admin/auth/group/<path:object_id>/history/": page(G + "{group}/history/", ROOT),
    "admin/auth/group/<path:object_id>/delete/": page(G + "{group}/delete/", ROOT, YES),
}
