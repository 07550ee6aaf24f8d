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
def test_shellcheck_accepts_each_script(name: str) -> None:
    done = subprocess.run(
        [path_of("shellcheck"), "--shell=bash", "-"],
        input=scripts()[name],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.stdout == ""


FAKE_TERRAFORM = """#!/bin/sh
[ "$1" = plan ] && { echo "$*"; exit EXIT_CODE; }
echo '{"resource_drift": DRIFT}'
"""


DRIFT = '[{"address": "a.b", "type": "a", "change": {"before": {"x": 1}, "after": AFTER}}]'
OF_AWS = """{"address": "a.b", "type": "aws_db_instance", "change": {
  "before": {"latest_restorable_time": "1", "name": "n"},
  "after": {"latest_restorable_time": "2", "name": "n"}}}"""
"""A change that AWS makes every few minutes."""


@pytest.mark.needs("jq")
@pytest.mark.parametrize(
    ("exit_code", "drift", "found"),
    [
        (0, "null", "found=false\n"),
        (0, "[]", "found=false\n"),
        (
            0,
            '[{"address": "a.b", "type": "a", "change": {"before": {"x": 1}, "after": {"x": 2}}}]',
            "found=true\n",
        ),
        (
            0,
            '[{"address": "a.b", "type": "a", "change": {"before": {"x": 1}, "after": null}}]',
            "found=true\n",
        ),
        (0, f"[{OF_AWS}]", "found=false\n"),
        (0, f"[{OF_AWS.replace('latest_restorable_time', 'multi_az')}]", "found=true\n"),
        (1, "[]", ""),
    ],
)
def test_drift_script_reports_drift_no_drift_and_failure(
    tmp_path: Path, exit_code: int, drift: str, found: str
) -> None:
    terraform, output, plan = (tmp_path / name for name in ("terraform", "output", "plan.txt"))
    terraform.write_text(
        FAKE_TERRAFORM.replace("EXIT_CODE", str(exit_code)).replace("DRIFT", drift)
    )
    terraform.chmod(0o755)
    output.touch()
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(output)}
    command = [str(ROOT / "deploy/drift.sh"), str(tmp_path), "sit", str(plan)]
    done = subprocess.run(command, env=env, capture_output=True, timeout=280, check=False)
    assert (done.returncode, output.read_text()) == (exit_code, found)
    arguments = plan.read_text()
    assert "plan -refresh-only -lock=false" in arguments
    assert re.search(r"package_key=products-lambda/0{64}\.zip .*package_hash=A{43}=", arguments)
