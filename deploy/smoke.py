"""Write a product through the API of an environment and follow it to its last effect: ``python deploy/smoke.py URL``.

URL ends with ``/v1.0``. The token in ``SMOKE_TOKEN`` is one of a user who may view, add and delete products
(``manage.py issue_token smoke --days 90``). The product is created inactive, so no customer ever sees it, and deleted
at the end. Nothing but Python is needed.
"""

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

TIMEOUT_SECONDS = 60  # seconds; each effect is promised within ten
CALL_SECONDS = 29


class SmokeTestFailed(Exception):
    """A sentence that says what was expected and what came."""


@dataclass(frozen=True)
class Api:
    url: str
    token: str

    def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON; raises Failed when there is no answer."""
        sent = {"Content-Type": "application/json", **headers}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}{path}", data, sent, method=method)  # noqa: S310 # the caller's own address
        try:
            with urlopen(request, timeout=CALL_SECONDS) as answer:  # noqa: S310
                return answer.status, _json(answer.read())
        except HTTPError as refused:
            with refused:
                return refused.code, _json(refused.read())
        except (URLError, TimeoutError, http.client.HTTPException) as away:
            raise SmokeTestFailed(f"{method} {path} was not answered: {away}") from None


def _json(text: bytes) -> Any:
    try:
        return json.loads(text or b"null")
    except ValueError:
        return text.decode(errors="replace")[:200]


def expect(what: str, answer: tuple[int, Any], *statuses: int) -> Any:
    """The body of an answer that has one of these statuses."""
    status, body = answer
    if status not in statuses:
        raise SmokeTestFailed(
            f"{what}: {status} instead of {' or '.join(map(str, statuses))}: {body}"
        )
    print(f"  {status}  {what}")
    return body


def wait_for_receipt(staff: Api, address: str, timeout_seconds: float) -> dict[str, Any]:
    """The receipt of a write once it is complete."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        found: dict[str, Any] = expect("the receipt", staff.call("GET", address), 200)
        if found["status"] == "complete":
            return found
        if time.monotonic() > deadline:
            raise SmokeTestFailed(
                f"The write is not complete after {timeout_seconds:g} s: {json.dumps(found['effects'])}"
            )
        time.sleep(1)


def smoke(url: str, token: str, name: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
    """Create, read, follow and delete the product ``name``; Failed says where it went wrong."""
    staff, path = Api(url, token), f"/products/{name}"
    try:
        check_write(staff, Api(url, ""), name, timeout_seconds)
    except SmokeTestFailed:
        with contextlib.suppress(SmokeTestFailed):  # what went wrong first is what is told
            staff.call("DELETE", path)
        raise
    expect("it is deleted", staff.call("DELETE", path, Prefer="wait=10"), 202, 204)


def check_write(staff: Api, public: Api, name: str, timeout_seconds: float) -> None:
    """All but the deletion."""
    path, price = f"/products/{name}", "1.00"
    description = "Made by a smoke test."
    product = {
        "productId": name,
        "name": name,
        "description": description,
        "price": price,
        "active": False,
    }
    expect("the public list", public.call("GET", "/products?limit=1"), 200)
    expect("a write without a token is refused", public.call("POST", "/products", product), 401)
    expect(
        "the product is created",
        staff.call("POST", "/products", product, Prefer="wait=10"),
        201,
        202,
    )
    read = expect("staff read it back", staff.call("GET", path), 200)
    if read["price"] != price:
        raise SmokeTestFailed(f"It was read back with the price {read['price']}.")
    expect("customers do not see it", public.call("GET", path), 404)
    for effect, state in wait_for_receipt(staff, f"{path}/changes/1", timeout_seconds)[
        "effects"
    ].items():
        print(f"       {effect}: {state.get('at') or state['state']}")


if __name__ == "__main__":
    made = time.strftime("smoke-%Y%m%d-%H%M%S", time.gmtime())
    try:
        smoke(sys.argv[1].rstrip("/"), os.environ["SMOKE_TOKEN"], made)
    except SmokeTestFailed as failure:
        sys.exit(f"::error::{failure}")
