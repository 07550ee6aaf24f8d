"""Responses compared with the contract: their codes, and every field of their bodies."""

from functools import cache
from typing import Any, cast

from django.urls import Resolver404, resolve
from jsonschema_rs import Draft202012Validator

from products.api.contract.bodies import COMPONENTS
from products.api.contract.operation import error_responses
from products.api.contract.operations import OPERATIONS

ERRORS = error_responses()


def validate_response(response: Any) -> None:
    """Raise AssertionError unless the contract describes the response.

    A field that the contract does not name is an error too. Pages in HTML are not compared.
    """
    operation = _operation_of(response.request)
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    if operation is None or (response.content and not is_json):
        return
    described = operation["responses"].get(str(response.status_code))
    assert described, f"{operation['operationId']} has no response {response.status_code}"
    described = ERRORS[_name_in(described)] if "$ref" in described else described
    if not response.content:
        assert "content" not in described
        return
    component = _name_in(described["content"]["application/json"]["schema"])
    errors = differences(component, response.json())
    assert not errors, f"{operation['operationId']} {response.status_code}: {errors}"


def differences(component: str, body: Any) -> list[str]:
    """Return what is wrong with a body that should be this component of the contract."""
    return [error.message for error in _validator(component).iter_errors(body)]


def _operation_of(request: dict[str, Any]) -> dict[str, Any] | None:
    try:
        view = resolve(request["PATH_INFO"]).func
    except Resolver404:
        return None
    name = getattr(getattr(view, "cls", None), "__name__", "")
    return OPERATIONS.get((name, request["REQUEST_METHOD"]))


def _name_in(reference: dict[str, Any]) -> str:
    return str(reference["$ref"].rpartition("/")[2])


@cache
def _validator(component: str) -> Draft202012Validator:
    reference = {"$ref": f"#/components/schemas/{component}"}
    return Draft202012Validator(reference | {"components": {"schemas": STRICT_COMPONENTS}})


def strict(schema: Any) -> Any:
    """Return an OpenAPI 3.0 schema as JSON Schema, with all other fields forbidden."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {key: strict(value) for key, value in schema.items() if key != "nullable"}
    if "properties" in schema:
        converted["additionalProperties"] = False
    if schema.get("nullable") is True:
        return {"anyOf": [converted, {"type": "null"}]}
    return converted


STRICT_COMPONENTS = cast("dict[str, Any]", strict(COMPONENTS))
