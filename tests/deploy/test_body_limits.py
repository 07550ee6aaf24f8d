"""The limits of size and time of a request's body, without a server."""

import asyncio
from collections.abc import MutableMapping, Sequence
from typing import Any

import pytest

from bbws_products import request_bodies
from bbws_products.request_bodies import (
    MAX_BYTES,
    SMALL_BYTES,
    Arriving,
    BodyRefused,
    Budget,
    Environ,
    Reservation,
    read_body,
)

API_WRITE = {"PATH_INFO": "/v1.0/products", "HTTP_AUTHORIZATION": "Bearer x"}
LOGIN = {"PATH_INFO": "/admin/login/"}


class Client:
    """A client that sends these parts, and then closes, ends or stays silent."""

    def __init__(self, parts: Sequence[bytes], then: str = "ends") -> None:
        self.messages: list[MutableMapping[str, Any]] = [
            {"type": "http.request", "body": part, "more_body": True} for part in parts
        ]
        if then == "ends":
            self.messages.append({"type": "http.request"})
        elif then == "closes":
            self.messages.append({"type": "http.disconnect"})

    async def receive(self) -> MutableMapping[str, Any]:
        if not self.messages:
            await asyncio.Event().wait()  # for ever
        return self.messages.pop(0)


def read(
    client: Client, environ: Environ, *, may_write: bool = True, budget: Budget | None = None
) -> bytes | None:
    async def answer(_: Environ) -> bool:
        return may_write

    async def run() -> bytes | None:
        with Reservation(budget or Budget()) as reservation:
            return await read_body(environ, Arriving(client.receive), answer, reservation)

    return asyncio.run(run())


def refusal(client: Client, environ: Environ, **options: Any) -> int:
    with pytest.raises(BodyRefused) as refused:
        read(client, environ, **options)
    return refused.value.status


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_bodies, "BASE_SECONDS", 0.01)
    monkeypatch.setattr(request_bodies, "MIN_BYTES_PER_SECOND", 10**9)


@pytest.mark.parametrize("environ", [API_WRITE, LOGIN])
def test_silent_client_is_refused_after_the_deadline(environ: Environ, impatient: None) -> None:
    client = Client([b"half"], then="is silent")
    assert refusal(client, environ | {"CONTENT_LENGTH": "10"}) == 408


def test_dripping_client_is_refused_after_the_deadline(impatient: None) -> None:
    large = {**API_WRITE, "CONTENT_LENGTH": str(SMALL_BYTES + 1)}
    assert refusal(Client([b"x"] * 9, then="is silent"), large) == 408


def test_closed_connection_is_no_end_of_a_body() -> None:
    chunked = {**API_WRITE, "HTTP_TRANSFER_ENCODING": "chunked"}
    assert refusal(Client([b"{}"], then="closes"), chunked) == 400


def test_anonymous_body_of_an_api_call_is_not_read() -> None:
    client = Client([b"x" * 10])
    assert read(client, {"PATH_INFO": "/v1.0/products", "CONTENT_LENGTH": "10"}) is None
    assert len(client.messages) == 2


def test_large_body_needs_a_permission_before_it_is_read() -> None:
    large = {"PATH_INFO": "/admin/", "CONTENT_LENGTH": str(SMALL_BYTES + 1)}
    session = {"HTTP_COOKIE": "sessionid=x"}
    part = b"x" * (SMALL_BYTES + 1)
    assert refusal(Client([part]), large) == 413
    assert refusal(Client([part]), large | session, may_write=False) == 413
    assert read(Client([part]), large | session) == part


def test_chunked_body_is_bounded() -> None:
    chunked = {**API_WRITE, "HTTP_TRANSFER_ENCODING": "chunked"}
    part = b"x" * 1_000_000
    assert refusal(Client([part] * 20, then="is silent"), chunked) == 413
    assert read(Client([part] * 2), chunked) == part * 2


def test_large_bodies_share_a_budget() -> None:
    budget = Budget(MAX_BYTES - 1)
    chunked = {**API_WRITE, "HTTP_TRANSFER_ENCODING": "chunked"}
    assert refusal(Client([b"x" * 1_000_000]), chunked, budget=budget) == 503
    assert read(Client([b"{}"]), chunked, budget=budget) == b"{}"
    assert budget.left == MAX_BYTES - 1
