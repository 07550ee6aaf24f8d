"""The parts of one operation in the contract: parameters, bodies, responses and errors."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus

from products.api.contract import examples, headers
from products.api.contract.examples import Examples
from products.api.contract.headers import Headers
from products.api.json_schema import Schema, ref
from products.api.parameters import Parameter, Parameters
from products.api.parsers import MAX_BATCH_BYTES, MAX_BODY_BYTES
from products.bulk.files import MAX_SIZE

ERRORS = {
    400: "A field, parameter or header is wrong; `errors` names it.",
    401: "The token is missing, expired, revoked or invalid.",
    403: "The caller may not do this.",
    404: "There is no such product, version, job or plan.",
    406: "Responses are only available as JSON.",
    409: "The id or name is taken, or somebody changed the same field:"
    " `conflicts` has both values.",
    412: "If-Match names another version.",
    413: f"The body is larger than {MAX_BODY_BYTES // 1024} KB"
    f" (a batch: {MAX_BATCH_BYTES // 1_000_000} MB; a file: {MAX_SIZE // 1_000_000} MB).",
    415: "Bodies are accepted as JSON only.",
    422: "The Idempotency-Key was used for another request.",
    429: "Too many calls; see Retry-After.",
    503: "The database does not answer; see Retry-After.",
}
JSON = "application/json"
BATCH_ERRORS = (400, 401, 403, 404, 406, 409, 412, 413, 415, 422, 429, 503)
READ_ERRORS = (400, 401, 403, 404, 406, 429, 503)
STAFF: list[Schema] = [{"bearer": []}, {"cookieAuth": []}]


def query(parameters: Parameters) -> list[Schema]:
    """Return the parameters of a table as the contract describes them."""
    return [_in_query(name, given) for name, given in parameters.items()]


def _in_query(name: str, given: Parameter) -> Schema:
    described: Schema = {
        "in": "query",
        "name": name,
        "schema": given.schema,
        "description": given.description,
    }
    if given.example is not None:
        described["example"] = given.example
    if given.schema.get("type") == "array":
        described |= {"style": "form", "explode": False}
    return described


def content(body: str, shown: Examples, media_types: Sequence[str] = (JSON,)) -> Schema:
    """Return a body, with examples."""
    described: Schema = {"schema": ref(body)}
    if shown:
        described["examples"] = {name: {"value": value} for name, value in shown.items()}
    return {"content": dict.fromkeys(media_types, described)}


def request_body(body: str, shown: Examples, media_types: Sequence[str] = (JSON,)) -> Schema:
    """Return a body that a request must have."""
    return content(body, shown, media_types) | {"required": True}


def operation(
    operation_id: str, summary: str, parameters: list[Schema], responses: dict[int, Schema]
) -> Schema:
    """Return an operation for staff."""
    return {
        "operationId": operation_id,
        "summary": summary,
        "parameters": [*parameters, headers.sent("RequestId")],
        "tags": ["products"],
        "security": STAFF,
        "responses": {str(code): response for code, response in responses.items()},
    }


def response(
    description: str, body: str | None, own_headers: Headers, shown: Examples | None = None
) -> Schema:
    """Return a response with the headers that all responses have."""
    described = content(body, shown or {}) if body else {}
    return {"headers": own_headers | headers.ALWAYS, **described, "description": description}


def errors(codes: Iterable[int], body: str = "Error") -> dict[int, Schema]:
    """Return references to the responses to errors, by status code."""
    return {code: {"$ref": f"#/components/responses/{_error_name(code, body)}"} for code in codes}


def error_responses() -> dict[str, Schema]:
    """Return the responses to errors, as components of the contract."""
    shown = {"Error": examples.REFUSALS, "BatchError": examples.BATCH_REFUSALS}
    return {
        _error_name(code, body): response(
            description, body, headers.OF_ERROR.get(code, {}), shown[body].get(code)
        )
        for body in shown
        for code, description in ERRORS.items()
        if body == "Error" or code in BATCH_ERRORS
    }


def _error_name(code: int, body: str) -> str:
    prefix = body.removesuffix("Error")
    return prefix + HTTPStatus(code).phrase.title().replace(" ", "").replace("-", "")
