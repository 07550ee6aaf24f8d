"""POST /products:batch: up to a hundred writes in one request, each by itself or all or none."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from products.api.errors import refusal_body, refusals_answer
from products.api.parsers import BatchJSONParser
from products.api.permissions import DEACTIVATE, NEEDED, require_permission
from products.api.queries import base_version
from products.api.representation import batch_result, edits_of
from products.api.write_options import WriteOptions, read_write_options
from products.api.write_responses import PRIVATE, RETRY_SECONDS, body_of
from products.batch import MAX_WRITES
from products.bootstrap import catalogue, sleep
from products.errors import Invalid
from products.writes import Accepted, Write, WritesRefused

NEEDED_FOR = {
    "create": NEEDED["POST"],
    "update": NEEDED["PATCH"],
    "deactivate": NEEDED["DELETE"],
    "restore": NEEDED["PATCH"],
}
FLAG_OF = {"deactivate": {"active": False}, "restore": {"active": True}}
KNOWN = {"action", "productId", "product", "ifVersion"}


class ProductBatch(APIView):
    """Many writes at once. ``mode`` is the caller's choice: ``each`` by itself, or ``all`` or none."""

    parser_classes = (BatchJSONParser,)
    needed = NEEDED[
        "PATCH"
    ]  # the least that every caller has; what else an item needs is looked at below

    def post(self, request: Request) -> Response:
        terms, (mode, writes) = read_write_options(request), _read(body_of(request))
        if terms.expected_version is not None:
            raise Invalid(
                {"If-Match": ["A batch has many versions: give each item its own ifVersion."]}
            )
        _check_permissions(request, writes)
        asked = [write for _, write in writes]
        if mode == "each":
            results: Sequence[Any] = catalogue().write_each(
                asked, terms.origin, dry_run=terms.dry_run
            )
        else:
            try:
                results = catalogue().write_all(asked, terms.origin, dry_run=terms.dry_run)
            except WritesRefused as refused:
                return refusals_answer(refused, len(asked), request)
        return _answer(request, terms, [action for action, _ in writes], results)


def _answer(
    request: Request, terms: WriteOptions, actions: list[str], results: Sequence[Any]
) -> Response:
    """202 while something is pending, 200 when all is done, 207 when some were refused."""
    shown = _waited_for(terms, results)
    bodies = [
        batch_result(
            result, action, dry_run=terms.dry_run, until=terms.wait.until if terms.wait else None
        )
        if isinstance(result, Accepted)
        else refusal_body(result, request)
        for action, result in zip(actions, shown, strict=True)
    ]
    refused = sum(not isinstance(result, Accepted) for result in shown)
    unchanged = sum(isinstance(result, Accepted) and result.change is None for result in shown)
    pending = any(body["code"] == 202 for body in bodies)
    counts = {
        "accepted": len(bodies) - refused - unchanged,
        "unchanged": unchanged,
        "refused": refused,
    }
    headers = {"Cache-Control": PRIVATE} | ({"Retry-After": str(RETRY_SECONDS)} if pending else {})
    if terms.wait and not pending and not terms.dry_run:
        headers["Preference-Applied"] = terms.wait.applied
    return Response(
        {"results": bodies} | counts,
        status=207 if refused else 202 if pending else 200,
        headers=headers,
    )


def _waited_for(terms: WriteOptions, results: Sequence[Any]) -> list[Any]:
    """The results with their changes as they are once the caller has waited long enough."""
    if not terms.wait or terms.dry_run:
        return list(results)
    changes = [
        result.change for result in results if isinstance(result, Accepted) and result.change
    ]
    awaited = catalogue().await_effects(
        changes, terms.wait.until, seconds=terms.wait.seconds, sleep=sleep
    )
    newer = {change.change_id: change for change in awaited}
    return [
        Accepted(result.product, newer[result.change.change_id], result.replayed)
        if isinstance(result, Accepted) and result.change
        else result
        for result in results
    ]


def _read(body: dict[str, Any]) -> tuple[str, list[tuple[str, Write]]]:
    """The mode and the writes; Invalid names what can't be understood."""
    errors = {name: ["There is no such field."] for name in body.keys() - {"mode", "items"}}
    mode, items = body.get("mode"), body.get("items")
    if mode not in (
        "each",
        "all",
    ):  # anything may have been sent, lists too, which no set can be asked for
        errors["mode"] = ["Must be each (every item by itself) or all (all or none)."]
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_WRITES:
        errors["items"] = [f"Must be a list of 1 to {MAX_WRITES} items."]
        raise Invalid(errors)
    writes = []
    for number, item in enumerate(items):
        try:
            writes.append(_write_of(item))
        except Invalid as refusal:
            errors |= {
                f"items[{number}]{f'.{name}' if name else ''}": texts
                for name, texts in refusal.errors.items()
            }
    if errors:
        raise Invalid(errors)
    return str(mode), writes


def _write_of(item: Any) -> tuple[str, Write]:
    """One item's shape; what its fields may hold is for the core to say."""
    if not isinstance(item, dict):
        raise Invalid({"": ["Must be an object."]})
    errors = {name: ["There is no such field."] for name in item.keys() - KNOWN}
    action, fields = item.get("action"), item.get("product", {})
    if action not in tuple(NEEDED_FOR):
        errors["action"] = [f"Must be one of {', '.join(NEEDED_FOR)}."]
    if not isinstance(fields, dict) or ("product" in item and action not in ("create", "update")):
        errors["product"] = [
            "Must be an object of the product's fields, with create and update only."
        ]
    if action != "create" and not isinstance(item.get("productId"), str):
        errors["productId"] = ["Must name the product."]
    if action == "create" and "ifVersion" in item:
        errors["ifVersion"] = ["A product that is yet to be created has no version."]
    if errors:
        raise Invalid(errors)
    return str(action), _write(str(action), item, edits_of(fields))


def _write(action: str, item: Mapping[str, Any], edits: dict[str, Any]) -> Write:
    expected_version = base_version(item.get("ifVersion"), "ifVersion")
    if action != "create":
        base = base_version(edits.pop("version", None))
        return Write(
            product_id=item["productId"],
            edits=FLAG_OF.get(action, edits),
            base=base,
            expected_version=expected_version,
        )
    inner = edits.pop("product_id", None)
    chosen = item.get("productId", inner)
    if inner not in (None, chosen):
        raise Invalid({"productId": ["The item names one id, and its product another."]})
    return Write(product_id=chosen, edits=edits, creates=True)


def _check_permissions(request: Request, writes: Sequence[tuple[str, Write]]) -> None:
    needed = {NEEDED_FOR[action] for action, _ in writes}
    if any(write.edits.get("active") is False and not write.creates for _, write in writes):
        needed.add(DEACTIVATE)
    for permission in sorted(needed):
        require_permission(request, permission)
