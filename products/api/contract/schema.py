"""The contract for drf-spectacular, which validates it and writes it as YAML or JSON.

The settings name both parts. The URLs decide which operations there are.
"""

import inspect
import re
from operator import itemgetter

from drf_spectacular.openapi import AutoSchema

from products.api.contract.bodies import COMPONENTS
from products.api.contract.operations import OPERATIONS
from products.api.json_schema import NUMBER, PRODUCT_ID, TEXT, VERSION, Schema

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "cookieAuth": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
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
            "parameters": sorted(parameters, key=itemgetter("name")),
        }


def _path_parameters(path: str) -> list[Schema]:
    schemas = {"product_id": PRODUCT_ID, "version": VERSION, "job_id": TEXT, "number": NUMBER}
    return [
        {"in": "path", "name": name, "schema": schemas[name], "required": True}
        for name in re.findall(r"{(\w+)}", path)
    ]


def add_components(result: Schema, **_: object) -> Schema:
    """Add the bodies and the security schemes to the contract (``POSTPROCESSING_HOOKS``)."""
    return result | {
        "components": {
            "schemas": dict(sorted(COMPONENTS.items())),
            "securitySchemes": SECURITY_SCHEMES,
        }
    }
