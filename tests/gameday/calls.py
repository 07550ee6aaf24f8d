"""A client's connection to the web server, which may be cut at any time, and what an answer means."""

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

from tests.gameday.ledger import Ledger, Outcome, Told

PATIENCE = 12.0  # seconds a client waits for an answer; more than `Prefer: wait` may take
REFUSALS = {404, 409, 412}
UNEXPECTED = {400, 401, 403, 413, 415, 422, 429}
"""Clients here only ask for what is legal, so these would be mistakes - theirs, or ours."""


@dataclass(frozen=True, slots=True)
class Answer:
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
class Caller:
    """One client's connection; its cookies are kept."""

    port: int
    name: str
    ledger: Ledger
    stopping: threading.Event
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    _connection: http.client.HTTPConnection | None = None

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer | None:
        """The answer, or None when there was none; a ``dict`` with a content type of its own is sent as a form."""
        self.calls += 1
        sent = {
            **self.headers,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            return self._exchanged(method, path, _encoded(body, sent), sent)
        except (OSError, http.client.HTTPException):
            self._hang_up()
            return None

    def _exchanged(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> Answer:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self._connection.request(method, path, data, headers)
        response = self._connection.getresponse()
        answer = Answer(response.status, response.read(), response.headers)
        for line in response.headers.get_all("Set-Cookie") or ():
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        if answer.status >= 500 and answer.status != 503:
            self.ledger.complain(
                f"{method} {path} was answered {answer.status}: {answer.text[:200]}"
            )
        return answer

    def _hang_up(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def recover(self) -> None:
        """Until the web server answers again; a minute at most, since it is started again by somebody else."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not self.stopping.wait(0.3):
            answer = self.call("GET", "/healthz")
            if answer and answer.status == 200:
                return


def _encoded(body: Any, headers: dict[str, str]) -> bytes | None:
    if body is None:
        return None
    if headers.setdefault("Content-Type", "application/json") == "application/json":
        return json.dumps(body).encode()
    return urlencode(body, doseq=True).encode()


def told_of(answer: Answer | None, request_id: str) -> Told:
    """What an answer of the API to one write means."""
    if answer is None or answer.status >= 500:
        return Told(
            request_id=request_id, outcome=Outcome.UNKNOWN, status=answer.status if answer else None
        )
    if answer.status >= 400:
        conflicts = {
            "fields": answer.json.get("conflicts", {}),
            "version": answer.json.get("version"),
        }
        return Told(
            request_id=request_id,
            outcome=Outcome.REFUSED,
            status=answer.status,
            conflicts=conflicts,
        )
    location, etag = answer.headers.get("Location"), answer.headers.get("ETag", "")
    if location:
        version = int(location.rpartition("/")[2])
        return Told(
            request_id=request_id, outcome=Outcome.ACCEPTED, status=answer.status, version=version
        )
    version_shown = re.search(r"[0-9]+", etag)
    number = int(version_shown[0]) if version_shown else None
    return Told(
        request_id=request_id, outcome=Outcome.UNCHANGED, status=answer.status, version=number
    )


def told_of_item(item: dict[str, Any], request_id: str) -> Told:
    """The same for one item of a batch."""
    code, version = int(item["code"]), item.get("version")
    if code >= 500:
        return Told(request_id=request_id, outcome=Outcome.UNKNOWN, status=code)
    if code >= 400:
        conflicts = {"fields": item.get("conflicts", {}), "version": version}
        return Told(
            request_id=request_id, outcome=Outcome.REFUSED, status=code, conflicts=conflicts
        )
    outcome = Outcome.ACCEPTED if "changeId" in item else Outcome.UNCHANGED
    return Told(request_id=request_id, outcome=outcome, status=code, version=version)
