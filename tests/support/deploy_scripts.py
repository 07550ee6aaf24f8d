"""Run the scripts of ``deploy/`` with the AWS command line and programs that replace others."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from deploy.local.engines import ROOT
from tests.support.tools import path_of

FAKE_TERRAFORM = """#!/bin/sh
shift # -chdir=…
[ "$2" = -raw ] && cat "$ANSWERS/$3.txt" || cat "$ANSWERS/$3.json"
"""


def script(
    name: str, *arguments: str, home: Path, variables: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    """Run one of ``deploy/*.sh`` with these variables and the AWS variables of the tests.

    Programs in ``home`` replace those on the path; ANSWERS is ``home``, too.
    """
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    path = f"{home}:{Path(path_of('aws')).parent}:{os.environ['PATH']}"
    env = aws | {"PATH": path, "HOME": str(home), "ANSWERS": str(home), "AWS_PAGER": ""}
    return subprocess.run(
        [str(ROOT / "deploy" / name), *arguments],
        cwd=ROOT,
        env={**env, **variables},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def write_program(home: Path, name: str, text: str) -> None:
    path = home / name
    path.write_text(text)
    path.chmod(0o755)
