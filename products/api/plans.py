"""The views of plans: make, list, change, cancel, end and undo them, and what is to come."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from itertools import islice

from django.http import HttpResponseNotModified
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from products import scheduling
from products.api.cursors import cursor_of, position_of
from products.api.errors import body_of_error, error_body, field_errors, status_of
from products.api.etags import etag_of_plan, expected_plan_version, is_not_modified
from products.api.job_origin import origin_of
from products.api.json_schema import BOOLEAN
from products.api.json_types import FieldErrors, JsonObject
from products.api.middleware import request_id
from products.api.parameters import (
    DEFAULT_LIMIT,
    PAGE_PARAMETERS,
    WRITE_PARAMETERS,
    Parameter,
    Parameters,
    read_parameters,
)
from products.api.parsers import BatchJSONParser, MergePatchParser, StrictJSONParser
from products.api.plan_bodies import NewPlan, read_changes, read_new_plan, row_errors
from products.api.plan_representation import (
    new_plan_body,
    outlook_body,
    page_of,
    plan_body,
    plan_row_body,
    plan_url,
    plan_version_body,
    preview_body,
)
from products.api.write_options import idempotency_key_of
from products.api.write_responses import PRIVATE, body_of
from products.changes import Origin
from products.documents import format_timestamp
from products.errors import ProductNotFound
from products.plans.drafts import Preview, RowsRefused
from products.plans.plan import Plan, PlanRow


def _is_open(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("Must be one of true, false.")
    return text == "true"


PLANS_PARAMETERS: Parameters = {
    **PAGE_PARAMETERS,
    "open": Parameter(
        "open",
        _is_open,
        BOOLEAN,
        "true: only plans with a step left, the next step first; else all, the newest first.",
        False,
    ),
}


class PlanList(APIView):
    """List plans, or make one."""

    staff_only = True
    is_planning = True
    parser_classes = (BatchJSONParser,)

    def get(self, request: Request) -> Response:
        """Return one page of plans, the newest first, or those with a step left."""
        values = read_parameters(request.query_params, PLANS_PARAMETERS)
        limit, cursor = values.get("limit", DEFAULT_LIMIT), values.get("after")
        is_open = values.get("open", False)
        query = f"plans {is_open}"
        position = None if cursor is None else position_of(cursor, query)
        # One more than asked for shows whether there is a next page.
        found = _open_plans(position) if is_open else _newest_plans(limit + 1, position)
        shown = found[:limit]
        after = _position(shown[-1], is_open=is_open) if len(found) > limit else None
        body = page_of("plans", [plan_body(plan) for plan in shown], _cursor(query, after))
        return Response(body, headers={"Cache-Control": PRIVATE})

    def post(self, request: Request) -> Response:
        """Make a plan: its edits are made at its start, and taken back at its end."""
        parameters = read_parameters(request.query_params, WRITE_PARAMETERS)
        dry_run = parameters.get("dry_run", False)
        asked = read_new_plan(body_of(request))
        origin = replace(origin_of(request), idempotency_key=idempotency_key_of(request))
        try:
            preview = _create(asked, origin, dry_run=dry_run)
        except RowsRefused as refused:
            return _refused_rows_response(refused, asked, request)
        if dry_run:
            return Response(preview_body(preview), headers={"Cache-Control": PRIVATE})
        headers = _headers(preview.plan)
        if preview.replayed:
            headers["Idempotent-Replayed"] = "true"
        return Response(new_plan_body(preview), status=status.HTTP_201_CREATED, headers=headers)


def _newest_plans(limit: int, position: str | None) -> list[Plan]:
    return scheduling.plans().newest(limit, position)


def _open_plans(position: str | None) -> list[Plan]:
    found = scheduling.plans().open()
    return [plan for plan in found if position is None or _position(plan, is_open=True) > position]


def _position(plan: Plan, *, is_open: bool) -> str:
    due = format_timestamp(plan.due or plan.starts_at)
    return f"{due} {plan.plan_id}" if is_open else plan.plan_id


def _cursor(query: str, position: str | None) -> str | None:
    return None if position is None else cursor_of(query, position)


def _create(asked: NewPlan, origin: Origin, *, dry_run: bool) -> Preview:
    creation = scheduling.plan_creation()
    if asked.job_id is not None:
        return creation.from_job(asked.draft, asked.job_id, origin, dry_run=dry_run)
    if asked.selection is not None:
        return creation.from_selection(asked.draft, asked.selection, origin, dry_run=dry_run)
    return creation.from_rows(asked.draft, origin, dry_run=dry_run)


def _refused_rows_response(refused: RowsRefused, asked: NewPlan, request: Request) -> Response:
    """Return why the plan can't be made, with the errors of each row."""
    id_ = request_id(request)
    errors: FieldErrors = {}
    for position, error in refused.refusals.items():
        sentences = field_errors(error) or {"": [str(error_body(error, id_)["message"])]}
        errors |= row_errors(_row_name(position, refused, asked), sentences)
    codes = [status_of(error) for error in refused.refusals.values()]
    code = min(filter(None, codes), default=HTTPStatus.BAD_REQUEST)
    message = f"{len(refused.refusals)} of the rows can't be planned, so nothing was."
    body = body_of_error(code, message, id_, errors=errors)
    return Response(body, status=code, headers={"Cache-Control": "no-store"})


def _row_name(position: int, refused: RowsRefused, asked: NewPlan) -> str:
    """Return the name of a row: its position in the body, or the product that was selected."""
    if asked.draft.rows:
        return f"rows[{position}]"
    return f"products[{refused.product_ids[position]}]"


class _PlanAction(APIView):
    """Base class of the actions on a plan."""

    is_planning = True

    def act(self, request: Request, plan_id: str, act: Callable[..., Plan]) -> Response:
        """Act on the version of the plan that the client expects, and return it."""
        read_parameters(request.query_params, {})
        expected = expected_plan_version(request)
        return _plan_response(act(plan_id, origin_of(request), expected_version=expected))


class PlanDetail(_PlanAction):
    """Read, change or cancel one plan."""

    staff_only = True
    parser_classes = (StrictJSONParser, MergePatchParser)

    def get(self, request: Request, plan_id: str) -> Response | HttpResponseNotModified:
        """Return the plan."""
        read_parameters(request.query_params, {})
        plan = scheduling.plans().plan(plan_id)
        headers = _headers(plan)
        if is_not_modified(request, headers["ETag"]):
            return HttpResponseNotModified(headers=headers)
        return Response(plan_body(plan), headers=headers)

    def patch(self, request: Request, plan_id: str) -> Response:
        """Change the name, the reason, the times or the clash rule.

        A running plan keeps its start. Its end is now if the new one has passed.
        """
        read_parameters(request.query_params, {})
        changes = read_changes(body_of(request), scheduling.plans().plan(plan_id))
        expected = expected_plan_version(request)
        plan = scheduling.plans().change(
            plan_id, changes, origin_of(request), expected_version=expected
        )
        return _plan_response(plan)

    def delete(self, request: Request, plan_id: str) -> Response:
        """Cancel a plan that has not started. It can be undone until its start."""
        return self.act(request, plan_id, scheduling.plans().cancel)


class PlanEnd(_PlanAction):
    """End a plan early."""

    def post(self, request: Request, plan_id: str) -> Response:
        """Let a running plan end now: what it set is taken back within a second."""
        return self.act(request, plan_id, scheduling.plans().end_now)


class PlanUndo(_PlanAction):
    """Undo the last change of a plan."""

    def post(self, request: Request, plan_id: str) -> Response:
        """Undo what a person did to the plan last. A second undo does it again."""
        return self.act(request, plan_id, scheduling.plans().undo)


class PlanRows(APIView):
    """Read the rows of a plan."""

    staff_only = True

    def get(self, request: Request, plan_id: str) -> Response:
        """Return one page of the rows: edits, the steps to come, and the receipts of those made."""
        values = read_parameters(request.query_params, PAGE_PARAMETERS)
        limit, cursor = values.get("limit", DEFAULT_LIMIT), values.get("after")
        start = 0 if cursor is None else int(position_of(cursor, plan_id))
        plan = scheduling.plans().plan(plan_id)
        rows = list(islice(scheduling.plans().rows(plan), start, start + limit))
        end = start + len(rows)
        cursor = cursor_of(plan_id, str(end)) if end < plan.rows else None
        body = page_of("rows", _row_bodies(plan, rows), cursor)
        return Response(body, headers={"Cache-Control": PRIVATE})


def _row_bodies(plan: Plan, rows: Sequence[PlanRow]) -> list[JsonObject]:
    foreseen = scheduling.plans().foreseen(plan, rows) if plan.next_step else {}
    return [plan_row_body(row, foreseen.get(row.product_id, ())) for row in rows]


class PlanHistory(APIView):
    """Read what people did to a plan."""

    staff_only = True

    def get(self, request: Request, plan_id: str) -> Response:
        """Return one page of the plan's versions, newest first: who changed what, and when."""
        values = read_parameters(request.query_params, PAGE_PARAMETERS)
        limit, cursor = values.get("limit", DEFAULT_LIMIT), values.get("after")
        before = None if cursor is None else int(position_of(cursor, plan_id))
        # The version below the last one shown says what that one changed.
        found = scheduling.plans().versions(plan_id, limit + 1, before)
        shown = found[:limit]
        bodies = [
            plan_version_body(plan, found[position + 1] if position + 1 < len(found) else None)
            for position, plan in enumerate(shown)
        ]
        after = str(shown[-1].version) if len(found) > limit else None
        body = page_of("versions", bodies, _cursor(plan_id, after))
        return Response(body, headers={"Cache-Control": PRIVATE})


class ProductPlans(APIView):
    """Read what plans will do to a product."""

    staff_only = True

    def get(self, request: Request, product_id: str) -> Response:
        """Return the plans that run, and all steps to come with what each will change."""
        read_parameters(request.query_params, {})
        found = scheduling.plans().outlook(product_id)
        if found is None:
            raise ProductNotFound(product_id)
        return Response(outlook_body(found), headers={"Cache-Control": PRIVATE})


def _headers(plan: Plan) -> dict[str, str]:
    return {"Cache-Control": PRIVATE, "ETag": etag_of_plan(plan), "Location": plan_url(plan)}


def _plan_response(plan: Plan) -> Response:
    return Response(plan_body(plan), headers=_headers(plan))
