"""The generated pages of ``docs/``: benchmarks and the last game day."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.bench.results import BEGIN, END, RESULTS, write_section
from tests.gameday.case import Verdict
from tests.gameday.report import page


def test_write_section_replaces_one_section_and_keeps_the_text(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.md"
    path.write_text(f"# Title\n\nText.\n\n{BEGIN}\n\n## One\n\nold\n\n## Two\n\nkept\n\n{END}\n")
    write_section("One", "new\n", path)
    write_section("Three", "added", path)
    expected = "## One\n\nnew\n\n## Two\n\nkept\n\n## Three\n\nadded"
    assert path.read_text() == f"# Title\n\nText.\n\n{BEGIN}\n\n{expected}\n\n{END}\n"


def test_write_section_refuses_a_page_without_markers(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.md"
    path.write_text("# Title\n")
    with pytest.raises(ValueError, match="must contain each of the two markers once"):
        write_section("One", "new", path)
    assert path.read_text() == "# Title\n"


def test_benchmarks_page_is_ready_for_generated_figures(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.md"
    path.write_text(RESULTS.read_text())
    section = RESULTS.read_text().split("\n## ")[-1].partition(END)[0]
    title, _, text = section.partition("\n")
    write_section(title, text, path)
    assert path.read_text() == RESULTS.read_text()


def test_game_day_page_lists_each_promise_and_how_to_repeat_it() -> None:
    verdicts = [Verdict("Kept", 1234, []), Verdict("Broken", 5, ["one", "two"])]
    at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    command = 'make gameday ARGS="--seed 7"'
    text = page(verdicts, ["3 writes"], command=command, seed=7, at=at)
    assert "| Kept | 1,234 | 0 |" in text
    assert "| Broken | 5 | 2 |" in text
    assert "**2 violations**" in text
    assert f"| Command | `{command}` |" in text
    assert "2026-11-29 12:00 UTC" in text
    assert "- 3 writes" in text
