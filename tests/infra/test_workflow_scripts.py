"""The scripts inside the workflows, checked and run with the tools they call."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from deploy.local.engines import ROOT
from tests.support.tools import path_of
from tests.support.workflows import scripts


@pytest.mark.needs("shellcheck")
@pytest.mark.parametrize("name", sorted(scripts()))
def test_shellcheck_finds_nothing_in_a_script(name: str) -> None:
    done = subprocess.run(
        [path_of("shellcheck"), "--shell=bash", "-"],
        input=scripts()[name],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.stdout == ""


PLAN = """#!/bin/sh
[ "$1" = plan ] && { echo "$*"; exit ENDS; }
echo '{"resource_drift": DRIFT}'
"""


@pytest.mark.needs("jq")
@pytest.mark.parametrize(
    ("ends", "drift", "found"),
    [
        (0, "null", "found=false\n"),
        (0, "[]", "found=false\n"),
        (0, '[{"address": "a.b"}]', "found=true\n"),
        (1, "[]", ""),
    ],
)
def test_drift_is_told_from_none_and_from_a_plan_that_failed(
    tmp_path: Path, ends: int, drift: str, found: str
) -> None:
    terraform, said, plan = (tmp_path / name for name in ("terraform", "said", "plan.txt"))
    terraform.write_text(PLAN.replace("ENDS", str(ends)).replace("DRIFT", drift))
    terraform.chmod(0o755)
    said.touch()
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(said)}
    command = [str(ROOT / "deploy/drift.sh"), str(tmp_path), "sit", str(plan)]
    done = subprocess.run(command, env=env, capture_output=True, timeout=280, check=False)
    assert (done.returncode, said.read_text()) == (ends, found)
    assert "plan -refresh-only -lock=false" in plan.read_text()
    assert re.search(
        r"package_key=products-lambda/0{64}\.zip .*package_hash=A{43}=", plan.read_text()
    )
