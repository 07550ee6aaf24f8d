"""The contract for drf-spectacular, which validates it and writes it as YAML or JSON.

The settings name both parts. The URLs decide which operations there are.
"""

import inspect

from drf_spectacular.openapi import AutoSchema

from products.api.contract.bodies import COMPONENTS
from products.api.contract.operations import OPERATIONS
from products.api.json_schema import Schema

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "cookieAuth": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
}


class ContractSchema(AutoSchema):
    """Describe a view by our table instead of by its serializers, because no view has any."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: object
    ) -> Schema:
        """Return the operation. KeyError for a method of a view that is not in the table."""
        handler = getattr(self.view, method.lower())
        operation = OPERATIONS[type(self.view).__name__, method]
        described = {
            "operationId": operation["operationId"],
            "description": inspect.getdoc(handler),
        }
        return described | operation


def add_components(result: Schema, **_: object) -> Schema:
    """Add the bodies and the security schemes to the contract (``POSTPROCESSING_HOOKS``)."""
    return result | {
        "components": {
            "schemas": dict(sorted(COMPONENTS.items())),
            "securitySchemes": SECURITY_SCHEMES,
        }
    }
