"""Costly requests of anybody have threads of their own, so that others need not wait for them."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bbws_products.asgi import environ_of
from bbws_products.request_threads import RequestThreads, is_costly_for_anybody
from tests.support.builders import fields
from tests.support.processes import Deployment
from tests.support.url_table import ANYONE, TABLE

CHEAP = {"/", "/healthz", "/v1.0/products/p2"}
"""What needs no login and little work: a redirect, no thread at all, and one read."""
SEARCHES = 12


def open_addresses() -> list[tuple[str, str]]:
    found = [
        (method, row.address.partition("?")[0])
        for row in TABLE.values()
        for method, needed in row.needs.items()
        if needed == ANYONE and method in ("GET", "POST")
    ]
    return sorted((method, path) for method, path in found if path not in CHEAP)


@pytest.mark.parametrize(("method", "path"), open_addresses())
def test_each_open_address_is_costly_or_known_to_be_cheap(method: str, path: str) -> None:
    assert is_costly_for_anybody({"REQUEST_METHOD": method, "PATH_INFO": path})


@pytest.mark.parametrize("path", ["/v1.0/products/p1", "/admin/", "/v1.0/plans", "/healthz"])
def test_other_addresses_have_the_other_threads(path: str) -> None:
    assert not is_costly_for_anybody({"REQUEST_METHOD": "GET", "PATH_INFO": path})
    assert not is_costly_for_anybody({"REQUEST_METHOD": "POST", "PATH_INFO": "/v1.0/products"})


def test_list_with_a_token_has_the_other_threads() -> None:
    of_list = {"REQUEST_METHOD": "GET", "PATH_INFO": "/v1.0/products"}
    assert not is_costly_for_anybody(of_list | {"HTTP_AUTHORIZATION": "Bearer x"})
    assert is_costly_for_anybody(of_list | {"HTTP_AUTHORIZATION": "Basic x"})
    search = of_list | {"QUERY_STRING": "q=x", "HTTP_AUTHORIZATION": "Bearer x"}
    assert is_costly_for_anybody(search)


@pytest.mark.parametrize(
    ("path", "query", "threads"),
    [
        ("/v1.0/products", "", "reads"),
        ("/v1.0/products", "limit=5&sortBy=price", "reads"),
        ("/v1.0/schema", "", "reads"),
        ("/v1.0/docs", "q=hosting", "reads"),
        ("/v1.0/products", "q=hosting", "searches"),
        ("/v1.0/products", "limit=5&%71=hosting", "searches"),
        ("/readyz", "", "searches"),
        ("/admin/login/second-step/", "", "logins"),
        ("/v1.0/products/p1", "q=hosting", "others"),
    ],
)
def test_each_kind_has_threads_of_its_own(path: str, query: str, threads: str) -> None:
    pools = RequestThreads(8)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query}
    assert pools.for_request(environ) is getattr(pools, threads)


@pytest.mark.parametrize("method", ["GET", "get", "hEAD"])
def test_method_in_small_letters_is_the_same_request(method: str) -> None:
    scope = {
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 9),
        "method": method,
        "raw_path": b"/v1.0/products",
        "query_string": b"",
        "http_version": "1.1",
        "scheme": "http",
        "headers": [],
    }
    assert is_costly_for_anybody(environ_of(scope))


def test_hanging_searches_leave_threads_for_a_product(deployment: Deployment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        deployment.start_web(
            WEB_THREADS="4", HOT_ANSWER_SECONDS="0", OPENSEARCH_URL=f"http://127.0.0.1:{port}"
        )
        assert deployment.call("POST", "/v1.0/products", fields(productId="p1"))[0] == 202

        def search(number: int) -> tuple[int, float]:
            status = deployment.call("GET", f"/v1.0/products?q=hosting{number}")[0]
            return status, time.monotonic()

        with ThreadPoolExecutor(SEARCHES) as callers:
            searching = [callers.submit(search, number) for number in range(SEARCHES)]
            asked, _ = silent.accept()
            read = deployment.call("GET", "/v1.0/products/p1")[0]
            ended = time.monotonic()
            searches = [future.result() for future in searching]
        asked.close()
        assert read == 200
        assert {status for status, _ in searches} == {200}
        assert all(ended < end for _, end in searches), "the read waited for a search"
