"""What the errors of OpenSearch mean: whether they pass, and what ends those that do not."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opensearchpy import OpenSearch, exceptions

from products.errors import DependencyNeedsOperator, DependencyUnavailable, EffectRefused

DEPENDENCY = "OpenSearch"
REFUSALS_OF_A_DOCUMENT = {
    "document_parsing_exception",
    "mapper_parsing_exception",
    "max_bytes_length_exceeded_exception",
}
"""The errors that name a document; it is refused again until the mapping or the product changes.

All others are about the index, the cluster or our rights: a write block, a closed or missing index,
a full queue. They pass, or an operator ends them.
"""
VERSION_CONFLICT = 409  # the index has this version or a later one


@dataclass(frozen=True, slots=True)
class State:
    """A state of the index or the cluster.

    An error has this state if ``error`` is its type and the pattern ``reason`` is found in its
    reason. ``passes`` says whether waiting can help.
    """

    name: str
    error: str
    reason: str
    sentence: str
    passes: bool = False


OUTDATED = "the search index lacks fields of this version; run rebuild_search_index"
REPLACED = State(
    "index replaced",
    "index_not_found_exception",
    r"no such index \[.+-\d+\]$",
    "a rebuild has just replaced the index; this passes",
    passes=True,
)
STATES = (
    REPLACED,
    State(
        "alias missing",
        "index_not_found_exception",
        "",
        "no index has the alias of the search; run rebuild_search_index",
    ),
    State(
        "alias missing",
        "",
        "missing",
        "no index has the alias of the search; run rebuild_search_index",
    ),
    State(
        "alias missing, its index present",
        "resource_already_exists_exception",
        "",
        "the search index exists without its alias; run rebuild_search_index",
    ),
    State(
        "alias on two indexes",
        "illegal_argument_exception",
        "no write index",
        "the alias of the search points to more than one index; run rebuild_search_index",
    ),
    State(
        "index with the alias's name",
        "invalid_alias_name_exception",
        "",
        "an index has the name of the alias; delete it, then run rebuild_search_index",
    ),
    State(
        "data stream with the alias's name",
        "illegal_state_exception",
        "names need to be unique",
        "a data stream has the name of the alias; delete it, then run rebuild_search_index",
    ),
    State(
        "index older than the product",
        "strict_dynamic_mapping_exception",
        "",
        OUTDATED,
    ),
    State(
        "index closed",
        "index_closed_exception",
        "",
        "the search index is closed; open it with POST /INDEX/_open",
    ),
    State(
        "all shards used",
        "validation_exception",
        "maximum shards open",
        "the cluster has no shard left; delete indexes that nobody uses (GET /_cat/indices)",
    ),
    State(
        "node starting",
        "cluster_block_exception",
        "state not recovered",
        "the node is starting; this passes",
        passes=True,
    ),
    State(
        "writes blocked",
        "cluster_block_exception",
        "",
        "writes are blocked, as when the storage is full; add storage, then lift the block",
        passes=True,
    ),
    State(
        "write queue full",
        "es_rejected_execution_exception",
        "",
        "the node is overloaded; this passes",
        passes=True,
    ),
    State(
        "memory short",
        "circuit_breaking_exception",
        "",
        "the node is short of memory; this passes, or it needs a larger instance",
        passes=True,
    ),
    State(
        "snapshot under way",
        "snapshot_in_progress_exception",
        "",
        "a snapshot is being taken; this passes",
        passes=True,
    ),
    State(
        "rights missing",
        "security_exception",
        "",
        "our role has no access; check the domain's access policy",
        passes=True,
    ),
)
"""The states that are known, with what an operator does. All other errors count as passing."""


def fault_of(error: Any, *, is_refused: bool = False) -> DependencyUnavailable | EffectRefused:
    """Return the fault that OpenSearch reports for an action or a request.

    ``is_refused`` says that it refused the request itself: an unknown reason does not pass then.
    """
    if not isinstance(error, dict):
        error = {"type": "", "reason": str(error)}
    causes = {error.get("type"), error.get("caused_by", {}).get("type")}
    if causes & REFUSALS_OF_A_DOCUMENT:
        return EffectRefused(f"OpenSearch refused the document: {error}")
    root_causes = error.get("root_cause") or [error]
    cause, reason = str(root_causes[0].get("type")), str(root_causes[0].get("reason"))
    state = _state_of(cause, reason)
    reasons = dict.fromkeys([cause, reason, _innermost_reason(error)])
    report = ": ".join(filter(None, reasons))
    passes = state.passes if state else not is_refused
    kind = DependencyUnavailable if passes else DependencyNeedsOperator
    sentence = f"{state.sentence} ({report})" if state else report
    return kind(DEPENDENCY, f"does not serve us: {sentence}")


def _innermost_reason(error: Any) -> str:
    while "caused_by" in error:
        error = error["caused_by"]
    return str(error.get("reason"))


def _state_of(error: str, reason: str) -> State | None:
    of_the_type = (state for state in STATES if state.error == error)
    return next((state for state in of_the_type if re.search(state.reason, reason)), None)


def is_replaced(result: dict[str, Any]) -> bool:
    """Whether a rebuild has deleted the index between the look at its alias and this action."""
    error = result.get("error", {})
    return _state_of(str(error.get("type")), str(error.get("reason"))) is REPLACED


def reject_name(client: OpenSearch, alias: str) -> None:
    """Raise DependencyNeedsOperator when an index or a data stream has the name of the alias."""
    with translate_errors():
        if client.indices.exists(index=alias) and not client.indices.exists_alias(name=alias):
            raise DependencyNeedsOperator(
                DEPENDENCY,
                f"has an index or a data stream named {alias}, which must be the name of the alias."
                f" If nobody needs it, delete it: DELETE /{alias}, or DELETE /_data_stream/{alias}."
                " Then run rebuild_search_index",
            )


def raise_for_status(result: dict[str, Any]) -> bool:
    """Whether the document is new: the index had neither this version nor a later one.

    Raises: DependencyUnavailable, or EffectRefused when OpenSearch refuses the document.
    """
    status = result["status"]
    if status == VERSION_CONFLICT:
        return False
    if status >= 400:
        raise fault_of(result["error"])
    return True


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise DependencyUnavailable for a failed request, or EffectRefused for a refused document."""
    try:
        yield
    except exceptions.ConnectionError as fault:
        raise DependencyUnavailable(DEPENDENCY) from fault
    except exceptions.TransportError as fault:
        info = fault.info if isinstance(fault.info, dict) else {}
        # Amazon's service answers a request that it does not pass on with a message alone.
        message = info.get("message") or info.get("Message") or fault.error
        is_refused = isinstance(fault, exceptions.RequestError)
        raise fault_of(info.get("error", message), is_refused=is_refused) from fault
