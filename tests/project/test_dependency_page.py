"""The page about dependencies agrees with the code: sizes of own parts, direct requirements."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement

from deploy.local.engines import ROOT

PAGE = (ROOT / "docs" / "decisions" / "0056-dependencies.md").read_text()
TOLERANCE = 0.2


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this heading."""
    _, _, after = PAGE.partition(f"\n| {heading} |")
    lines = after.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def code_in(cell: str) -> list[str]:
    """Return what is in backticks."""
    return re.findall(r"`([^`]+)`", cell)


OWN_PARTS = rows("Written by hand")


def test_the_tables_are_found() -> None:
    assert len(OWN_PARTS) >= 20
    assert {len(row) for row in OWN_PARTS} == {5}
    assert {len(row) for row in rows("Package")} == {2}


@pytest.mark.parametrize("row", OWN_PARTS, ids=lambda row: row[0])
def test_a_part_written_by_hand_has_about_the_lines_on_the_page(row: list[str]) -> None:
    _, where, stated, why, change_of_mind = row
    paths = code_in(where)
    assert paths
    lines = sum((ROOT / path).read_text().count("\n") for path in paths)
    assert int(stated) == pytest.approx(lines, rel=TOLERANCE)
    assert why
    assert change_of_mind


def test_every_direct_requirement_is_on_the_page_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lists = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    direct = sorted(Requirement(line).name for listed in lists for line in listed)
    assert sorted(name for row in rows("Package") for name in code_in(row[0])) == direct
