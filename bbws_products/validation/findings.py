"""The findings of ``validate_deployment``, and the calls to AWS behind them."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

LIMITS = Config(
    connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"}
)
FORBIDDEN_CODES = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
    "Forbidden",
    "403",
}
UNSUPPORTED_CODES = {
    "InvalidAction",
    "NotImplemented",
    "NotImplementedException",
    "UnknownOperationException",
    "UnsupportedOperation",
}
"""Error codes of an emulator that does not implement a call."""


class State(StrEnum):
    OK = "ok"
    DIFFERS = "differs"
    MISSING = "missing"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: what about which subject, its state, and an explanation.

    ``hardening`` marks a protection that only a service on a network needs.
    """

    subject: str
    what: str
    state: State
    sentence: str
    hardening: bool = False


def ok(subject: str, what: str, sentence: str) -> Finding:
    return Finding(subject, what, State.OK, sentence)


def differs(subject: str, what: str, sentence: str, *, hardening: bool = False) -> Finding:
    return Finding(subject, what, State.DIFFERS, sentence, hardening)


def missing(subject: str, what: str, sentence: str, *, hardening: bool = False) -> Finding:
    return Finding(subject, what, State.MISSING, sentence, hardening)


def not_checked(subject: str, what: str, sentence: str) -> Finding:
    return Finding(subject, what, State.NOT_CHECKED, sentence)


def compared(
    subject: str, what: str, found: Any, expected: Any, *, hardening: bool = False
) -> Finding:
    """Return whether a value equals the expected one."""
    if found == expected:
        return ok(subject, what, f"It is {_shown(expected)}.")
    sentence = f"It is {_shown(found)}; expected {_shown(expected)}."
    return differs(subject, what, sentence, hardening=hardening)


def condition(
    subject: str, what: str, is_met: object, if_met: str, if_not: str, *, hardening: bool = False
) -> Finding:
    """Return whether a condition is met, with a sentence for each case."""
    if is_met:
        return ok(subject, what, if_met)
    return differs(subject, what, if_not, hardening=hardening)


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "not set"
    return value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)


@dataclass(frozen=True, slots=True)
class CallResult:
    """The response to an AWS call, or the error code and message of a failed one."""

    content: dict[str, Any]
    code: str = ""
    message: str = ""

    def failure(
        self, subject: str, what: str, *, absent: Iterable[str] = (), hardening: bool = False
    ) -> Finding | None:
        """Return the finding for a failed call, or None if it succeeded.

        ``absent`` are the error codes which mean that the thing does not exist.
        """
        if not self.code:
            return None
        if self.code in absent:
            return missing(subject, what, "Not found.", hardening=hardening)
        if self.code in FORBIDDEN_CODES:
            return not_checked(subject, what, f"Access denied: {self.code}.")
        if self.code in UNSUPPORTED_CODES:
            return not_checked(subject, what, f"Not supported by this endpoint: {self.code}.")
        return missing(subject, what, f"The call failed: {self.message}")


def call_aws(call: Callable[..., Any], **arguments: Any) -> CallResult:
    """Make a read-only call; it ends within about 14 seconds."""
    try:
        return CallResult(dict(call(**arguments)))
    except ClientError as refusal:
        error = refusal.response.get("Error", {})
        code = str(error.get("Code", "")) or "Unknown"
        return CallResult({}, code, f"{code}: {error.get('Message', '')}"[:200])
    except BotoCoreError as fault:
        return CallResult({}, type(fault).__name__, f"{type(fault).__name__}: {fault}"[:200])


@cache
def aws_client(service: str) -> Any:
    """Return a client whose limits are longer than the application's, but still bounded.

    A person can wait a few seconds, but an unavailable service must not block the other checks.
    """
    session: Any = boto3.session.Session()
    return session.client(service, config=LIMITS)


def relaxed_for_local(finding: Finding) -> Finding:
    """Return the finding for an installation on one machine, where hardening is optional."""
    if not finding.hardening or finding.state not in (State.DIFFERS, State.MISSING):
        return finding
    sentence = f"{finding.sentence} Optional on one machine."
    return replace(finding, state=State.NOT_CHECKED, sentence=sentence)
