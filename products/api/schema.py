"""The OpenAPI contract: describes each view for drf-spectacular, which writes openapi.yaml.

The views themselves do not depend on it. Importing this module registers the descriptions.
"""

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiViewExtension
from drf_spectacular.utils import extend_schema_view
from rest_framework.views import APIView

from products.api import examples, serializers
from products.api.schema_operations import Operation, batch, read, write
from products.api.schema_parameters import (
    AS_OF,
    CONDITIONAL,
    ID,
    LIST,
    NEXT_PAGE,
    OPEN_RECEIPT,
    PAGE,
    VERSION,
)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # its registry
    """Describe bearer tokens as a security scheme."""

    target_class = "products.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return OpenAPI's security scheme object."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class CookieScheme(SessionScheme):  # type: ignore[no-untyped-call] # its registry
    """Describe the session cookie as a security scheme."""

    target_class = "products.api.authentication.CookieAuthentication"


def _describe(view: str, **operations: Operation) -> None:
    """Register the descriptions of a view's methods with drf-spectacular."""

    def view_replacement(self: OpenApiViewExtension) -> type[APIView]:
        target = self.target
        subclass = type(target.__name__, (target,), {})
        described: type[APIView] = extend_schema_view(**operations)(subclass)
        return described

    # Defining a subclass is how drf-spectacular registers an extension.
    name = view.rpartition(".")[2]
    attributes = {"target_class": view, "view_replacement": view_replacement}
    type(f"{name}Schema", (OpenApiViewExtension,), attributes)


EDITS_EXAMPLE = examples.request_example("Edits", examples.EDITS)

_describe(
    "products.api.views.ProductList",
    get=read(
        "listProducts",
        serializers.ProductPage,
        *LIST,
        *CONDITIONAL,
        NEXT_PAGE,
        public=True,
        example=examples.LIST,
    ),
    post=write(
        "createProduct",
        serializers.NewProduct,
        done_status=201,
        example=examples.request_example("Product", examples.NEW),
    ),
)
_describe(
    "products.api.views.ProductDetail",
    get=read(
        "getProduct",
        serializers.Product,
        ID,
        AS_OF,
        *CONDITIONAL,
        public=True,
        example=examples.PRODUCT,
    ),
    put=write("updateProduct", serializers.ProductEdits, ID, example=EDITS_EXAMPLE),
    patch=write("patchProduct", serializers.ProductEdits, ID, example=EDITS_EXAMPLE),
    delete=write("deactivateProduct", None, ID, done_status=204),
)
_describe("products.api.batch.ProductBatch", post=batch())
_describe(
    "products.api.history.ChangeList",
    get=read("listChanges", serializers.Changes, ID, *PAGE, example=examples.HISTORY),
)
_describe(
    "products.api.history.ChangeReceipt",
    get=read("getReceipt", serializers.Change, ID, VERSION, OPEN_RECEIPT, example=examples.RECEIPT),
)
_describe(
    "products.api.history.RestoreVersion",
    post=write("restoreVersion", None, ID, VERSION),
)
