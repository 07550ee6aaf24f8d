"""Names, prose and lines follow the rules of plain English."""

from pathlib import Path

import pytest

from deploy.local.engines import ROOT
from tests.support.plain_english import files, findings

FOLDERS = ("bbws_products", "deploy", "docs", "products", "tasks", "templates", "tests")


@pytest.mark.parametrize("folder", FOLDERS)
def test_prose_is_plain_english(folder: str) -> None:
    found = [finding for path in files(ROOT / folder) for finding in findings(path)]
    assert found == []


def test_the_top_level_is_plain_english() -> None:
    paths = [*ROOT.glob("*.md"), ROOT / "manage.py"]
    assert [finding for path in paths for finding in findings(path)] == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ('"""Whoever writes."""\n', "banned word 'Whoever'"),
        ("# mended\n", "banned word 'mended'"),
        (f'"""{"word " * 31}."""\n', "a sentence of 31 words"),
        (f"x = 1{' ' * 100}# y\n", "a line of 108 columns"),
        (f"def test_{'x' * 66}(): ...\n", "a test name of 71 characters"),
    ],
)
def test_each_rule_finds_what_breaks_it(tmp_path: Path, text: str, finding: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(text)
    assert any(finding in found for found in findings(path))


def test_code_names_in_prose_are_not_judged(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text('"""Return ``told``."""\n')
    assert list(findings(path)) == []
