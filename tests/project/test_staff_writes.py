"""The admin writes through ``StaffWrites`` only, so no write is forgotten by the next list."""

import ast
from collections.abc import Iterator

import pytest

from deploy.local.engines import ROOT
from products.acceptance import Acceptance

WRITING = {
    "acceptance": {name for name in vars(Acceptance) if not name.startswith("_")},
    "jobs": {"plan", "start", "cancel", "undo", "work"},
    "operations": {"retry", "retry_cause", "discard", "record_action"},
    "redrive": {"move_back"},
    "plans": {"create", "change", "end_now", "cancel", "undo"},
    "switching": {"step", "announce"},
}
"""By the function that returns the use cases: those that write, or act for a user."""
WIRING = {"products.bootstrap", "products.maintenance", "products.scheduling"}
MODULES = sorted((ROOT / "products" / "admin").rglob("*.py"))


def writing_calls(source: str) -> Iterator[str]:
    """Yield each use of a writing use case, and of use cases in any other way than by a call."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    wired = WRITING.keys() & {
        alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module in WIRING
        for alias in node.names
    }
    methods_used = {id(node.value): node.attr for node in nodes if isinstance(node, ast.Attribute)}
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    methods_by_name = {id(call.func): methods_used.get(id(call), "") for call in calls}
    for node in nodes:
        if not isinstance(node, ast.Name) or node.id not in wired:
            continue
        method = methods_by_name.get(id(node), "")
        if not method or method in WRITING[node.id]:
            yield f"{node.id} {method}"


def test_only_staff_writes_calls_a_writing_use_case() -> None:
    found = {path.name: list(writing_calls(path.read_text())) for path in MODULES}
    assert found.pop("staff_writes.py") != []
    assert {name: calls for name, calls in found.items() if calls} == {}


@pytest.mark.parametrize(
    "source",
    [
        "acceptance().update('p1', edits, origin)",
        "write_each(products, acceptance().deactivate)",
        "jobs().start(job_id)",
        "known = acceptance()",
        "known = acceptance",
        "redrive().move_back('change')",
    ],
)
def test_each_way_around_staff_writes_is_found(source: str) -> None:
    imports = "from products.bootstrap import acceptance, jobs, redrive\n"
    assert len(list(writing_calls(imports + source))) == 1
    assert list(writing_calls(f"{imports}jobs().job(job_id)")) == []
