"""API clients for each role, which authenticate with a token, as other services do."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client

from products.access import tokens
from products.catalogue import Catalogue
from tests.support.contract import validate_response


def token_of(name: str, group: str | None, *, lifetime: timedelta = timedelta(hours=1)) -> str:
    """Return a new token of this user, who is put into the group."""
    user, _ = User.objects.get_or_create(username=name)
    if group:
        user.groups.set([Group.objects.get(name=group)])
    return tokens.issue(user, label="test", lifetime=lifetime)[1]


class Api:
    """Calls the API under ``/v1.0`` with JSON, as a user of a group, or anonymously.

    Every response is compared with the contract.
    """

    def __init__(
        self, group: str | None = "Product admins", *, name: str = "ann", anonymous: bool = False
    ) -> None:
        self.headers = {} if anonymous else {"Authorization": f"Bearer {token_of(name, group)}"}
        self.client = Client()

    def __call__(self, method: str, path: str, data: Any = None, **headers: str) -> Any:
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        options: dict[str, Any] = {}
        if data is not None:
            options = {"data": data, "content_type": "application/json"}
        response = getattr(self.client, method)(f"/v1.0{path}", headers=sent, **options)
        validate_response(response)
        return response


def error_of(response: Any) -> dict[str, Any]:
    """Return the body of an error, which must have the form of all errors."""
    body = response.json()
    assert {"error", "message", "errors", "requestId"} <= set(body)
    assert body["requestId"] == response["X-Request-ID"]
    assert body["message"]
    return dict(body)


def ids(response: Any) -> list[str]:
    """Return the ids of the products on a page."""
    assert response.status_code == 200, response.content
    body = response.json()
    assert body["count"] == len(body["products"])
    return [product["productId"] for product in body["products"]]


def versions(catalogue: Catalogue, product_id: str = "p1") -> list[int]:
    """Return the versions in a product's log, newest first."""
    return [change.version for change in catalogue.history(product_id)]
