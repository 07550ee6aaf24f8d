"""What a check found, and the clients that checks use."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Client = Callable[..., Any]
"""Returns a boto3 client, by service and region."""


@dataclass(frozen=True)
class Result:
    """What a check found. ``advice`` says what to do; it is empty if all is well.

    A warning does not stop a deployment.
    """

    subject: str
    found: str
    advice: str = ""
    is_warning: bool = False

    @property
    def is_failure(self) -> bool:
        return bool(self.advice) and not self.is_warning
