"""An HTTP client that survives cut connections, and the interpretation of the API's responses."""

import http.client
import json
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from tests.gameday.ledger import ClientResult, Ledger, Outcome

TIMEOUT_SECONDS = 12.0  # longer than the longest `Prefer: wait`
REFUSALS = {404, 409, 412}
UNEXPECTED = {400, 401, 403, 413, 415, 422, 429}
"""The clients send only valid requests, so these statuses show a mistake."""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes
    headers: Any

    @property
    def json(self) -> Any:
        with suppress(ValueError):
            return json.loads(self.body)
        return {}

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass
class HttpClient:
    """One client's connection and its cookies."""

    port: int
    name: str
    ledger: Ledger
    stopping: threading.Event
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    _connection: http.client.HTTPConnection | None = None

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Response | None:
        """Send a request and return the response, or None when there was none.

        The body is sent as JSON, or as a form when ``headers`` set another content type.
        """
        sent = dict(self.headers)
        for name, value in headers.items():
            sent[name.replace("_", "-")] = value
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            return self._exchange(method, path, _encode(body, sent), sent)
        except (OSError, http.client.HTTPException):
            self._hang_up()
            return None

    def _exchange(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> Response:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=TIMEOUT_SECONDS
            )
        self._connection.request(method, path, data, headers)
        raw = self._connection.getresponse()
        response = Response(raw.status, raw.read(), raw.headers)
        for line in raw.headers.get_all("Set-Cookie") or ():
            cookies = SimpleCookie(line)
            self.cookies |= {name: morsel.value for name, morsel in cookies.items()}
        if response.status >= 500 and response.status != 503:
            self.ledger.record_error(
                f"{method} {path} was answered {response.status}: {response.text[:200]}"
            )
        return response

    def _hang_up(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def recover(self) -> None:
        """Wait until the web server answers again, at most a minute."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not self.stopping.wait(0.3):
            response = self.call("GET", "/healthz")
            if response and response.status == 200:
                return


def _encode(body: Any, headers: dict[str, str]) -> bytes | None:
    if body is None:
        return None
    if headers.setdefault("Content-Type", "application/json") == "application/json":
        return json.dumps(body).encode()
    return urlencode(body, doseq=True).encode()


def result_of(response: Response | None, request_id: str) -> ClientResult:
    """Return what a response of the API to one write means."""
    if response is None or response.status >= 500:
        return ClientResult(
            request_id=request_id,
            outcome=Outcome.UNKNOWN,
            status=response.status if response else None,
        )
    if response.status >= 400:
        conflicts = {
            "fields": response.json.get("conflicts", {}),
            "version": response.json.get("version"),
        }
        return ClientResult(
            request_id=request_id,
            outcome=Outcome.REFUSED,
            status=response.status,
            conflicts=conflicts,
        )
    location, etag = response.headers.get("Location"), response.headers.get("ETag", "")
    if location:
        version = int(location.rpartition("/")[2])
        return ClientResult(
            request_id=request_id, outcome=Outcome.ACCEPTED, status=response.status, version=version
        )
    version_shown = re.search(r"[0-9]+", etag)
    number = int(version_shown[0]) if version_shown else None
    return ClientResult(
        request_id=request_id, outcome=Outcome.UNCHANGED, status=response.status, version=number
    )


def item_result(item: dict[str, Any], request_id: str) -> ClientResult:
    """Return what the response to one item of a batch means."""
    code, version = int(item["code"]), item.get("version")
    if code >= 500:
        return ClientResult(request_id=request_id, outcome=Outcome.UNKNOWN, status=code)
    if code >= 400:
        conflicts = {"fields": item.get("conflicts", {}), "version": version}
        return ClientResult(
            request_id=request_id, outcome=Outcome.REFUSED, status=code, conflicts=conflicts
        )
    outcome = Outcome.ACCEPTED if "changeId" in item else Outcome.UNCHANGED
    return ClientResult(request_id=request_id, outcome=outcome, status=code, version=version)
