"""The operations of plans in the contract."""

from products.api.contract import headers
from products.api.contract import plan_examples as examples
from products.api.contract.examples import Examples
from products.api.contract.operation import (
    JSON,
    READ_ERRORS,
    errors,
    operation,
    query,
    request_body,
    response,
)
from products.api.json_schema import Schema
from products.api.parameters import PAGE_PARAMETERS, WRITE_PARAMETERS, Parameters
from products.api.parsers import MERGE_PATCH
from products.api.plans import PLANS_PARAMETERS

ACT_ERRORS = (*READ_ERRORS, 409, 412)
BODY_ERRORS = (*ACT_ERRORS, 413, 415)
CREATE_ERRORS = (*READ_ERRORS, 409, 413, 415, 422)


def _described(
    operation_id: str, summary: str, parameters: list[Schema], responses: dict[int, Schema]
) -> Schema:
    return operation(operation_id, summary, parameters, responses) | {"tags": ["plans"]}


def _read(
    operation_id: str, summary: str, body: str, shown: Examples, parameters: Parameters
) -> Schema:
    found = response("The requested data.", body, {}, shown)
    responses = {200: found, **errors(READ_ERRORS)}
    return _described(operation_id, summary, query(parameters), responses)


def _change(operation_id: str, summary: str, done: str, codes: tuple[int, ...]) -> Schema:
    responses = {200: response(done, "Plan", headers.PLAN, examples.PLAN), **errors(codes)}
    return _described(operation_id, summary, [headers.sent("IfMatchPlan")], responses)


def _creation() -> Schema:
    planned = "Planned. Nothing changes before the start."
    shown = "What a dry run would plan. Nothing is stored."
    responses = {
        200: response(shown, "PlanPreview", {}, examples.PREVIEW),
        201: response(planned, "CreatedPlan", headers.NEW_PLAN, examples.CREATED_PLAN),
        **errors(CREATE_ERRORS),
    }
    options = [headers.sent("IdempotencyKey"), *query(WRITE_PARAMETERS)]
    described = _described("createPlan", "Plan edits of products", options, responses)
    return described | {"requestBody": request_body("PlanCreation", examples.NEW_PLANS)}


def _detail() -> Schema:
    responses = {
        200: response("The plan.", "Plan", headers.PLAN, examples.PLAN),
        304: response("Not modified.", None, headers.PLAN),
        **errors(READ_ERRORS),
    }
    return _described("getPlan", "Read a plan", [headers.sent("IfNoneMatch")], responses)


_EDITED = request_body("PlanEdits", {"Postpone": examples.PLAN_EDITS}, (JSON, MERGE_PATCH))
PLAN_OPERATIONS: dict[tuple[str, str], Schema] = {
    ("PlanList", "GET"): _read(
        "listPlans", "List plans", "PlanPage", examples.PLANS, PLANS_PARAMETERS
    ),
    ("PlanList", "POST"): _creation(),
    ("PlanDetail", "GET"): _detail(),
    ("PlanDetail", "PATCH"): _change(
        "patchPlan", "Postpone or change a plan", "Changed, or unchanged.", BODY_ERRORS
    )
    | {"requestBody": _EDITED},
    ("PlanDetail", "DELETE"): _change(
        "cancelPlan", "Cancel a plan that has not started", "Cancelled.", ACT_ERRORS
    ),
    ("PlanEnd", "POST"): _change("endPlan", "End a running plan now", "It ends.", ACT_ERRORS),
    ("PlanUndo", "POST"): _change(
        "undoPlan", "Undo the last change that a person made to a plan", "Undone.", ACT_ERRORS
    ),
    ("PlanRows", "GET"): _read(
        "listPlanRows",
        "List the products of a plan, with what is to come and what was done",
        "PlanRowPage",
        examples.ROWS,
        PAGE_PARAMETERS,
    ),
    ("PlanHistory", "GET"): _read(
        "listPlanVersions",
        "List who changed a plan, newest first",
        "PlanHistory",
        examples.HISTORY,
        PAGE_PARAMETERS,
    ),
    ("ProductPlans", "GET"): _read(
        "getProductPlans",
        "Read what plans will do to a product",
        "ProductOutlook",
        examples.OUTLOOK,
        {},
    ),
}
