"""Start the settings in a process of their own."""

import os
import subprocess
import sys

from deploy.local.engines import ROOT

OWN_KEYS = {"ENVIRONMENT": "prod", "LOCAL": "0", "SECRET_KEY": "x" * 40, "TOKEN_KEYS": "y" * 40}


def start(**changes: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **changes}
    command = [
        sys.executable,
        "-c",
        "from django.conf import settings; settings.DEBUG; print('started')",
    ]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False
    )
