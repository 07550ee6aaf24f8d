"""Find prose that breaks the rules of plain English: banned words and sentences of over 30 words.

``python -m tests.support.plain_english PATH ...`` lists the findings, one a line.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

MAX_WORDS = 30  # in one sentence
MAX_COLUMNS = 100
MAX_TEST_NAME = 70
BANNED = re.compile(
    r"\b(anew|lest|whoever|whomever|whatever|hereby|beside|standing|stands|mend(s|ed|ing)?|told"
    r"|tells?|telling|rung|rang|owed|leaf|away|for good|by itself|at once|the other way round"
    r"|as it must be)\b",
    re.IGNORECASE,
)
SUFFIXES = {".py", ".md", ".html", ".js", ".css", ".tf", ".sh", ".yml"}
SKIPPED = {"node_modules", "migrations", "__pycache__"}
SENTENCE_END = re.compile(r"(?<=[.!?])[)\"'`*]*\s+|\n\s*\n|\n\s*[-*|]\s")


def findings(path: Path) -> Iterator[str]:
    """Yield one line for each broken rule of a file."""
    text = path.read_text()
    for number, prose, is_docstring in _prose(path, text):
        if banned := BANNED.search(_without_code(prose)):
            yield f"{path}:{number}: banned word {banned.group()!r}"
        if is_docstring:
            for sentence in SENTENCE_END.split(_without_code(prose)):
                words = len(re.findall(r"[\w'-]+", sentence))
                if words > MAX_WORDS:
                    yield f"{path}:{number}: a sentence of {words} words: {sentence.strip()[:60]!r}"
    if path.suffix == ".py":
        yield from _layout(path, text)


def _layout(path: Path, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > MAX_COLUMNS:
            yield f"{path}:{number}: a line of {len(line)} columns"
        name = re.match(r"\s*def (test_\w+)", line)
        if name and len(name.group(1)) > MAX_TEST_NAME:
            yield f"{path}:{number}: a test name of {len(name.group(1))} characters"


def _prose(path: Path, text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield the prose of a file with its line number, and whether its sentences are counted."""
    if path.suffix == ".py":
        yield from _docstrings(ast.parse(text))
        yield from _comments(text)
        if "tests" not in path.parts:
            yield from _messages(ast.parse(text))
    elif path.suffix == ".md":
        yield from _markdown(text)
    elif path.suffix == ".html":
        without = re.sub(r"<[^>]*>|\{[%{#].*?[%}#]\}", " ", text)
        yield from ((number, line, False) for number, line in enumerate(without.splitlines(), 1))
    else:
        for number, line in enumerate(text.splitlines(), 1):
            if comment := re.search(r"(?:^|\s)(?:#|//)\s(.*)|/\*(.*)\*/|description\s*=(.*)", line):
                yield number, " ".join(part for part in comment.groups() if part), False


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, str, bool]]:
    for node in ast.walk(tree):
        constant = node.value if isinstance(node, ast.Expr) else None
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
            yield constant.lineno, constant.value, True


def _messages(tree: ast.Module) -> Iterator[tuple[int, str, bool]]:
    """Yield string literals that read as sentences: what a user, operator or log reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value, False


def _comments(text: str) -> Iterator[tuple[int, str, bool]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string, False


def _markdown(text: str) -> Iterator[tuple[int, str, bool]]:
    blank_code = re.sub(
        r"```.*?```", lambda code: "\n" * code.group().count("\n"), text, flags=re.S
    )
    number = 1
    for paragraph in re.split(r"(\n\s*\n)", blank_code):
        is_table = paragraph.lstrip().startswith("|")
        yield number, paragraph, not is_table
        number += paragraph.count("\n")


def _without_code(prose: str) -> str:
    return re.sub(r"``[^`]*``|`[^`]*`|https?://\S+", "code", prose)


def files(root: Path) -> Iterator[Path]:
    """Yield the files with prose below a folder, or the file itself."""
    for path in [root] if root.is_file() else sorted(root.rglob("*")):
        if path.suffix in SUFFIXES and not SKIPPED & set(path.parts):
            yield path


def main(arguments: list[str]) -> int:
    """Print the findings in these files and folders; the exit status is 1 when there are any."""
    found = [
        finding for name in arguments for path in files(Path(name)) for finding in findings(path)
    ]
    for finding in found:
        print(finding)  # noqa: T201 # the command's output
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
