"""Test a deployed API by writing a product: ``python deploy/smoke.py URL``.

Create a product, follow it to its last effect, and delete it. URL ends with ``/v1.0``. SMOKE_TOKEN
is the token of a user who may view, add and delete products; create it with
``manage.py issue_token smoke --days 90``. The product is inactive, so customers never see it. The
script needs only Python's standard library.
"""

import base64
import contextlib
import http.client
import json
import os
import sys
import time
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

TOKEN_WARNING_DAYS = 30
TIMEOUT_SECONDS = 60  # each effect is promised within ten seconds
CALL_TIMEOUT_SECONDS = 29  # API Gateway's own timeout


class SmokeTestFailed(Exception):
    """The message says what was expected and what was received."""


@dataclass(frozen=True)
class Api:
    """A client of the API; an empty token makes anonymous requests."""

    url: str
    token: str

    def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Return status and JSON body; raise SmokeTestFailed when there is no response."""
        sent = {"Content-Type": "application/json", **headers}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        # The address is the operator's own argument.
        request = Request(f"{self.url}{path}", data, sent, method=method)  # noqa: S310
        try:
            with urlopen(request, timeout=CALL_TIMEOUT_SECONDS) as answer:  # noqa: S310
                return answer.status, _json(answer.read())
        except HTTPError as refused:
            with refused:
                return refused.code, _json(refused.read())
        except (URLError, TimeoutError, http.client.HTTPException) as fault:
            raise SmokeTestFailed(f"{method} {path} got no response: {fault}") from None


def _json(text: bytes) -> Any:
    try:
        return json.loads(text or b"null")
    except ValueError:
        return text.decode(errors="replace")[:200]


def expect(what: str, answer: tuple[int, Any], *statuses: int) -> Any:
    """Return the body of an answer; raise SmokeTestFailed unless it has one of these statuses."""
    status, body = answer
    if status not in statuses:
        expected = " or ".join(map(str, statuses))
        raise SmokeTestFailed(f"{what}: {status} instead of {expected}: {body}")
    print(f"  {status}  {what}")
    return body


def wait_for_receipt(staff: Api, path: str, timeout_seconds: float) -> dict[str, Any]:
    """Return the receipt of a write when it is complete."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        found: dict[str, Any] = expect("the receipt", staff.call("GET", path), 200)
        if found["status"] == "complete":
            return found
        if time.monotonic() > deadline:
            effects = json.dumps(found["effects"])
            raise SmokeTestFailed(
                f"The write is not complete after {timeout_seconds:g} s: {effects}"
            )
        time.sleep(1)


def smoke(url: str, token: str, name: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
    """Create, read, follow and delete the product ``name``.

    Raise SmokeTestFailed at the first unexpected response, after an attempt to delete the product.
    """
    staff, path = Api(url, token), f"/products/{name}"
    try:
        check_write(staff, Api(url, ""), name, timeout_seconds)
    except SmokeTestFailed:
        with contextlib.suppress(SmokeTestFailed):  # report the first failure
            staff.call("DELETE", path)
        raise
    expect("the product is deleted", staff.call("DELETE", path, Prefer="wait=10"), 202, 204)


def check_write(staff: Api, public: Api, name: str, timeout_seconds: float) -> None:
    """Create the product, read it, and wait for its last effect."""
    path, price = f"/products/{name}", "1.00"
    product = {
        "productId": name,
        "name": name,
        "description": "Made by a smoke test.",
        "price": price,
        "active": False,
    }
    expect("the public list", public.call("GET", "/products?limit=1"), 200)
    expect("a write without a token is refused", public.call("POST", "/products", product), 401)
    created = staff.call("POST", "/products", product, Prefer="wait=10")
    expect("the product is created", created, 201, 202)
    read = expect("staff can read the product", staff.call("GET", path), 200)
    if read["price"] != price:
        raise SmokeTestFailed(f"The price is {read['price']} instead of {price}.")
    expect("customers can't see the product", public.call("GET", path), 404)
    receipt = wait_for_receipt(staff, f"{path}/changes/1", timeout_seconds)
    for effect, state in receipt["effects"].items():
        print(f"       {effect}: {state.get('at') or state['state']}")


def days_left(token: str, now: float) -> float | None:
    """Return the days until a token expires; None if it can't be read."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float((claims["exp"] - now) / 86_400)
    except (IndexError, KeyError, TypeError, ValueError):
        return None


if __name__ == "__main__":
    remaining = days_left(os.environ["SMOKE_TOKEN"], time.time())
    if remaining is not None and remaining < TOKEN_WARNING_DAYS:
        print(f"::warning::SMOKE_TOKEN expires in {remaining:.0f} days; issue a new one.")
    product_name = time.strftime("smoke-%Y%m%d-%H%M%S", time.gmtime())
    try:
        smoke(sys.argv[1].rstrip("/"), os.environ["SMOKE_TOKEN"], product_name)
    except SmokeTestFailed as failure:
        sys.exit(f"::error::{failure}")
