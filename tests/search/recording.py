"""Records what the product sends to OpenSearch, and finds every call that may send something."""

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from opensearchpy import OpenSearch, Transport

from deploy.local.engines import ROOT

PACKAGES = ("products", "bbws_products", "tasks", "deploy")
NOT_SENT = {"ignore", "request_timeout"}  # parameters for the client itself


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call of an OpenSearch client's method in the product: one kind of request."""

    path: str
    function: str
    method: str
    first_line: int
    last_line: int

    def __str__(self) -> str:
        return f"{self.path}: {self.function} calls {self.method}"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request, with the call that sent it; None for a request of a test's own."""

    site: CallSite | None
    method: str
    path: str
    params: dict[str, Any]
    body: Any

    def send(self, client: OpenSearch) -> tuple[int, Any]:
        """Send the request; return the status and the body of the response."""
        connection = client.transport.get_connection()
        body = client.transport.serializer.dumps(self.body) if self.body is not None else None
        encoded = body.encode() if body else None
        ignored = tuple(range(400, 600))
        status, _, text = connection.perform_request(
            self.method, self.path, self.params, encoded, ignore=ignored
        )
        return status, client.transport.serializer.loads(text) if text else None


@cache
def call_sites() -> frozenset[CallSite]:
    """Return every call in the product that sends a request to OpenSearch."""
    sources = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return frozenset(site for source in sources for site in _sites_in(source))


def _sites_in(source: Path) -> Iterator[CallSite]:
    text = source.read_text()
    if "opensearchpy" not in text:
        return
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and (method := _client_method(call.func)):
                    path = str(source.relative_to(ROOT))
                    end = call.end_lineno or call.lineno
                    yield CallSite(path, function.name, method, call.lineno, end)


def _client_method(function: ast.expr) -> str:
    """Return what follows ``client`` in ``self.client.indices.create``; "" for other calls."""
    names: list[str] = []
    while isinstance(function, ast.Attribute):
        names.insert(0, function.attr)
        function = function.value
    if isinstance(function, ast.Name):
        names.insert(0, function.id)
    if "client" not in names[:-1] or "boto3" in names:
        return ""
    return ".".join(names[names.index("client") + 1 :])


def _site_of(frame: FrameType | None) -> CallSite | None:
    """Return the call of the product that the frame or one of its callers carries out."""
    functions: set[str] = set()
    while frame:
        path = Path(frame.f_code.co_filename)
        if any(path.is_relative_to(ROOT / package) for package in PACKAGES):
            return next(
                (
                    site
                    for site in call_sites()
                    if ROOT / site.path == path
                    and site.first_line <= frame.f_lineno <= site.last_line
                    and site.method.rpartition(".")[2] in functions
                ),
                None,
            )
        functions.add(frame.f_code.co_name)
        frame = frame.f_back
    return None


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


@contextmanager
def recorded_requests() -> Iterator[list[Recorded]]:
    """Yield a list that receives each request that any client sends in the block."""
    recorded: list[Recorded] = []
    send = Transport.perform_request

    def record_and_send(
        transport: Transport,
        method: str,
        url: str,
        params: Any = None,
        body: Any = None,
        **options: Any,
    ) -> Any:
        kept = {
            name: _text(value) for name, value in (params or {}).items() if name not in NOT_SENT
        }
        recorded.append(Recorded(_site_of(sys._getframe(1)), method, url, kept, _text(body)))
        return send(transport, method, url, params=params, body=body, **options)

    Transport.perform_request = record_and_send  # type: ignore[method-assign, assignment]
    try:
        yield recorded
    finally:
        Transport.perform_request = send  # type: ignore[method-assign]
