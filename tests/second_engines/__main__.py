"""``make test-engines``: run the storage tests on other services than the embedded ones.

This starts DynamoDB Local and PostgreSQL. ``OPENSEARCH_URL``, ``AWS_ENDPOINT_URL_SQS``,
``AWS_ENDPOINT_URL_DYNAMODB`` and ``DATABASE_URL`` name services to use instead.
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
    selection = sys.argv[1:] or ["-m", "engines"]
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
        return run_tests(selection, variables) or run_game_day(variables)


def run_tests(selection: list[str], variables: dict[str, str]) -> int:
    # No coverage: the run on the embedded services measures it.
    options = ["--no-cov", "-n", "2", "--dist", "worksteal"]
    command = [sys.executable, "-m", "pytest", *options, *selection]
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


def run_game_day(variables: dict[str, str]) -> int:
    """Run a short game day, unless the arguments select tests."""
    if len(sys.argv) > 1:
        return 0
    command = [sys.executable, "-m", "tests.gameday", *SHORT]
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
