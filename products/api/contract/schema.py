"""The contract for drf-spectacular, which validates it and writes it as YAML or JSON.

The settings name both parts. The URLs decide which operations there are.
"""

import inspect
import re

from drf_spectacular.openapi import AutoSchema

from products.api.contract.bodies import COMPONENTS
from products.api.contract.headers import REQUEST_HEADERS, RESPONSE_HEADERS, sent
from products.api.contract.operation import error_responses
from products.api.contract.operations import OPERATIONS
from products.api.json_schema import NUMBER, PRODUCT_ID, TEXT, VERSION, Schema

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "cookieAuth": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
}
PATH_PARAMETERS: dict[str, Schema] = {
    name: {
        "in": "path",
        "name": name,
        "schema": schema,
        "required": True,
        "description": description,
        "example": example,
    }
    for name, schema, description, example in (
        ("product_id", PRODUCT_ID, "The product's id.", "PROD-BASIC"),
        ("version", VERSION, "A version of the product.", 1),
        ("job_id", TEXT, "The job's id.", "0195567e-4a91-7b02-8f6e-5f1f0a7c9e0a"),
        ("plan_id", TEXT, "The plan's id.", "0195567e-4a91-7b02-8f6e-5f1f0a7c9e0b"),
        ("number", NUMBER, "The row's number in the job, from 1.", 1),
    )
}


class ContractSchema(AutoSchema):
    """Describe a view by the tables instead of by serializers, which no view has."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: object
    ) -> Schema:
        """Return the operation. KeyError for a method of a view that the tables do not have."""
        operation = OPERATIONS[type(self.view).__name__, method]
        parameters = operation["parameters"] + _path_parameters(path)
        return {
            "operationId": operation["operationId"],
            "description": inspect.getdoc(getattr(self.view, method.lower())),
            **operation,
            "parameters": sorted(parameters, key=_name),
        }


def _name(parameter: Schema) -> str:
    return str(parameter.get("name") or parameter["$ref"])


def _path_parameters(path: str) -> list[Schema]:
    return [sent(name) for name in re.findall(r"{(\w+)}", path)]


def add_components(result: Schema, **_: object) -> Schema:
    """Add the bodies and the security schemes to the contract (``POSTPROCESSING_HOOKS``)."""
    return result | {
        "components": {
            "schemas": dict(sorted(COMPONENTS.items())),
            "responses": dict(sorted(error_responses().items())),
            "parameters": REQUEST_HEADERS | PATH_PARAMETERS,
            "headers": RESPONSE_HEADERS,
            "securitySchemes": SECURITY_SCHEMES,
        }
    }
