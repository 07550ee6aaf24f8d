"""``make test-engines``: the tests of what is stored, on other engines than the embedded ones.

DynamoDB Local and PostgreSQL are started here. Where ``OPENSEARCH_URL``, ``AWS_ENDPOINT_URL_SQS``,
``AWS_ENDPOINT_URL_DYNAMODB`` or ``DATABASE_URL`` is set, the engine at that address is used instead.
"""

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from deploy.local.engines import ROOT, exit_on_engine_failure
from tests.second_engines.dynamodb_local import DynamoDBLocal
from tests.second_engines.postgres import Postgres

OTHERS = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS", "OPENSEARCH_URL", "DATABASE_URL")
SHORT = ["--writes", "150", "--seconds", "30", "--seed", "2026"]


def main() -> int:
    asked = sys.argv[1:] or ["-m", "engines"]
    with exit_on_engine_failure(), ExitStack() as ends:
        home = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="bbws-second-")))
        variables = dict(os.environ)
        if "AWS_ENDPOINT_URL_DYNAMODB" not in variables:
            dynamodb = DynamoDBLocal(home / "dynamodb.log")
            ends.callback(dynamodb.stop)
            dynamodb.start()
            variables["AWS_ENDPOINT_URL_DYNAMODB"] = dynamodb.url
        if "DATABASE_URL" not in variables:
            sql = Postgres()
            ends.callback(sql.stop)
            sql.start()
            variables["DATABASE_URL"] = sql.url
        variables.setdefault("HISTORIES", "10")
        variables.setdefault("WALKED_PRODUCTS", "10000")
        variables["SECOND_ENGINES"] = " ".join(name for name in OTHERS if name in variables)
        return tested(asked, variables) or game_day(variables)
    return 1


def tested(asked: list[str], variables: dict[str, str]) -> int:
    # Coverage is what the first run is for; here the same lines are run once more.
    command = [sys.executable, "-m", "pytest", "--no-cov", "-n", "2", "--dist", "worksteal", *asked]
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


def game_day(variables: dict[str, str]) -> int:
    if len(sys.argv) > 1:
        return 0
    command = [sys.executable, "-m", "tests.gameday", *SHORT]
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
