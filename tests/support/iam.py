"""IAM's decision about a call, for identity policies with the conditions that ours use."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """An action on a resource, with the values of condition keys."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def statements(*documents: str | Mapping[str, Any]) -> list[Statement]:
    """Return the statements of policies, given as JSON or parsed."""
    parsed = (json.loads(x) if isinstance(x, str) else x for x in documents)
    return [statement for document in parsed for statement in document["Statement"]]


def is_allowed(call: Call, policies: Iterable[Statement]) -> bool:
    """Return whether a statement allows the call and none denies it."""
    effects = {statement["Effect"] for statement in policies if applies(statement, call)}
    return effects == {"Allow"}


def applies(statement: Statement, call: Call) -> bool:
    """Return whether a statement is about this call."""
    return (
        any(
            _matches(pattern, call.action, ignore_case=True)
            for pattern in _list(statement["Action"])
        )
        and any(_matches(pattern, call.resource) for pattern in _list(statement["Resource"]))
        and all(
            _condition(operator, key, expected, call.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, expected in keys.items()
        )
    )


def _condition(operator: str, key: str, expected: Any, context: Mapping[str, str]) -> bool:
    value = context.get(key)
    if operator == "Null":
        return (value is None) is (expected == "true")
    if value is None:
        return operator.endswith("IfExists")
    patterns = _list(expected)
    if operator.startswith(("StringLike", "ArnLike")):
        return any(_matches(pattern, value) for pattern in patterns)
    if operator.startswith("StringEquals"):
        return value in patterns
    raise NotImplementedError(operator)


def _matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    regex = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return bool(re.fullmatch(regex, text, re.IGNORECASE if ignore_case else 0))


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
