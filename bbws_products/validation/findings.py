"""What was looked at, and whether it is as it should be. Whoever asks AWS for something asks by ``asked``."""

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
FORBIDDEN = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
    "Forbidden",
    "403",
}
LACKING = {
    "InvalidAction",
    "NotImplemented",
    "NotImplementedException",
    "UnknownOperationException",
    "UnsupportedOperation",
}
"""What an engine answers that does not have this part of AWS."""


class State(StrEnum):
    OK = "ok"
    DIFFERS = "differs"
    MISSING = "missing"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """``hardening`` is what protects a service that others can reach; one machine by itself may do without it."""

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
    """Whether something is what it must be."""
    if found == expected:
        return ok(subject, what, f"It is {_shown(expected)}.")
    return differs(
        subject,
        what,
        f"It is {_shown(found)}, and must be {_shown(expected)}.",
        hardening=hardening,
    )


def condition(
    subject: str, what: str, is_so: object, so: str, otherwise: str, *, hardening: bool = False
) -> Finding:
    """Whether a fact holds, with a sentence for either case."""
    return (
        ok(subject, what, so) if is_so else differs(subject, what, otherwise, hardening=hardening)
    )


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "not set"
    return value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)


@dataclass(frozen=True, slots=True)
class CallResult:
    """What AWS answered, or why it did not: an error code with a sentence."""

    content: dict[str, Any]
    code: str = ""
    sentence: str = ""

    def failure(
        self, subject: str, what: str, *, absent: Iterable[str] = (), hardening: bool = False
    ) -> Finding | None:
        """The finding where there is no answer; ``absent`` are the codes that say that it is not there."""
        if not self.code:
            return None
        if self.code in absent:
            return missing(subject, what, "There is none.", hardening=hardening)
        if self.code in FORBIDDEN:
            return not_checked(subject, what, f"We may not look: {self.code}.")
        if self.code in LACKING:
            return not_checked(subject, what, f"This engine can't tell: {self.code}.")
        return missing(subject, what, f"It can't be asked: {self.sentence}")


def call_aws(call: Callable[..., Any], **arguments: Any) -> CallResult:
    """One call that changes nothing; it ends within about 14 seconds."""
    try:
        return CallResult(dict(call(**arguments)))
    except ClientError as refusal:
        error = refusal.response.get("Error", {})
        code = str(error.get("Code", "")) or "Unknown"
        return CallResult({}, code, f"{code}: {error.get('Message', '')}"[:200])
    except BotoCoreError as fault:
        return CallResult({}, type(fault).__name__, f"{type(fault).__name__}: {fault}"[:200])


@cache
def aws_client(service: str, region: str | None = None) -> Any:
    """A client with limits of its own. Its user must be able to wait, and a dead engine must not hold up the rest."""
    session: Any = boto3.session.Session(region_name=region)
    return session.client(service, config=LIMITS)


def relaxed_for_local(finding: Finding) -> Finding:
    """On one machine, what is missing of the hardening is no difference."""
    if not finding.hardening or finding.state not in (State.DIFFERS, State.MISSING):
        return finding
    return replace(
        finding,
        state=State.NOT_CHECKED,
        sentence=f"{finding.sentence} One machine may do without it.",
    )
