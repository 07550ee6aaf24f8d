"""The documents agree with the code: links, paths, commands, settings, decisions, and style."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands

from deploy.local.engines import ROOT
from tests.support import plain_english

MAX_README_LINES = 100
MAX_COLUMNS = 100
SKIPPED = {"node_modules", "__pycache__"}
ROOMS = ("bbws_products", "products", "tasks", "templates", "deploy", "tests", "docs", ".github")
READERS = {"required", "flag", "number", "words"}
"""The functions of ``bbws_products/settings/environment.py`` that read a variable."""


def documents() -> list[Path]:
    """Return the repository's Markdown files, without those of virtual environments."""
    found = [ROOT / "README.md", ROOT / "ARCHITECTURE.md"]
    for room in ROOMS:
        found += [p for p in (ROOT / room).rglob("*.md") if not SKIPPED & set(p.parts)]
    return sorted(found)


DOCUMENTS = documents()
each_document = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def without_code_blocks(text: str) -> str:
    """Return the text with its code blocks emptied, so that line numbers stay."""
    return re.sub(
        r"^ *```.*?^ *```", lambda block: "\n" * block.group().count("\n"), text, flags=re.M | re.S
    )


def anchors(text: str) -> set[str]:
    """Return the anchor of each heading, as GitHub makes it; a repeated one gets a number."""
    seen: dict[str, int] = {}
    found = set()
    for heading in re.findall(r"^#+ (.+)$", without_code_blocks(text), re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", shown).strip().lower().replace(" ", "-")
        number = seen.get(anchor, 0)
        seen[anchor] = number + 1
        found.add(f"{anchor}-{number}" if number else anchor)
    return found


def broken_links(path: Path, text: str) -> list[str]:
    """Return the relative links of a document that lead to no file or no heading."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code_blocks(text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = (path.parent / name).resolve()
        if (name and not (linked.exists() and linked.is_relative_to(ROOT))) or (
            anchor and anchor not in anchors(linked.read_text() if name else text)
        ):
            broken.append(target)
    return broken


def long_lines(text: str) -> list[str]:
    """Return lines that are too long; a table, a code block and a link may be wider."""
    lines = without_code_blocks(text).splitlines()
    return [
        line
        for line in lines
        if len(line) > MAX_COLUMNS
        and not line.lstrip().startswith("|")
        and not re.search(r"\]\([^)]+\)|https?://", line)
    ]


def missing_paths(text: str) -> list[str]:
    """Return paths in backticks that begin with a folder of the repository and do not exist."""
    missing = []
    for code in re.findall(r"`([^`\n]+)`", without_code_blocks(text)):
        path = code.partition("#")[0].strip()
        if re.fullmatch(r"[\w.*/-]+", path) and path.startswith(tuple(f"{r}/" for r in ROOMS)):
            found = any(ROOT.glob(path)) if "*" in path else (ROOT / path).exists()
            if not found:
                missing.append(code)
    return missing


def variables_read(source: str) -> Iterator[str]:
    """Yield the names of the environment variables that a module reads."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            yield from _literal(node.slice)
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func)
            if called in READERS | {"os.environ.get", "os.getenv", "os.environ.setdefault"}:
                yield from _literal(node.args[0])


def _literal(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def own_commands() -> list[str]:
    return sorted(path.stem for path in ROOT.glob("*/management/commands/[a-z]*.py"))


def make_targets() -> list[str]:
    text = (ROOT / "Makefile").read_text()
    return re.findall(r"^([a-z-]+):.*##", text, re.MULTILINE)


# The checks themselves


def test_checks_of_documents_find_each_kind_of_fault() -> None:
    page = ROOT / "docs" / "page.md"
    assert broken_links(page, "[a](design.md) [b](https://x.example) [c](#d)\n# D\n") == []
    assert broken_links(page, "[a](nothing.md)") == ["nothing.md"]
    assert broken_links(page, "[a](design.md#nothing)") == ["design.md#nothing"]
    assert broken_links(page, "[a](#b)\n```\n# b\n```\n") == ["#b"]
    assert anchors("# What it's for\n## Same\n## Same\n") == {"what-its-for", "same", "same-1"}
    assert long_lines("x" * 101) == ["x" * 101]
    assert long_lines(f"| {'x' * 101} |\n```\n{'y' * 101}\n```\n[a](b) {'z' * 101}\n") == []
    assert missing_paths("`products/nothing.py` `products/product.py` `tests/*/test_lists.py`") == [
        "products/nothing.py"
    ]
    source = 'required("A", ""); os.environ["B"]; os.environ.get("C"); number("D", 1); words(E)'
    assert set(variables_read(source)) == {"A", "B", "C", "D"}


@pytest.mark.needs("git")
def test_every_tracked_document_is_checked() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    tracked = {ROOT / name for name in listed.stdout.split() if (ROOT / name).exists()}
    assert tracked <= set(DOCUMENTS)


# Every document


@each_document
def test_document_has_no_broken_link(path: Path) -> None:
    assert broken_links(path, path.read_text()) == []


@each_document
def test_document_has_no_long_line(path: Path) -> None:
    assert long_lines(path.read_text()) == []


@each_document
def test_document_names_only_paths_that_exist(path: Path) -> None:
    assert missing_paths(path.read_text()) == []


@each_document
def test_document_is_plain_english(path: Path) -> None:
    assert list(plain_english.findings(path)) == []


@each_document
def test_document_cites_no_design_section(path: Path) -> None:
    assert "DESIGN §" not in path.read_text()


# The README


def test_readme_fits_one_screen() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= MAX_README_LINES


def test_readme_names_a_test_for_each_promise() -> None:
    text = (ROOT / "README.md").read_text()
    table = text.partition("\n## What it promises\n")[2].partition("\n\n`make gameday`")[0]
    promises = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(promises) == 5
    for promise in promises:
        named = re.findall(r"`(tests/[^`]+)`", promise)
        assert named, promise
        for name in named:
            assert re.search(r"^def test_", (ROOT / name).read_text(), re.MULTILINE), name


# Commands and settings


def test_commands_page_lists_every_management_command() -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    assert own_commands()
    assert [name for name in own_commands() if not re.search(rf"`{name}\b", page)] == []


def test_commands_page_lists_every_make_target() -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    assert make_targets()
    assert [name for name in make_targets() if f"`make {name}`" not in page] == []


@each_document
def test_document_names_only_commands_that_exist(path: Path) -> None:
    text = path.read_text()
    named = set(re.findall(r"manage\.py ([a-z_]+)", text))
    if path.parent.name != "decisions":  # a decision may name what it removed
        assert named - set(get_commands()) == set()
    targets = set(re.findall(r"`make ([a-z-]+)", text))
    assert targets - set(make_targets()) == set()


def test_settings_page_lists_every_variable() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    modules = (ROOT / "bbws_products" / "settings").glob("*.py")
    read = {name for module in modules for name in variables_read(module.read_text())}
    assert {"ENVIRONMENT", "TOKEN_KEYS", "SECRETS_SSM_PREFIX", "MEDIA_BUCKET"} <= read
    assert sorted(name for name in read if f"| `{name}` |" not in page) == []


# Decisions


def test_decision_index_lists_every_page_once() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    pages = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert pages
    assert [name for name in pages if index.count(f"({name})") != 1] == []
    for name in pages:
        text = (folder / name).read_text()
        title, date = re.findall(r"\A# \d{4}\. (.+)\n\nDate: (\d{4}-\d\d-\d\d)\n", text)[0]
        assert f"| [{name[:4]} {title}]({name}) | {date} |" in index


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")), ids=lambda path: path.stem
)
def test_decision_has_context_decision_and_consequence(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequence"]
    assert text.startswith(f"# {path.stem[:4]}. ")
