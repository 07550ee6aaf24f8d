"""The operations of imports, exports and jobs in the contract."""

from products.api.contract import headers
from products.api.contract.examples import JOB, JOB_ROW
from products.api.contract.headers import Headers
from products.api.contract.operation import (
    READ_ERRORS,
    errors,
    operation,
    query,
    request_body,
    response,
)
from products.api.imports import EXPORT_PARAMETERS, FILE, IMPORT_PARAMETERS
from products.api.jobs import JOBS_PARAMETERS, ROWS_PARAMETERS
from products.api.json_schema import Schema
from products.api.parameters import Parameters
from products.bulk.files import MAX_SIZE

FILE_TYPE = "application/octet-stream"
"""Any type is accepted. Clients can be generated for this one by every generator."""
BINARY: Schema = {"type": "string", "format": "binary"}
ACT_ERRORS = (*READ_ERRORS, 409)
BODY_ERRORS = (*ACT_ERRORS, 413, 415)
JOBS = {"Job": JOB}


def _described(
    operation_id: str,
    summary: str,
    responses: dict[int, Schema],
    parameters: Parameters | None = None,
) -> Schema:
    return operation(operation_id, summary, query(parameters or {}), responses) | {"tags": ["jobs"]}


def _read(operation_id: str, summary: str, body: str, parameters: Parameters) -> Schema:
    shown = {"Job": JOBS, "JobRows": {"Rows": JOB_ROWS}, "JobPage": {"Jobs": JOB_LIST}}[body]
    own = headers.JOB if body == "Job" else {}
    found = response("The requested data.", body, own, shown)
    return _described(operation_id, summary, {200: found, **errors(READ_ERRORS)}, parameters)


def _act(operation_id: str, summary: str, code: int, done: str) -> Schema:
    own: Headers = headers.JOB
    responses = {code: response(done, "Job", own, JOBS), **errors(ACT_ERRORS)}
    return _described(operation_id, summary, responses)


def _decide(operation_id: str, summary: str, request: str, example: Schema, body: str) -> Schema:
    shown = {"Job": JOBS, "JobRow": {"Row": JOB_ROW}}[body]
    own = headers.JOB if body == "Job" else {}
    responses = {200: response("Decided.", body, own, shown), **errors(BODY_ERRORS)}
    body_sent = request_body(request, {"Decision": example})
    return _described(operation_id, summary, responses) | {"requestBody": body_sent}


JOB_ROWS: Schema = {"rows": [JOB_ROW], "count": 1, "moreAvailable": False, "nextStartAt": None}
JOB_LIST: Schema = {"jobs": [JOB], "count": 1}
_PLANNED = response("Planned; nothing is written yet.", "Job", headers.JOB, JOBS)
PLANNING: Schema = {"Job": JOB | {"state": "planning", "rows": 0, "counts": {}, "notes": []}}
_PLANNING = response("A worker plans it. Ask for the job again.", "Job", headers.JOB, PLANNING)
_EXPORT: Schema = {
    "headers": headers.FILE | headers.ALWAYS,
    "content": {"text/csv": {"schema": {"type": "string"}}},
    "description": "All matching products; columns as in an import.",
}
JOB_OPERATIONS: dict[tuple[str, str], Schema] = {
    ("ImportList", "POST"): _described(
        "planImport",
        "Plan the import of a file",
        {201: _PLANNED, 202: _PLANNING, **errors((400, 401, 403, 406, 413, 429, 503))},
        IMPORT_PARAMETERS,
    )
    | {
        "requestBody": {
            "required": True,
            "description": f"The file, at most {MAX_SIZE // 1_000_000} MB, with any Content-Type:"
            " its content says which format it has."
            f" A form with the field {FILE} is accepted too.",
            "content": {FILE_TYPE: {"schema": BINARY}},
        }
    },
    ("ProductExport", "GET"): _described(
        "exportProducts",
        "Export products as CSV",
        {200: _EXPORT, **errors((400, 401, 403, 429, 503))},
        EXPORT_PARAMETERS,
    )
    | {"tags": ["products"]},
    ("JobList", "GET"): _read("listJobs", "List the newest jobs", "JobPage", JOBS_PARAMETERS),
    ("JobDetail", "GET"): _read("getJob", "Read a job and its progress", "Job", {}),
    ("JobRows", "GET"): _read(
        "listJobRows", "List what each row changes, and why it does not", "JobRows", ROWS_PARAMETERS
    ),
    ("JobStart", "POST"): _act("startJob", "Start a planned job", 202, "Started."),
    ("JobCancel", "POST"): _act("cancelJob", "Cancel a running job", 200, "Cancelled."),
    ("JobUndo", "POST"): _act("undoJob", "Plan the undo of a job", 201, "Planned."),
    ("JobDecisions", "POST"): _decide(
        "decideJob", "Decide all conflicts of a job", "JobDecision", {"side": "mine"}, "Job"
    ),
    ("RowDecisions", "POST"): _decide(
        "decideJobRow", "Decide the conflicts of a row", "RowDecisions", {"price": "mine"}, "JobRow"
    ),
}
